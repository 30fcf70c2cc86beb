import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import { type Caller, isAdmin, ownerFor } from '../auth/caller.ts'
import { AppError } from '../errors.ts'
import { type PageQuery, startOf, wholePage } from '../page.ts'
import { type PolygonService, polygonNotFound } from '../polygons/polygon-service.ts'
import { etagOf, versionsOf } from '../versions.ts'
import type { NoteFilter, NoteRow, NoteStore } from './note-store.ts'

type Schemas = components['schemas']

export interface VersionedNote {
  note: Schemas['Note']
  etag: string
}

export interface NoteServiceDeps {
  notes: NoteStore
  polygons: Pick<PolygonService, 'isVisible'>
}

export const noteService = ({ notes, polygons }: NoteServiceDeps) => {
  /** The note, if the caller wrote it, owns the polygon that it is about, or is an admin. */
  const find = (caller: Caller, id: string) => notes.find(id, ownerFor(caller))

  /** Why a write found nothing: it is not the caller's to change, gone, or changed since it was read. */
  async function refusal(caller: Caller, id: string): Promise<AppError> {
    const row = await find(caller, id)
    if (!row) return notFound(id)
    return mayChange(caller, row)
      ? new AppError('precondition_failed', `The note is at version ${row.version} now.`)
      : new AppError('forbidden', 'Only who wrote a note may change or delete it.')
  }

  async function page(
    query: PageQuery,
    filter: Pick<NoteFilter, 'userId' | 'polygonId'>,
  ): Promise<Schemas['NotePage']> {
    return wholePage(await notes.page({ ...filter, limit: query.limit, beforeId: startOf(query) }), toNote)
  }

  return {
    /** Throws `polygon_not_found` unless the caller may see the polygon, also one that is deleted just now. */
    async create(caller: Caller, { polygonId, content }: Schemas['NoteCreate']): Promise<VersionedNote> {
      const isVisible = await polygons.isVisible(caller, polygonId)
      const row = isVisible && (await notes.insert({ id: uuid(), userId: caller.userId, polygonId, content }))
      if (!row) throw polygonNotFound(polygonId)
      return versioned(row)
    },

    async get(caller: Caller, id: string): Promise<VersionedNote> {
      const row = await find(caller, id)
      if (!row) throw notFound(id)
      return versioned(row)
    },

    /** What the caller wrote; for an admin everyone's. */
    async list(caller: Caller, query: PageQuery & { polygonId?: string | undefined }): Promise<Schemas['NotePage']> {
      return page(query, { userId: ownerFor(caller), polygonId: query.polygonId })
    },

    /** Whoever wrote them. Throws `polygon_not_found` unless the caller may see the polygon. */
    async listOfPolygon(caller: Caller, polygonId: string, query: PageQuery): Promise<Schemas['NotePage']> {
      if (!(await polygons.isVisible(caller, polygonId))) throw polygonNotFound(polygonId)
      return page(query, { polygonId })
    },

    async replace(
      caller: Caller,
      id: string,
      { content }: Schemas['NoteUpdate'],
      ifMatch: string | undefined,
    ): Promise<VersionedNote> {
      const row = await notes.replace(id, ownerFor(caller), versionsOf(ifMatch), content)
      if (!row) throw await refusal(caller, id)
      return versioned(row)
    },

    async delete(caller: Caller, id: string, ifMatch: string | undefined): Promise<void> {
      if (!(await notes.delete(id, ownerFor(caller), versionsOf(ifMatch)))) throw await refusal(caller, id)
    },

    /** For what belongs to a note: the note, if the caller may change it, as its author or as an admin. */
    async findOwn(caller: Caller, id: string): Promise<NoteRow | undefined> {
      const row = await find(caller, id)
      return row && mayChange(caller, row) ? row : undefined
    },
  }
}

export type NoteService = ReturnType<typeof noteService>

/** To those who may not see it, a note does not exist. */
const notFound = (id: string) => new AppError('note_not_found', `There is no note ${id} that you may see.`)

const mayChange = (caller: Caller, { userId }: NoteRow): boolean => isAdmin(caller) || userId === caller.userId

const versioned = (row: NoteRow): VersionedNote => ({ note: toNote(row), etag: etagOf(row.version) })

const toNote = (row: NoteRow): Schemas['Note'] => ({
  id: row.id,
  userId: row.userId,
  polygonId: row.polygonId,
  content: row.content,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})
