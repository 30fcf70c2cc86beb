import type { Caller } from '../auth/caller.ts'
import { AppError } from '../errors.ts'
import type { PolygonService } from '../polygons/polygon-service.ts'
import type { Attachments } from './image-store.ts'

export interface AttachmentDeps {
  /** Those that the caller may see. */
  polygons: Pick<PolygonService, 'isVisible'>
  /** The caller's own; any for an admin. */
  notes: { findOwn(caller: Caller, id: string): Promise<{ id: string } | undefined> }
}

/** What images may belong to. What is not there for the caller is `unresolved_reference`. */
export const imageAttachments = ({ polygons, notes }: AttachmentDeps) => ({
  async assert(caller: Caller, { polygonId, noteId }: Partial<Attachments>): Promise<void> {
    if (polygonId && !(await polygons.isVisible(caller, polygonId))) throw unresolved.polygonId(polygonId)
    if (noteId && !(await notes.findOwn(caller, noteId))) throw unresolved.noteId(noteId)
  },

  /** What was there a moment ago may be deleted before the image is written. */
  async whileThere<Written>(attachments: Partial<Attachments>, write: () => Promise<Written>): Promise<Written> {
    try {
      return await write()
    } catch (error) {
      const member = constraints[(error as { constraint_name?: string }).constraint_name ?? '']
      throw member ? unresolved[member](attachments[member] ?? '', error) : error
    }
  },
})

export type ImageAttachments = ReturnType<typeof imageAttachments>

const constraints: Record<string, keyof Attachments> = {
  images_polygon_id_fkey: 'polygonId',
  images_note_id_fkey: 'noteId',
}

const unresolved = {
  polygonId: (id: string, cause?: unknown) =>
    unresolvedAt('/polygonId', `There is no polygon ${id} that you may see.`, cause),
  noteId: (id: string, cause?: unknown) => unresolvedAt('/noteId', `There is no note ${id} of yours.`, cause),
}

const unresolvedAt = (pointer: string, detail: string, cause: unknown) =>
  new AppError('unresolved_reference', detail, { cause, errors: [{ pointer, detail }] })
