import { buffer } from 'node:stream/consumers'
import { AppError } from '../errors.ts'
import type { ByteRange, ObjectStore } from '../store/object-store.ts'
import { ImageRefused, type ImageSource, type ImageType, inspectImage } from './inspection/image-inspection.ts'
import type { ImageSize } from './inspection/inspection.ts'

export type FileStore = Pick<ObjectStore, 'get'>

/** An object that its row names is not in the store, or is not what it was: a bug of ours, unless the row is gone as well. */
export class FileMissing extends Error {
  override name = 'FileMissing'
}

/** Opens an object of this size, or the part of it. Throws `FileMissing`. The caller reads it to the end or cancels it. */
export async function openFile(
  store: FileStore,
  key: string,
  sizeBytes: number,
  range?: ByteRange,
): Promise<ReadableStream<Uint8Array>> {
  const object = await store.get(key, range && { range })
  if (!object) throw new FileMissing(`The object ${key} is not in the store.`)
  if (object.info.sizeBytes === sizeBytes) return object.body
  await object.body.cancel()
  throw new FileMissing(`The object ${key} has ${object.info.sizeBytes} bytes and not ${sizeBytes}.`)
}

/** What is in the store, and what it is said to be. */
export interface StoredFile {
  objectKey: string
  sizeBytes: number
  contentType: ImageType
}

/** The pixels of a stored image of this type. Throws `AppError` for what is not kept, and the signal's reason once that aborts. */
export async function inspectFile(store: FileStore, file: StoredFile, signal: AbortSignal): Promise<ImageSize> {
  const { contentType } = file
  const { type, width, height } = await inspectImage(sourceOf(store, file, signal)).catch(asProblem)
  if (type !== contentType) throw new AppError('image_refused', `The file is ${type}, not ${contentType}.`)
  return { width, height }
}

const sourceOf = (store: FileStore, { objectKey, sizeBytes }: StoredFile, signal: AbortSignal): ImageSource => ({
  sizeBytes,
  async read(start, length) {
    signal.throwIfAborted()
    return length === 0
      ? new Uint8Array()
      : buffer(await openFile(store, objectKey, sizeBytes, { start, end: start + length - 1 }))
  },
  async *stream(start) {
    signal.throwIfAborted()
    if (start >= sizeBytes) return
    for await (const chunk of await openFile(store, objectKey, sizeBytes, { start })) {
      yield chunk
      signal.throwIfAborted()
    }
  },
})

function asProblem(error: unknown): never {
  if (!(error instanceof ImageRefused)) throw error
  throw new AppError(error.reason === 'not_an_image' ? 'unsupported_media_type' : 'image_refused', error.message, {
    cause: error,
  })
}
