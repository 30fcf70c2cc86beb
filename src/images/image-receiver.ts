import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import type { Caller } from '../auth/caller.ts'
import type { Sql } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import type { DiscardedFiles } from '../files/discarded-files.ts'
import type { Log } from '../log.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { fileName } from './file-name.ts'
import type { ImageAttachments } from './image-attachments.ts'
import type { ImageInspections } from './image-inspections.ts'
import type { ImageRow, ImageStore, ReadyImage } from './image-store.ts'
import { type ImageType, sniffBytes, sniffImage } from './inspection/image-inspection.ts'

type Fields = Omit<components['schemas']['ImageForm'], 'file'>

/** A form that is still arriving. What else it says is known once its file has been read to its end. */
export interface ImageForm {
  file: { name: string; bytes: AsyncIterable<Uint8Array> }
  fields(): Promise<Fields>
}

export interface ImageReceiverDeps {
  sql: Sql
  images: ImageStore
  store: ObjectStore
  inspections: ImageInspections
  attachments: ImageAttachments
  files: Pick<DiscardedFiles, 'discard' | 'removeNow'>
  log: Log
}

/** Where the object of an image is. Made once: no two images, and no two tries, have the same. */
export const objectKeyOf = (imageId: string) => `images/${imageId}`

/** Images that arrive in a form. Nothing of them is held in memory but what is on its way. */
export const imageReceiver = ({ sql, images, store, inspections, attachments, files, log }: ImageReceiverDeps) => {
  async function receive(
    caller: Caller,
    { id, objectKey }: ImageRow,
    form: ImageForm,
    file: SniffedFile,
    signal?: AbortSignal,
  ) {
    const content = measured(file.bytes)
    await store.put(objectKey, Readable.from(content.bytes), { contentType: file.type })
    const { polygonId = null, noteId = null } = await form.fields()
    await attachments.assert(caller, { polygonId, noteId })
    const { sizeBytes, sha256 } = content.result()
    const announced = { contentType: file.type, sizeBytes }
    const size = await inspections.inspect({ id, objectKey, ...announced }, signal)
    const facts = { ...announced, sha256, ...size, polygonId, noteId }
    const ready = await attachments.whileThere(facts, () => images.makeReady(id, facts))
    if (!ready) throw new Error(`The row of image ${id} was deleted while its file arrived.`)
    return ready
  }

  return {
    /**
     * The row comes first, so that nothing is in the store that nobody knows of; and goes last, if the image is refused. The signal
     * aborts when nobody waits for it any more.
     */
    async receive(caller: Caller, form: ImageForm, signal?: AbortSignal): Promise<ReadyImage> {
      const name = fileName(form.file.name)
      const file = await sniffed(form.file.bytes)
      const id = uuid()
      const row = await images.insert({ id, userId: caller.userId, objectKey: objectKeyOf(id), name })
      try {
        return await receive(caller, row, form, file, signal)
      } catch (error) {
        await discard(row)
        throw error
      }
    },

    discard,
  }

  /**
   * Forgets an upload and what has arrived of it, unless it became ready all the same. What fails is left to the chores, and is not what
   * the caller should hear of.
   */
  async function discard({ id, objectKey }: ImageRow): Promise<void> {
    try {
      const isForgotten = await sql.begin(async (tx) => {
        const isDeleted = await images.delete(id, 'UPLOADING', tx)
        if (isDeleted) await files.discard([objectKey], tx)
        return isDeleted
      })
      if (isForgotten) await files.removeNow([objectKey])
    } catch (error) {
      log.warn('unfinished upload left to the chores', { imageId: id, error })
    }
  }
}

export type ImageReceiver = ReturnType<typeof imageReceiver>

interface SniffedFile {
  type: ImageType
  /** From the first byte on. */
  bytes: AsyncIterable<Uint8Array>
}

/** Looks at the first bytes alone. Throws `AppError` for what does not begin like an image. */
async function sniffed(bytes: AsyncIterable<Uint8Array>): Promise<SniffedFile> {
  const chunks = bytes[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  while (head.length < sniffBytes) {
    const { done, value } = await chunks.next()
    if (done) break
    head = Buffer.concat([head, value])
  }
  const type = sniffImage(head)
  if (!type) {
    await chunks.return?.()
    throw new AppError('unsupported_media_type', 'The file is not a PNG, JPEG, WebP, GIF or TIFF image.')
  }
  return { type, bytes: joined(head, chunks) }
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head
  yield* { [Symbol.asyncIterator]: () => rest }
}

/** Counts and hashes what passes. */
function measured(source: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256')
  let sizeBytes = 0
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      hash.update(chunk)
      sizeBytes += chunk.byteLength
      yield chunk
    }
  }
  return { bytes: bytes(), result: () => ({ sizeBytes, sha256: hash.digest('hex') }) }
}
