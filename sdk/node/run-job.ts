import type { Client } from '../client.ts'
import type { Log } from '../log.ts'
import type { Claim, JobInput, JobType } from '../types.ts'
import { assignmentCalls } from './assignment.ts'
import { conclude } from './conclusion.ts'
import type { JobHandler, WorkerJob } from './handlers.ts'
import { jobContext, workDirectory } from './job-context.ts'
import { jobLog } from './job-log.ts'
import { handle, messageOf, outcomeOf } from './job-outcome.ts'
import { keepLease } from './lease.ts'
import { redactor } from './redact.ts'
import { sayTo } from './worker-log.ts'

export interface RunJobOptions {
  client: Pick<Client, 'worker' | 'transfers'>
  claim: Claim
  handler: JobHandler<JobType>
  /** Aborts with `WorkerStoppedError` when the job must be given back. */
  stopping: AbortSignal
  log: Log | undefined
  workRoot: string | undefined
}

/** Does one job, from the claim to the report. Never rejects: what goes wrong is reported to the service, or logged. */
export async function runJob({ client, claim, handler, stopping, log, workRoot }: RunJobOptions): Promise<void> {
  const { job, assignment } = claim
  const say = sayTo(log, { jobId: job.id, type: job.type, attempt: assignment.attempt })
  const redact = redactor([assignment.token])
  const reasonOf = (error: unknown) => redact(messageOf(error))

  const calls = assignmentCalls(client.worker, assignment)
  const onTrouble = (error: unknown) => say('warn', 'heartbeat failed', { reason: reasonOf(error) })
  const lease = keepLease({ assignment, heartbeat: calls.heartbeat, onTrouble })
  const lines = jobLog({
    append: (entries) => calls.appendLogs(entries, { signal: lease.signal }),
    onLost: (count, error) => say('warn', 'log lines lost', { count, reason: reasonOf(error) }),
  })
  const directory = workDirectory(workRoot)
  const work = either(lease.signal, stopping)
  const { signal } = work
  const context = jobContext({
    assignment,
    calls,
    transfers: client.transfers,
    lease,
    lines,
    redact,
    signal,
    directory,
  })

  say('info', 'job claimed')
  const handled = handle(handler, workerJob(claim), context, redact)
  await conclude(await outcomeOf(handled, signal), { calls, lines, signal: lease.signal, say })
  lease.end()
  lines.close()
  // A handler that goes on although nobody wants its result still uses this machine, and so its slot.
  await handled
  work.dispose()
  await directory.remove().catch((error) => say('warn', 'work directory not removed', { reason: reasonOf(error) }))
}

/** A signal that aborts with the first of two. */
function either(one: AbortSignal, other: AbortSignal) {
  const controller = new AbortController()
  const abort = () => controller.abort(one.aborted ? one.reason : other.reason)
  if (one.aborted || other.aborted) abort()
  for (const signal of [one, other]) signal.addEventListener('abort', abort, { once: true })
  const dispose = () => {
    for (const signal of [one, other]) signal.removeEventListener('abort', abort)
  }
  return { signal: controller.signal, dispose }
}

const workerJob = ({ job, assignment }: Claim): WorkerJob => ({
  id: job.id,
  type: job.type,
  input: job.inputPayload as JobInput<JobType>,
  attempt: assignment.attempt,
  maxAttempts: job.maxAttempts,
  createdAt: job.createdAt,
})
