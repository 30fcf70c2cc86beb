import { ApiError, ConnectionError, FieldstationError, TimeoutError, TransferError } from '../errors.ts'

/** Throw this from a handler where another attempt may succeed. Any other error of your own ends the job for good. */
export class RetryableError extends FieldstationError {
  /** The code of every such error. */
  readonly code = 'retryable'
}

/** How an assignment can end under a worker's feet. */
export type LeaseLostCode = 'assignment_lost' | 'job_cancelled' | 'lease_expired' | 'deadline_passed'

/**
 * Why a handler's signal aborted: the job is no longer this worker's. `job_cancelled`: nobody wants it any more. `assignment_lost`: the service
 * has given it up. `lease_expired`: no heartbeat got through. `deadline_passed`: the attempt took too long. Nothing is reported then.
 */
export class LeaseLostError extends FieldstationError {
  /** How the assignment ended. */
  readonly code: LeaseLostCode

  constructor(code: LeaseLostCode, options?: ErrorOptions) {
    super(`The job is no longer ours: ${code}`, options)
    this.code = code
  }
}

/** Why a handler's signal aborted: the worker is stopping, and its time to finish was up. The job is given back. */
export class WorkerStoppedError extends FieldstationError {
  /** The code of every such error. */
  readonly code = 'worker_stopped'

  constructor() {
    super('The worker is stopping')
  }
}

/** Whether the service says that the assignment is over. */
export function leaseLostCode(error: unknown): LeaseLostCode | undefined {
  if (!(error instanceof ApiError)) return undefined
  if (error.code === 'job_cancelled') return 'job_cancelled'
  // The token dies with its assignment, so a service that no longer knows it says the same thing in other words.
  const isOver = error.code === 'assignment_lost' || [401, 403, 404].includes(error.status)
  return isOver ? 'assignment_lost' : undefined
}

/** Whether an error that a handler threw may go away by itself. What the network and the stores do, may. */
export const isRetryable = (error: unknown): boolean =>
  error instanceof RetryableError ||
  error instanceof ConnectionError ||
  error instanceof TimeoutError ||
  error instanceof TransferError ||
  (error instanceof ApiError && (error.status >= 500 || error.status === 429))
