import { chunks } from './chunks.ts'
import { TransferError } from './errors.ts'
import { abortable } from './pause.ts'
import { silence } from './silence.ts'
import {
  defaultSilenceMs,
  discard,
  globalFetch,
  progressReport,
  type TransferOptions,
  tryTransfer,
} from './transfer.ts'
import type { SignedUpload } from './types.ts'
import { type Source, sourceOf, streamOf, type UploadBody } from './upload-body.ts'
import { canUseXhr, uploadByXhr } from './xhr-upload.ts'

/** What a body that goes out in one piece, unwatched, must at least manage. */
const slowestBytesPerMs = 16

/**
 * Sends a file to a signed URL, exactly as that says.
 *
 * Bytes and Blobs go out in one piece, which `fetch` cannot watch: they get `timeoutMs` and a second for each 16 kB. With `onProgress`, and
 * always in browsers, they are watched, and `timeoutMs` is how long nothing may move. A stream is sent with its size as
 * Content-Length, which Node does and some edge runtimes do not: give those a Blob.
 *
 * Throws `TransferError` (`upload_failed`) when the store refuses, `ConnectionError`, `TimeoutError` or the signal's reason.
 */
export async function upload(to: SignedUpload, body: UploadBody, options: TransferOptions = {}): Promise<void> {
  const what = `The upload of ${to.name}`
  const source = sourceOf(body)
  const send = sender(source, options)
  const response = await tryTransfer(what, options, () => send(to, source, what, options))
  discard(response)
  // The same bytes are there already: an earlier try arrived, and only its answer was lost.
  const isThere = response.status === 412 && new Headers(to.headers).has('if-none-match')
  if (response.ok || isThere) return
  throw new TransferError('upload_failed', `The store refused ${to.name} with ${response.status}`, {
    status: response.status,
  })
}

type Sender = (to: SignedUpload, source: Source, what: string, options: TransferOptions) => Promise<Response>

function sender(source: Source, options: TransferOptions): Sender {
  if (canUseXhr(source, options)) return uploadByXhr
  return source.whole && !options.onProgress ? sendWhole : sendStream
}

async function sendWhole(to: SignedUpload, { whole, sizeBytes }: Source, what: string, options: TransferOptions) {
  const limitMs = (options.timeoutMs ?? defaultSilenceMs) + sizeBytes / slowestBytesPerMs
  const watch = silence(what, limitMs, options.signal)
  try {
    return await send(to, { body: whole, signal: watch.signal }, options)
  } finally {
    watch.dispose()
  }
}

async function sendStream(to: SignedUpload, source: Source, what: string, options: TransferOptions) {
  const silenceMs = options.timeoutMs ?? defaultSilenceMs
  const watch = silence(what, silenceMs, options.signal)
  const report = progressReport(options.onProgress, source.sizeBytes)
  async function* watched() {
    for await (const chunk of chunks(source.stream(), what, silenceMs, watch.signal)) {
      // Asked for: the one before has gone.
      watch.heard()
      yield chunk
      report(chunk)
    }
  }
  try {
    const init = { body: streamOf(watched()), duplex: 'half', signal: watch.signal }
    return await send(to, init, options, { 'Content-Length': String(source.sizeBytes) })
  } finally {
    watch.dispose()
  }
}

/** The signed headers and no others: nothing here knows of credentials. */
function send(
  { url, method, headers }: SignedUpload,
  init: RequestInit & { signal: AbortSignal },
  { fetch = globalFetch }: TransferOptions,
  more: Record<string, string> = {},
): Promise<Response> {
  const request = new Request(url, { ...init, method, headers: { ...headers, ...more } })
  return abortable(Promise.resolve(fetch(request)), init.signal)
}
