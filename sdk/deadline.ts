import { TimeoutError } from './errors.ts'

/** The most that a timer takes; longer ones would fire at once. */
const maxTimerMs = 2 ** 31 - 1

/** A signal that follows the caller's and aborts by itself when the time is up. */
export interface Deadline {
  readonly signal: AbortSignal
  /** What is left, in milliseconds. `Infinity` where there is no limit. */
  remainingMs(): number
  /** Frees the timer; the caller's signal is still followed. */
  disarm(): void
  /** Frees the timer and the listener. */
  dispose(): void
}

/** `what` begins the sentence of the `TimeoutError`. Always `dispose` of it, or the caller's signal collects listeners. */
export function deadline(what: string, timeoutMs: number, signal?: AbortSignal | null): Deadline {
  const controller = new AbortController()
  const endsAt = Date.now() + timeoutMs
  const follow = () => controller.abort(signal?.reason)
  const timer =
    timeoutMs > maxTimerMs
      ? undefined
      : setTimeout(() => controller.abort(new TimeoutError(what, timeoutMs)), Math.max(0, timeoutMs))

  if (signal?.aborted) follow()
  else signal?.addEventListener('abort', follow, { once: true })

  return {
    signal: controller.signal,
    remainingMs: () => endsAt - Date.now(),
    disarm: () => clearTimeout(timer),
    dispose: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', follow)
    },
  }
}
