import { ApiError, ConnectionError, TimeoutError } from './errors.ts'
import { retryAfterSeconds } from './retry-after.ts'

/** The longest `Retry-After` that is waited out. Asked for more, the caller is told instead. */
const longestRetryAfterMs = 60_000

/** Too early, too much, or somebody on the way is down: a later try may succeed. */
const transientStatuses = new Set([408, 425, 429, 502, 503, 504])

const idempotentMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/** Whether sending the request twice does what sending it once does. */
export const isIdempotent = (request: Request): boolean =>
  idempotentMethods.has(request.method) || request.headers.has('idempotency-key')

/** Doubles from try to try, up to `capMs`, and varies by half, so that clients do not come back in step. */
export function backoffMs(failures: number, { baseMs = 250, capMs = 8_000 } = {}): number {
  const ms = Math.min(capMs, baseMs * 2 ** (failures - 1))
  return ms * (0.5 + Math.random() / 2)
}

/** How long to wait after this answer before trying again; undefined where that is no use. */
export function retryDelayMs(response: Response, failures: number, statuses = transientStatuses): number | undefined {
  if (!statuses.has(response.status)) return undefined
  const askedMs = (retryAfterSeconds(response.headers) ?? 0) * 1000
  return askedMs > longestRetryAfterMs ? undefined : Math.max(askedMs, backoffMs(failures))
}

/** The answer, or the error that came instead of it. */
export function settle(outcome: Response | Error): Response {
  if (!(outcome instanceof Error)) return outcome
  throw outcome
}

/** Whether the same call may well succeed a little later. */
export const isTransient = (error: unknown): boolean =>
  error instanceof ConnectionError ||
  error instanceof TimeoutError ||
  (error instanceof ApiError && transientStatuses.has(error.status))
