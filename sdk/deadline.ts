import { TimeoutError } from './errors.ts'

/** The most that a timer takes; longer ones would fire at once. */
const maxTimerMs = 2 ** 31 - 1

/** A signal that follows the caller's and aborts by itself when the time is up. */
export interface Deadline {
  readonly signal: AbortSignal
  /** What is left, in milliseconds. `Infinity` where there is no limit. */
  remainingMs(): number
  /** Gives all of the time again. */
  restart(): void
  /** Frees the timer; the caller's signal is still followed. */
  disarm(): void
  /** Frees the timer and the listener. */
  dispose(): void
}

/** `what` begins the sentence of the `TimeoutError`. Always `dispose` of it, or the caller's signal collects listeners. */
export function deadline(what: string, timeoutMs: number, signal?: AbortSignal | null): Deadline {
  const controller = new AbortController()
  const follow = () => controller.abort(signal?.reason)
  let endsAt: number
  let timer: ReturnType<typeof setTimeout> | undefined

  const disarm = () => clearTimeout(timer)
  const restart = () => {
    disarm()
    endsAt = Date.now() + timeoutMs
    if (timeoutMs > maxTimerMs) return
    timer = setTimeout(() => controller.abort(new TimeoutError(what, timeoutMs)), Math.max(0, timeoutMs))
  }

  restart()
  if (signal?.aborted) follow()
  else signal?.addEventListener('abort', follow, { once: true })

  return {
    signal: controller.signal,
    remainingMs: () => endsAt - Date.now(),
    restart,
    disarm,
    dispose: () => {
      disarm()
      signal?.removeEventListener('abort', follow)
    },
  }
}
