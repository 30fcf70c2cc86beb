import { type DownloadOptions, download } from './download.ts'
import type { FetchLike } from './options.ts'
import type { TransferOptions } from './transfer.ts'
import type { SignedUpload } from './types.ts'
import { upload } from './upload.ts'
import type { UploadBody } from './upload-body.ts'

/** Files behind signed URLs, which never get the client's credentials. */
export interface TransferCalls {
  /** Sends a file to where a signed upload says. As the function `upload`, with the client's `fetch`. */
  upload(to: SignedUpload, body: UploadBody, options?: TransferOptions): Promise<void>
  /** Fetches a file: `body` streams it, `json()` and `blob()` read it. As the function `download`, with the client's `fetch`. */
  download(url: string, options?: DownloadOptions): Promise<Response>
}

/** `fetch` is undefined where the client was given none, so that browsers may watch uploads. */
export const transferCalls = (fetch: FetchLike | undefined): TransferCalls => ({
  upload: (to, body, options) => upload(to, body, { ...options, fetch: options?.fetch ?? fetch }),
  download: (url, options) => download(url, { ...options, fetch: options?.fetch ?? fetch }),
})
