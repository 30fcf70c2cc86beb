import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import type { Caller } from '../auth/caller.ts'
import { AppError } from '../errors.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ImageAttachments } from './image-attachments.ts'
import type { ImageInspections } from './image-inspections.ts'
import { type ImageReceiver, objectKeyOf } from './image-receiver.ts'
import type { FileFacts, ImageRow, ImageStore, ReadyImage } from './image-store.ts'
import type { ImageSize } from './inspection/inspection.ts'
import { FileMissing } from './stored-image.ts'

type Schemas = components['schemas']

export interface ImageUploadDeps {
  images: ImageStore
  store: ObjectStore
  inspections: ImageInspections
  attachments: ImageAttachments
  discard: ImageReceiver['discard']
  /** The largest image. */
  limitBytes: number
}

const uploadSeconds = 3600

/** Images whose files go past us, straight into the store. */
export const imageUploads = ({ images, store, inspections, attachments, discard, limitBytes }: ImageUploadDeps) => {
  const notFound = (id: string) => new AppError('image_not_found', `There is no image ${id} of yours.`)
  const incomplete = (id: string) => new AppError('upload_incomplete', `The file of image ${id} has not arrived.`)

  async function inspect(row: ImageRow & FileFacts, signal?: AbortSignal): Promise<ImageSize> {
    try {
      return await inspections.inspect(row, signal)
    } catch (error) {
      // An inspection that was ended has refused nothing.
      if (error instanceof AppError && error.code !== 'service_unavailable') await discard(row)
      // Somebody who completed it at the same time was refused first.
      if (error instanceof FileMissing && !(await images.findOwn(row.id, row.userId))) throw notFound(row.id)
      throw error
    }
  }

  return {
    async start(caller: Caller, input: Schemas['ImageUpload']): Promise<Schemas['ImageUploadCreated']> {
      const { name, contentType, sizeBytes, sha256, polygonId, noteId } = input
      if (sizeBytes > limitBytes)
        throw new AppError('payload_too_large', `An image may have at most ${limitBytes} bytes.`)
      await attachments.assert(caller, input)
      const id = uuid()
      const objectKey = objectKeyOf(id)
      const file = { contentType, sizeBytes, sha256 }
      const row = { id, userId: caller.userId, objectKey, name, ...file, polygonId, noteId }
      await attachments.whileThere(input, () => images.insert(row))
      const upload = await store.signUpload(objectKey, { ...file, expirySeconds: uploadSeconds })
      return {
        imageId: id,
        upload: { ...upload, name: `${id}.${endings[contentType]}`, expiresAt: upload.expiresAt.toISOString() },
      }
    },

    /** Looks at the file that has arrived. Again, or twice at once, it answers the same. The signal aborts when nobody waits for it. */
    async complete(caller: Caller, id: string, signal?: AbortSignal): Promise<ReadyImage> {
      const row = await images.findOwn(id, caller.userId)
      if (!row) throw notFound(id)
      if (isReady(row)) return row
      if (!isAnnounced(row)) throw incomplete(id)
      const { contentType, sizeBytes, sha256 } = row
      const arrived = await store.head(row.objectKey)
      if (arrived?.sizeBytes !== sizeBytes || (arrived.sha256 ?? sha256) !== sha256) throw incomplete(id)
      const ready = await images.makeReady(id, { contentType, sizeBytes, sha256, ...(await inspect(row, signal)) })
      if (ready) return ready
      const won = await images.find(id, caller.userId)
      if (!won) throw notFound(id)
      return won
    },

    /** The caller's own upload that was started and not completed, whether its file has arrived or not. */
    async findAnnounced(caller: Caller, id: string): Promise<ImageRow | undefined> {
      const row = await images.findOwn(id, caller.userId)
      return row && !isReady(row) && isAnnounced(row) ? row : undefined
    },
  }
}

export type ImageUploads = ReturnType<typeof imageUploads>

const endings = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/tiff': 'tif',
} as const satisfies Record<Schemas['ImageType'], string>

const isReady = (row: ImageRow): row is ImageRow & ReadyImage => row.status === 'READY'

/** What comes in a form says nothing beforehand, and is nobody else's to complete. */
const isAnnounced = (row: ImageRow): row is ImageRow & FileFacts =>
  row.contentType !== null && row.sizeBytes !== null && row.sha256 !== null
