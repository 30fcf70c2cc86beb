import { deadline } from './deadline.ts'
import type { ImageAbout, ImageCalls } from './images.ts'
import type { FetchLike } from './options.ts'
import { sha256Of } from './sha256.ts'
import type { TransferProgress } from './transfer.ts'
import type { Image, ImageUpload } from './types.ts'
import { upload } from './upload.ts'

/** What uploading an image takes. */
export interface ImageUploadOptions {
  /** Ends the upload; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** How long all of it may take, in milliseconds. For ever unless told otherwise. */
  timeoutMs?: number | undefined
  /** The file's SHA-256 in lower-case hexadecimal. Computed where it is not given, which reads the file into memory. */
  sha256?: string | undefined
  /** What the file is, where its `type` does not say. */
  contentType?: Image['contentType'] | undefined
  /** Called as the file goes over. */
  onProgress?: ((progress: TransferProgress) => void) | undefined
}

export async function uploadImage(
  images: Pick<ImageCalls, 'createUpload' | 'completeUpload'>,
  fetch: FetchLike | undefined,
  about: ImageAbout & { name: string },
  file: Blob,
  options: ImageUploadOptions = {},
): Promise<Image> {
  const { contentType = file.type as Image['contentType'], timeoutMs = Infinity, onProgress } = options
  const limit = deadline(`The upload of ${about.name}`, timeoutMs, options.signal)
  const { signal } = limit
  try {
    const sha256 = options.sha256 ?? (await sha256Of(file))
    const announced = { ...about, contentType, sizeBytes: file.size, sha256 }
    const { imageId, upload: to } = await images.createUpload(announced as ImageUpload, { signal })
    await upload(to, file, { fetch, signal, onProgress })
    return await images.completeUpload(imageId, { signal })
  } finally {
    limit.dispose()
  }
}
