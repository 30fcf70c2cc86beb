import { quietly } from './hooks.ts'
import { silence } from './silence.ts'
import { defaultSilenceMs, type TransferOptions } from './transfer.ts'
import type { SignedUpload } from './types.ts'
import type { Source } from './upload-body.ts'

/** In browsers only XMLHttpRequest sees an upload move; their `fetch` takes no streams over HTTP/1.1. */
export const canUseXhr = ({ whole }: Source, { fetch }: TransferOptions): boolean =>
  whole !== undefined && fetch === undefined && typeof XMLHttpRequest === 'function'

export async function uploadByXhr(
  { url, method, headers }: SignedUpload,
  { whole, sizeBytes }: Source,
  what: string,
  { signal, timeoutMs = defaultSilenceMs, onProgress }: TransferOptions,
): Promise<Response> {
  const watch = silence(what, timeoutMs, signal)
  const xhr = new XMLHttpRequest()
  try {
    return await new Promise<Response>((resolve, reject) => {
      watch.signal.addEventListener('abort', () => reject(watch.signal.reason))
      if (watch.signal.aborted) reject(watch.signal.reason)
      xhr.upload.onprogress = ({ loaded }) => {
        watch.heard()
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
  } finally {
    watch.dispose()
    // Does nothing to a request that is over.
    xhr.abort()
  }
}

function retryAfter(xhr: XMLHttpRequest): Record<string, string> {
  const value = xhr.getResponseHeader('retry-after')
  return value === null ? {} : { 'retry-after': value }
}
