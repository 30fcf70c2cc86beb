import { deadline } from './deadline.ts'
import { JobFailedError } from './errors.ts'
import { quietly } from './hooks.ts'
import type { JobCalls } from './jobs.ts'
import { patience } from './patience.ts'
import { pause } from './pause.ts'
import type { FinalJob, Job, JobStatus, JobType } from './types.ts'

/** What waiting for a job takes. */
export interface WaitOptions<T extends JobType = JobType> {
  /** Ends the waiting, and not the job; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** How long to wait altogether, in milliseconds. For ever unless told otherwise. */
  timeoutMs?: number | undefined
  /** Called with the job as it is found, and again after each change. What it throws is ignored. */
  onChange?: ((job: Job<T>) => void) | undefined
  /** Throw `JobFailedError` for a job that ends without a result, instead of returning it. */
  throwOnFailure?: boolean | undefined
}

/** The longest that the contract lets a request wait. */
const waitSeconds = 20
/** A service that answers "no change" sooner than this does not wait, and must not be asked without pause. */
const shortestWaitMs = 1_000

const finalStatuses = new Set(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED'])

export const isFinalStatus = (status: JobStatus): boolean => finalStatuses.has(status)

const isFinal = (job: Job): job is FinalJob => isFinalStatus(job.status)

export async function waitForJob(
  get: JobCalls['get'],
  jobId: string,
  { signal, timeoutMs = Infinity, onChange, throwOnFailure }: WaitOptions = {},
): Promise<FinalJob> {
  const limit = deadline(`Waiting for job ${jobId}`, timeoutMs, signal)
  try {
    const job = await finalJob(get, jobId, onChange, limit.signal)
    if (throwOnFailure && job.status !== 'SUCCEEDED') throw new JobFailedError(job)
    return job
  } finally {
    limit.dispose()
  }
}

async function finalJob(
  get: JobCalls['get'],
  jobId: string,
  onChange: WaitOptions['onChange'],
  signal: AbortSignal,
): Promise<FinalJob> {
  const outages = patience(signal)
  let seen: Job | undefined
  for (;;) {
    const askedAt = Date.now()
    const query = seen && { waitSeconds, afterEventId: seen.lastEventId }
    const job = await get(jobId, query, { signal }).catch(outages.endure)
    if (!job) continue
    outages.isOver()
    if (job.lastEventId !== seen?.lastEventId) quietly(onChange, job)
    else if (!isFinal(job)) await pause(Math.max(0, shortestWaitMs - (Date.now() - askedAt)), signal)
    if (isFinal(job)) return job
    seen = job
  }
}
