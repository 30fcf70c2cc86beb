import { type Deadline, deadline } from './deadline.ts'
import { ConnectionError, TimeoutError } from './errors.ts'
import { quietly } from './hooks.ts'
import type { FetchLike } from './options.ts'
import { abortable, pause } from './pause.ts'
import { backoffMs, retryDelayMs, settle } from './retry.ts'

/** How far a transfer is. */
export interface TransferProgress {
  /** Bytes that went over so far. */
  doneBytes: number
  /** Undefined where the other side does not say. */
  totalBytes: number | undefined
}

/** What sending and fetching files takes. */
export interface TransferOptions {
  /** Ends the transfer; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** How long nothing may move, in milliseconds. 60 s unless told otherwise. The whole may take as long as it needs. */
  timeoutMs?: number | undefined
  /** Called as bytes go over; a try that failed starts again at 0. What it throws is ignored. */
  onProgress?: ((progress: TransferProgress) => void) | undefined
  /** How often to try again when the connection breaks or the store is busy. 3 unless told otherwise. */
  retries?: number | undefined
  /** Used instead of the global `fetch`, or the client's. */
  fetch?: FetchLike | undefined
}

export const defaultSilenceMs = 60_000

/** What stores answer when they would rather be asked again: S3 says 500 for "internal" and 409 for two writes at once. */
const busyStatuses = new Set([408, 409, 425, 429, 500, 502, 503, 504])

/** Looked up at each request, so that a global `fetch` replaced later is used. */
export const globalFetch: FetchLike = (request) => globalThis.fetch(request)

/** Tries until there is an answer worth having. Each try has its own time, and `extraMs` where nothing tells whether it moves. */
export async function tryTransfer(
  what: string,
  { signal, timeoutMs = defaultSilenceMs, retries = 3 }: TransferOptions,
  send: (watch: Deadline) => Promise<Response>,
  extraMs = 0,
): Promise<Response> {
  signal?.throwIfAborted()
  for (let attempt = 1; ; attempt++) {
    const watch = deadline(what, timeoutMs + extraMs, signal)
    const outcome = await send(watch)
      .catch((error) => asTransferFault(error, what, signal))
      .finally(watch.dispose)
    const delayMs = !(outcome instanceof Error) ? retryDelayMs(outcome, attempt, busyStatuses) : backoffMs(attempt)
    if (delayMs === undefined || attempt > retries) return settle(outcome)
    if (!(outcome instanceof Error)) discard(outcome)
    await pause(delayMs, signal)
  }
}

/** One request with these headers and no others: nothing here knows of credentials. Ends with the signal, whatever `fetch` does. */
export const request = async (
  url: string,
  init: RequestInit & { signal: AbortSignal },
  { fetch = globalFetch }: TransferOptions,
): Promise<Response> => abortable(Promise.resolve(fetch(new Request(url, init))), init.signal)

/** Frees the connection. Not awaited, since one that hangs would hang us. */
export function discard(response: Response): void {
  response.body?.cancel().catch(() => {})
}

/** The signal's reason is thrown; what is the network's fault is returned. Says nothing of the URL, which is a secret. */
export function asTransferFault(error: unknown, what: string, signal?: AbortSignal): Error {
  if (signal?.aborted) throw signal.reason
  return error instanceof TimeoutError ? error : new ConnectionError(`${what} broke off`, { cause: error })
}

/** Reports each chunk that goes by. */
export function progressReport(onProgress: TransferOptions['onProgress'], totalBytes: number | undefined) {
  let doneBytes = 0
  return (chunk: Uint8Array) => {
    doneBytes += chunk.byteLength
    quietly(onProgress, { doneBytes, totalBytes })
  }
}
