import type { Api } from './api.ts'
import { watched } from './download.ts'
import { formBlob } from './form.ts'
import { type ImageUploadOptions, uploadImage } from './image-upload.ts'
import type { CallOptions } from './options.ts'
import type { CallPolicy } from './transport.ts'
import type { Image, ImageUpdate, ImageUpload, ImageUploadCreated, Page, Query } from './types.ts'
import { slowestBytesPerMs } from './upload.ts'

/** What to keep with an image. */
export interface ImageAbout {
  /** Its file name. Taken from a `File` unless given. */
  name?: string | undefined
  /** The polygon that it shows. */
  polygonId?: string | undefined
  /** The note that it belongs to. */
  noteId?: string | undefined
}

/** What fetching an image takes. */
export interface ImageDownloadOptions extends CallOptions {
  /** Sent with the request: `Range`, `If-Range`. */
  headers?: Record<string, string> | undefined
}

/** Photographs and pictures, kept byte for byte, on their own or with a polygon or a note. */
export interface ImageCalls {
  /**
   * List images.
   *
   * Mine, newest first; for an admin everyone's. Of a polygon or a note: all that belong to it and that I may see,
   * which for the owner of the polygon is everything. Of one that is not there, or not for me, that is nothing.
   */
  list(query?: Query<'listImages'>, options?: CallOptions): Promise<Page<Image>>
  /** All of them, newest first. `limit` is the size of a page. */
  listAll(query?: Query<'listImages'>, options?: CallOptions): AsyncGenerator<Image, void, undefined>
  /**
   * Upload an image.
   *
   * PNG, JPEG, WebP, GIF or TIFF, as the bytes say and not the name. The file is kept as it is, byte for byte; what is
   * damaged, is another kind of file besides, or would unpack to far more than it looks, is refused. Larger than a
   * request may be? Start an upload.
   *
   * Throws `payload_too_large`, `unsupported_media_type`, `image_refused`, `unresolved_reference`.
   *
   * @remarks
   * In one request, streamed where `fetch` streams forms (in Node from a file by `openAsBlob`). Not repeated after a lost answer. Larger
   * than the service takes in a request, or with progress to show: `upload`.
   */
  create(file: Blob, about?: ImageAbout, options?: CallOptions): Promise<Image>
  /** The same past the service, straight to its store: for large files, for progress, and for services whose requests must be small. */
  upload(file: Blob, about?: ImageAbout, options?: ImageUploadOptions): Promise<Image>
  /**
   * Start the upload of an image.
   *
   * Gives a signed URL for a file of exactly this size and checksum. Send the file there, then complete the image. An
   * upload that is not completed within a day is forgotten.
   *
   * Throws `payload_too_large`, `unresolved_reference`.
   *
   * @remarks
   * `upload` does this, sends the file and completes the image.
   */
  createUpload(image: ImageUpload, options?: CallOptions): Promise<ImageUploadCreated>
  /**
   * Complete the upload of an image.
   *
   * Looks at the file that has arrived. What is refused is deleted, and the upload with it. Completing it again answers
   * the same.
   *
   * Throws `image_not_found`, `upload_incomplete`, `unsupported_media_type`, `image_refused`, `unresolved_reference`.
   */
  completeUpload(imageId: string, options?: CallOptions): Promise<Image>
  /**
   * Show what is known of an image.
   *
   * For who uploaded it, whose polygon it shows, and admins.
   *
   * Throws `image_not_found`.
   */
  get(imageId: string, options?: CallOptions): Promise<Image>
  /**
   * Fetch an image.
   *
   * The file itself, byte for byte as it was uploaded, under its name. Ranges and conditions are honoured, HEAD is
   * answered. For who uploaded it, whose polygon it shows, and admins.
   *
   * Throws `image_not_found`, `precondition_failed`, `range_not_satisfiable`.
   *
   * @remarks
   * As a response: `body` streams it, `blob()` and `arrayBuffer()` read it. `timeoutMs` is how long its head may take.
   */
  download(imageId: string, options?: ImageDownloadOptions): Promise<Response>
  /**
   * Change what is known of an image.
   *
   * Its name, and the polygon and the note that it belongs to. For who uploaded it, and admins.
   *
   * Throws `image_not_found`, `unresolved_reference`.
   */
  update(imageId: string, change: ImageUpdate, options?: CallOptions): Promise<Image>
  /**
   * Delete an image.
   *
   * The file goes with it. For who uploaded it, and admins. An upload that was started and is not completed can be
   * cancelled so, by who started it; what has arrived of it goes within some hours.
   *
   * Throws `image_not_found`.
   */
  delete(imageId: string, options?: CallOptions): Promise<void>
}

export function imageCalls({ operation, repeatable, items, limitMs, fetch }: Api): ImageCalls {
  const create = operation('post', '/api/images', 'body')
  const createUpload = operation('post', '/api/images/uploads', 'body')
  const completeUpload = repeatable('post', '/api/images/{imageId}/complete')
  const download = operation('get', '/api/images/{imageId}') as unknown as ImageCalls['download']
  /** What sends a file, or has it looked at, may take longer for a larger one. */
  const timeFor = ({ size }: Blob) => limitMs + size / slowestBytesPerMs

  return {
    list: operation('get', '/api/images', 'query'),
    listAll: items('/api/images'),
    create: (file, about, { timeoutMs = timeFor(file), ...options } = {}) =>
      create(undefined, { form: () => formOf(file, about), timeoutMs, ...options }),
    upload(file, about, options) {
      const complete: typeof completeUpload = (imageId, { signal } = {}) =>
        completeUpload(imageId, { signal, timeoutMs: timeFor(file) })
      const named = { ...about, name: about?.name ?? nameOf(file) }
      return uploadImage({ createUpload, completeUpload: complete }, fetch, named, file, options)
    },
    createUpload,
    completeUpload,
    get: operation('get', '/api/images/{imageId}/metadata'),
    download: async (imageId, options = {}) => {
      const policy: CallPolicy = { ...options, isStreamed: true }
      return watched(await download(imageId, policy), `Image ${imageId}`, { signal: options.signal })
    },
    update: operation('patch', '/api/images/{imageId}', 'body'),
    delete: operation('delete', '/api/images/{imageId}'),
  }
}

/** Fields first, so that what is wrong with them could be told before the file has gone over. */
const formOf = (file: Blob, { name = nameOf(file), ...fields }: ImageAbout = {}): Blob => formBlob(fields, file, name)

const nameOf = (file: Blob): string => (file as Partial<File>).name || 'image'
