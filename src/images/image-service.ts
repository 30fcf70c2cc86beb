import type { components } from '../../generated/types.ts'
import { type Caller, isAdmin, ownerFor } from '../auth/caller.ts'
import type { Sql } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import type { DiscardedFiles } from '../files/discarded-files.ts'
import type { Log } from '../log.ts'
import { type PageQuery, pageOf, startOf } from '../page.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { type AttachmentDeps, imageAttachments } from './image-attachments.ts'
import { imageDelivery } from './image-delivery.ts'
import { imageInspections } from './image-inspections.ts'
import { type ImageForm, imageReceiver } from './image-receiver.ts'
import type { ImageRow, ImageStore, ReadyImage } from './image-store.ts'
import { imageUploads } from './image-uploads.ts'

type Schemas = components['schemas']

export interface ImageServiceDeps extends AttachmentDeps {
  sql: Sql
  images: ImageStore
  store: ObjectStore
  files: Pick<DiscardedFiles, 'discard' | 'removeNow'>
  /** The largest image whose upload is signed. Forms are limited where they are read. */
  limitBytes: number
  log: Log
}

export interface ImageQuery extends PageQuery {
  polygonId?: string | undefined
  noteId?: string | undefined
}

export const imageService = ({ sql, images, store, polygons, notes, files, limitBytes, log }: ImageServiceDeps) => {
  const attachments = imageAttachments({ polygons, notes })
  const inspections = imageInspections(store)
  const receiver = imageReceiver({ sql, images, store, inspections, attachments, files, log })
  const uploads = imageUploads({ images, store, inspections, attachments, discard: receiver.discard, limitBytes })

  /** To those who may not see it, an image does not exist. */
  const notFound = (id: string) => new AppError('image_not_found', `There is no image ${id} that you may see.`)

  async function find(caller: Caller, id: string): Promise<ReadyImage> {
    const row = await images.find(id, ownerFor(caller))
    if (!row) throw notFound(id)
    return row
  }

  /** Who sees an image on a polygon of theirs may not change it. */
  async function findChangeable(caller: Caller, id: string): Promise<ReadyImage> {
    const row = await find(caller, id)
    if (row.userId !== caller.userId && !isAdmin(caller))
      throw new AppError('forbidden', 'An image is changed by who uploaded it.')
    return row
  }

  return {
    /** The signal aborts when nobody waits for the answer any more, as in `completeUpload`. */
    async create(caller: Caller, form: ImageForm, signal?: AbortSignal): Promise<Schemas['Image']> {
      return toImage(await receiver.receive(caller, form, signal))
    },

    startUpload: uploads.start,

    async completeUpload(caller: Caller, id: string, signal?: AbortSignal): Promise<Schemas['Image']> {
      return toImage(await uploads.complete(caller, id, signal))
    },

    deliver: imageDelivery({ store, find }),

    async get(caller: Caller, id: string): Promise<Schemas['Image']> {
      return toImage(await find(caller, id))
    },

    /** The caller's own, or those of a polygon or a note that the caller may see. */
    async list(caller: Caller, { polygonId, noteId, ...query }: ImageQuery): Promise<Schemas['ImagePage']> {
      const viewer = ownerFor(caller)
      const userId = polygonId || noteId ? undefined : viewer
      const rows = await images.page(viewer, { userId, polygonId, noteId }, query.limit + 1, startOf(query))
      return pageOf(rows, query.limit, toImage)
    },

    async update(caller: Caller, id: string, change: Schemas['ImageUpdate']): Promise<Schemas['Image']> {
      const row = await findChangeable(caller, id)
      const fresh = changed(row, change)
      if (Object.keys(fresh).length === 0) return toImage(row)
      await attachments.assert(caller, fresh)
      const updated = await attachments.whileThere(fresh, () => images.update(id, fresh))
      if (!updated) throw notFound(id)
      return toImage(updated)
    },

    async delete(caller: Caller, id: string): Promise<void> {
      const announced = await uploads.findAnnounced(caller, id)
      const { objectKey } = announced ?? (await findChangeable(caller, id))
      const isUnfinished = await sql.begin(async (tx) => {
        const isUnfinished = announced !== undefined && (await images.delete(id, 'UPLOADING', tx))
        // It may have become ready just now.
        if (!isUnfinished && !(await images.delete(id, 'READY', tx))) throw notFound(id)
        await files.discard([objectKey], tx)
        return isUnfinished
      })
      // What is uploaded may arrive until its URL is good no more: its file is for the purge, which comes later than that.
      if (!isUnfinished) await files.removeNow([objectKey])
    },
  }
}

export type ImageService = ReturnType<typeof imageService>

type Change = Partial<Pick<ImageRow, 'name' | 'polygonId' | 'noteId'>>

/** What is sent back as it was read needs no right to it. */
function changed(row: ReadyImage, { name, polygonId, noteId }: Schemas['ImageUpdate']): Change {
  return {
    ...(name !== undefined && name !== row.name && { name }),
    ...(polygonId !== undefined && polygonId !== row.polygonId && { polygonId }),
    ...(noteId !== undefined && noteId !== row.noteId && { noteId }),
  }
}

const toImage = (row: ReadyImage): Schemas['Image'] => ({
  id: row.id,
  userId: row.userId,
  name: row.name,
  contentType: row.contentType,
  sizeBytes: row.sizeBytes,
  width: row.width,
  height: row.height,
  sha256: row.sha256,
  ...(row.polygonId !== null && { polygonId: row.polygonId }),
  ...(row.noteId !== null && { noteId: row.noteId }),
  createdAt: row.createdAt.toISOString(),
})
