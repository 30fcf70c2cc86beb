import { deadline } from '../deadline.ts'
import { ApiError } from '../errors.ts'
import { pause } from '../pause.ts'
import { backoffMs, isTransient } from '../retry.ts'
import type { ResultAccepted, ResultRequest } from '../types.ts'
import type { AssignmentCalls } from './assignment.ts'
import type { JobLog } from './job-log.ts'
import { messageOf, type Outcome } from './job-outcome.ts'
import { isUploadIncomplete } from './result-files.ts'
import { leaseLostCode } from './worker-errors.ts'
import type { Say } from './worker-log.ts'

/** What saying goodbye may take when the worker is stopping. The lease ends by itself if the service does not answer. */
const farewellMs = 5_000

export interface ConclusionOptions {
  calls: Pick<AssignmentCalls, 'report' | 'release'>
  lines: JobLog
  /** Aborts when the lease is lost. */
  signal: AbortSignal
  say: Say
}

/** Tells the service what became of the job. Never rejects. */
export async function conclude(outcome: Outcome, options: ConclusionOptions): Promise<void> {
  if (outcome.kind === 'finished') await finish(outcome.report, options)
  else if (outcome.kind === 'stopped') await giveBack(options)
  else options.say('warn', 'job lost', { code: outcome.error.code })
}

async function finish(report: ResultRequest, { calls, lines, signal, say }: ConclusionOptions): Promise<void> {
  // First, since nothing can be logged once the result is in.
  await lines.flush(signal)
  try {
    const { status, willRetry } = await deliver(report, calls, signal)
    say(status === 'SUCCEEDED' ? 'info' : 'warn', status === 'SUCCEEDED' ? 'job succeeded' : 'job failed', {
      willRetry,
      reason: report.error?.message,
    })
  } catch (error) {
    say('warn', 'result not accepted', { reason: messageOf(error) })
  }
}

/** Tries as long as the lease lasts: the same report again answers the same. */
async function deliver(
  report: ResultRequest,
  calls: Pick<AssignmentCalls, 'report'>,
  signal: AbortSignal,
): Promise<ResultAccepted> {
  for (let failures = 1; ; failures++) {
    try {
      return await calls.report(report, { signal })
    } catch (error) {
      // The lease may have ended because this very report went through. The same again tells.
      if (signal.aborted) return calls.report(report)
      if (isTransient(error) || isInternal(error)) await pause(backoffMs(failures, { capMs: 5_000 }), signal)
      else if (isFault(error, report)) return deliver(refusal(error), calls, signal)
      else throw error
    }
  }
}

const isInternal = (error: unknown) => error instanceof ApiError && error.status >= 500

/** A result that the contract does not allow: the handler's fault, which its owner should read. */
const isFault = (error: unknown, { status }: ResultRequest): error is ApiError =>
  error instanceof ApiError &&
  status === 'SUCCEEDED' &&
  leaseLostCode(error) === undefined &&
  error.code !== 'result_conflict'

function refusal(error: ApiError): ResultRequest {
  const faults = error.errors.map(({ pointer, detail }) => `${pointer}: ${detail}`)
  const message = [`The result was refused: ${error.message}`, ...faults].join('\n').slice(0, 5_000).toWellFormed()
  return { status: 'FAILED', error: { message, retryable: isUploadIncomplete(error) } }
}

async function giveBack({ calls, lines, signal, say }: ConclusionOptions): Promise<void> {
  const limit = deadline('Giving the job back', farewellMs, signal)
  try {
    await lines.flush(limit.signal)
    await calls.release({ signal: limit.signal })
    say('info', 'job given back')
  } catch (error) {
    say('warn', 'job not given back', { reason: messageOf(error) })
  } finally {
    limit.dispose()
  }
}
