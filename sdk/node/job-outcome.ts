import { deadline } from '../deadline.ts'
import { abortable } from '../pause.ts'
import type { JobType, ResultRequest } from '../types.ts'
import type { JobContext, JobHandler, ResultWithMetadata, WorkerJob } from './handlers.ts'
import { isRetryable, LeaseLostError } from './worker-errors.ts'

/** What became of an assignment: something to report, a job to give back, or nothing that is ours to say. */
export type Outcome =
  | { kind: 'finished'; report: ResultRequest }
  | { kind: 'stopped' }
  | { kind: 'lost'; error: LeaseLostError }

/** How long a handler may take to come to rest once it was told to stop, before its job is given back without it. */
const restMs = 2_000

/** The contract's bound. */
const maxMessageLength = 5_000

/** Runs the handler. Resolves with what there is to report, and never rejects. */
export async function handle(
  handler: JobHandler<JobType>,
  job: WorkerJob,
  context: JobContext,
  redact: (text: string) => string,
): Promise<ResultRequest> {
  try {
    return success(await handler(job, context))
  } catch (error) {
    const message = redact(messageOf(error)).slice(0, maxMessageLength).toWellFormed()
    return { status: 'FAILED', error: { message, retryable: isRetryable(error) } }
  }
}

/** Waits for the handler or for the end of its assignment. `signal` is the handler's. */
export async function outcomeOf(handled: Promise<ResultRequest>, signal: AbortSignal): Promise<Outcome> {
  const report = await abortable(handled, signal).catch(() => undefined)
  if (signal.reason instanceof LeaseLostError) return { kind: 'lost', error: signal.reason }
  if (report) return { kind: 'finished', report }
  const rested = await within(handled, restMs)
  // It got there after all. What it says of a failure, though, is that it was told to stop.
  return rested?.status === 'SUCCEEDED' ? { kind: 'finished', report: rested } : { kind: 'stopped' }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const limit = deadline('Coming to rest', ms)
  try {
    return await abortable(promise, limit.signal)
  } catch {
    return undefined
  } finally {
    limit.dispose()
  }
}

function success(result: Awaited<ReturnType<JobHandler<JobType>>>): ResultRequest {
  const payload = isWithMetadata(result)
    ? { resultPayload: result.result, metadata: result.metadata }
    : { resultPayload: result }
  return { status: 'SUCCEEDED', ...payload }
}

function isWithMetadata(result: object | undefined): result is ResultWithMetadata<JobType> {
  const keys = Object.keys(result ?? {})
  return keys.length === 2 && keys.includes('result') && keys.includes('metadata')
}

/** For people. Errors without words still have a name. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error) || 'Unknown error'
  return error.message || error.name
}
