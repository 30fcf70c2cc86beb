import type { Sql } from '../db/sql.ts'
import type { Rows } from '../page.ts'

export interface NoteRow {
  id: string
  /** Who wrote it. */
  userId: string
  polygonId: string
  content: string
  version: number
  createdAt: Date
  updatedAt: Date
}

/** On whose behalf: one person's, or an admin's, who may do what any author may. */
export type Requester = string | undefined

export interface NoteFilter {
  /** Only notes that this person wrote. */
  userId?: string | undefined
  polygonId?: string | undefined
  beforeId?: string | undefined
  limit: number
}

/**
 * Lambda gives back 6 MiB, and writes an answer as a JSON string: what JSON has escaped once is then up to twice as long. A page ends
 * with the note that goes beyond.
 */
const pageBytes = 2 * 1024 * 1024

export const noteStore = (sql: Sql) => {
  const columns = sql`id, user_id, polygon_id, content, version, created_at, updated_at`
  const writtenBy = (author: Requester) => (author ? sql`user_id = ${author}` : sql`true`)
  const about = (polygonId: string | undefined) => (polygonId ? sql`polygon_id = ${polygonId}` : sql`true`)
  const atOneOf = (versions: number[] | undefined) => (versions ? sql`version = any(${versions})` : sql`true`)
  /** A note is open to who wrote it, and to whose polygon it is about. */
  const openTo = (reader: Requester) =>
    reader
      ? sql`(
          user_id = ${reader}
          or exists (select from polygons where polygons.id = notes.polygon_id and polygons.user_id = ${reader})
        )`
      : sql`true`

  return {
    /** `undefined` if there is no such polygon. One that is being deleted is waited for, and kept from being deleted by another. */
    async insert({
      id,
      userId,
      polygonId,
      content,
    }: Pick<NoteRow, 'id' | 'userId' | 'polygonId' | 'content'>): Promise<NoteRow | undefined> {
      const [row] = await sql<NoteRow[]>`
        insert into notes (id, user_id, polygon_id, content)
        select ${id}::uuid, ${userId}::uuid, id, ${content}
        from polygons
        where id = ${polygonId}
        for key share
        returning ${columns}
      `
      return row
    },

    async find(id: string, reader: Requester): Promise<NoteRow | undefined> {
      const [row] = await sql<NoteRow[]>`
        select ${columns}
        from notes
        where id = ${id} and ${openTo(reader)}
      `
      return row
    },

    /** Newest first, and no more than make a page of bounded size. */
    async page({ userId, polygonId, beforeId, limit }: NoteFilter): Promise<Rows<NoteRow>> {
      const rows = await sql<(NoteRow & { found: number })[]>`
        select ${columns}, found
        from (
          select
            *,
            sum(bytes) over newest_first - bytes as bytes_before,
            row_number() over newest_first as place,
            count(*) over ()::integer as found
          from (
            select *, octet_length(to_json(content)::text) as bytes
            from notes
            where ${writtenBy(userId)}
              and ${about(polygonId)}
              and ${beforeId ? sql`id < ${beforeId}` : sql`true`}
            order by id desc
            limit ${limit + 1}
          ) newest
          window newest_first as (order by id desc)
        ) sized
        where bytes_before < ${pageBytes} and place <= ${limit}
        order by id desc
      `
      return { rows, hasMore: rows.length < (rows[0]?.found ?? 0) }
    },

    /** `undefined` if this author has no such note at one of these versions. */
    async replace(
      id: string,
      author: Requester,
      versions: number[] | undefined,
      content: string,
    ): Promise<NoteRow | undefined> {
      const [row] = await sql<NoteRow[]>`
        update notes
        set content = ${content}, version = version + 1, updated_at = now()
        where id = ${id} and ${writtenBy(author)} and ${atOneOf(versions)}
        returning ${columns}
      `
      return row
    },

    async delete(id: string, author: Requester, versions: number[] | undefined): Promise<boolean> {
      const { count } = await sql`delete from notes where id = ${id} and ${writtenBy(author)} and ${atOneOf(versions)}`
      return count > 0
    },
  }
}

export type NoteStore = ReturnType<typeof noteStore>
