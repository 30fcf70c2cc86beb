import type { Deadline } from './deadline.ts'
import { quietly } from './hooks.ts'
import { abortable } from './pause.ts'
import type { TransferOptions } from './transfer.ts'
import type { SignedUpload } from './types.ts'
import type { Source } from './upload-body.ts'

/** In browsers only XMLHttpRequest sees an upload move; their `fetch` takes no streams over HTTP/1.1. */
export const canUseXhr = ({ whole }: Source, { fetch }: TransferOptions): boolean =>
  whole !== undefined && fetch === undefined && typeof XMLHttpRequest === 'function'

export async function uploadByXhr(
  { url, method, headers }: SignedUpload,
  { whole, sizeBytes }: Source,
  { signal, restart }: Deadline,
  { onProgress }: TransferOptions,
): Promise<Response> {
  const xhr = new XMLHttpRequest()
  const response = new Promise<Response>((resolve, reject) => {
    xhr.upload.onprogress = ({ loaded }) => {
      restart()
      quietly(onProgress, { doneBytes: loaded, totalBytes: sizeBytes })
    }
    xhr.onload = () => resolve(new Response(null, { status: xhr.status, headers: retryAfter(xhr) }))
    xhr.onerror = () => reject(new Error('The connection broke.'))
    xhr.open(method, url)
    for (const [name, value] of Object.entries(headers)) {
      // Browsers compute these themselves and refuse to have them set.
      if (!/^(content-length|host)$/i.test(name)) xhr.setRequestHeader(name, value)
    }
    xhr.send(whole)
  })
  // Does nothing to a request that is over.
  return abortable(response, signal).finally(() => xhr.abort())
}

function retryAfter(xhr: XMLHttpRequest): Record<string, string> {
  const value = xhr.getResponseHeader('retry-after')
  return value === null ? {} : { 'retry-after': value }
}
