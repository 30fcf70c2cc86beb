import { deadline } from './deadline.ts'

/** A signal that follows the caller's and aborts with `TimeoutError` when `heard` was not called for so long. */
export function silence(what: string, silenceMs: number, signal?: AbortSignal) {
  const controller = new AbortController()
  let limit: ReturnType<typeof deadline>
  const heard = () => {
    limit?.dispose()
    limit = deadline(what, silenceMs, signal)
    const current = limit.signal
    if (current.aborted) controller.abort(current.reason)
    else current.addEventListener('abort', () => controller.abort(current.reason), { once: true })
  }
  heard()
  return { signal: controller.signal, heard, dispose: () => limit.dispose() }
}
