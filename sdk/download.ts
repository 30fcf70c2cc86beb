import { type Bytes, chunks } from './chunks.ts'
import { TransferError } from './errors.ts'
import {
  asTransferFault,
  defaultSilenceMs,
  discard,
  progressReport,
  request,
  type TransferOptions,
  tryTransfer,
} from './transfer.ts'
import { streamOf } from './upload-body.ts'

/** What fetching a file takes. */
export interface DownloadOptions extends TransferOptions {
  /** Sent with the request, such as `Range`. Nothing else is: a signed URL needs no credentials, and gets none. */
  headers?: Record<string, string> | undefined
}

/**
 * Fetches a file from a signed URL: `body` streams it, `json()`, `blob()` and `arrayBuffer()` read it.
 *
 * Repeats what fails before the file begins. After that, reading throws `ConnectionError` when the connection breaks and `TimeoutError`
 * when nothing comes for `timeoutMs`. Throws `TransferError` (`download_failed`) when the store refuses.
 */
export async function download(url: string, options: DownloadOptions = {}): Promise<Response> {
  const what = 'The download'
  const response = await tryTransfer(what, options, ({ signal }) =>
    request(url, { ...(options.headers && { headers: options.headers }), signal }, options),
  )
  if (response.ok) return watched(response, what, options)
  discard(response)
  throw new TransferError('download_failed', `The store answered ${response.status}`, { status: response.status })
}

/** The same response, with a body that is counted and does not hang. */
export function watched(response: Response, what: string, options: DownloadOptions): Response {
  const { body: source, status, statusText, headers } = response
  if (!source) return response
  const body = streamOf(read(source, totalBytes(response), what, options), () => source.cancel())
  return new Response(body, { status, statusText, headers })
}

async function* read(
  body: ReadableStream<Bytes>,
  total: number | undefined,
  what: string,
  { signal, timeoutMs = defaultSilenceMs, onProgress }: DownloadOptions,
): AsyncGenerator<Bytes, void, undefined> {
  const report = progressReport(onProgress, total)
  try {
    for await (const chunk of chunks(body, what, timeoutMs, signal)) {
      report(chunk)
      yield chunk
    }
  } catch (error) {
    throw asTransferFault(error, what, signal)
  }
}

/** Undefined where the body is compressed on the way, since Content-Length then counts something else. */
function totalBytes({ headers }: Response): number | undefined {
  const length = headers.get('content-length')
  return length === null || headers.has('content-encoding') ? undefined : Number(length)
}
