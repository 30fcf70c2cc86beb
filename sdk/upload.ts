import { chunks } from './chunks.ts'
import type { Deadline } from './deadline.ts'
import { TransferError } from './errors.ts'
import { defaultSilenceMs, discard, progressReport, request, type TransferOptions, tryTransfer } from './transfer.ts'
import type { SignedUpload } from './types.ts'
import { type Source, sourceOf, streamOf, type UploadBody } from './upload-body.ts'
import { canUseXhr, uploadByXhr } from './xhr-upload.ts'

/** What a body that goes out in one piece, unwatched, must at least manage. */
export const slowestBytesPerMs = 16

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
  const extraMs = send === sendWhole ? source.sizeBytes / slowestBytesPerMs : 0
  const response = await tryTransfer(what, options, (watch) => send(to, source, watch, options, what), extraMs)
  discard(response)
  // The same bytes are there already: an earlier try arrived, and only its answer was lost.
  const isThere = response.status === 412 && new Headers(to.headers).has('if-none-match')
  if (response.ok || isThere) return
  throw new TransferError('upload_failed', `The store refused ${to.name} with ${response.status}`, {
    status: response.status,
  })
}

/** Node keeps a copy of each body that goes out, unless redirects are errors: too much for a file. */
const redirect: RequestRedirect = 'error'

/** Sends a file once. What sees it move restarts the watch. */
type Sender = (
  to: SignedUpload,
  source: Source,
  watch: Deadline,
  options: TransferOptions,
  what: string,
) => Promise<Response>

function sender(source: Source, options: TransferOptions): Sender {
  if (canUseXhr(source, options)) return uploadByXhr
  return source.whole && !options.onProgress ? sendWhole : sendStream
}

const sendWhole: Sender = ({ url, method, headers }, { whole }, { signal }, options) =>
  request(url, { method, headers, body: whole ?? null, redirect, signal }, options)

const sendStream: Sender = ({ url, method, headers }, source, { signal, restart }, options, what) => {
  const report = progressReport(options.onProgress, source.sizeBytes)
  async function* watched() {
    for await (const chunk of chunks(source.stream(), what, options.timeoutMs ?? defaultSilenceMs, signal)) {
      // Asked for: the one before has gone.
      restart()
      yield chunk
      report(chunk)
    }
  }
  const init = {
    method,
    headers: { ...headers, 'Content-Length': String(source.sizeBytes) },
    duplex: 'half',
    redirect,
    signal,
  }
  return request(url, { ...init, body: streamOf(watched()) }, options)
}
