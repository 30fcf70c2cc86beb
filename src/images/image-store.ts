import type { components } from '../../generated/types.ts'
import type { Sql, Tx } from '../db/sql.ts'

type ImageType = components['schemas']['ImageType']

export interface ImageRow {
  id: string
  userId: string
  status: 'UPLOADING' | 'READY'
  objectKey: string
  name: string
  /** These three are announced while a signed upload is under way, and null while any other is; found when the image is READY. */
  contentType: ImageType | null
  sizeBytes: number | null
  sha256: string | null
  width: number | null
  height: number | null
  polygonId: string | null
  noteId: string | null
  createdAt: Date
}

export type NewImage = Pick<ImageRow, 'id' | 'userId' | 'objectKey' | 'name'> & Partial<FileFacts & Attachments>

/** What an image belongs to. */
export interface Attachments {
  polygonId: string | null
  noteId: string | null
}

export interface FileFacts {
  contentType: ImageType
  sizeBytes: number
  sha256: string
}

export interface ImageFacts extends FileFacts {
  width: number
  height: number
}

/** An image that is there. No other is ever shown. */
export type ReadyImage = Omit<ImageRow, keyof ImageFacts> & ImageFacts

/** Who looks: one person, or somebody who may see everything. */
export type Viewer = string | undefined

export interface ImageFilter {
  /** Those of one person alone. */
  userId?: string | undefined
  polygonId?: string | undefined
  noteId?: string | undefined
}

export const imageStore = (sql: Sql) => {
  const columns = sql`
    i.id, i.user_id, i.status, i.object_key, i.name, i.content_type, i.size_bytes::float8 as size_bytes, i.sha256, i.width, i.height,
    i.polygon_id, i.note_id, i.created_at
  `

  /** For who uploaded it, and whose polygon it shows, by itself or by its note. */
  const visibleTo = (viewer: Viewer) =>
    viewer === undefined
      ? sql`true`
      : sql`(
          i.user_id = ${viewer}
          or exists (select from polygons p where p.id = i.polygon_id and p.user_id = ${viewer})
          or exists (
            select
            from notes n
            join polygons p on p.id = n.polygon_id
            where n.id = i.note_id and p.user_id = ${viewer}
          )
        )`

  return {
    async insert(image: NewImage): Promise<ImageRow> {
      const { id, userId, objectKey, name, contentType, sizeBytes, sha256, polygonId, noteId } = image
      const [row] = await sql<ImageRow[]>`
        insert into images as i (id, user_id, object_key, name, content_type, size_bytes, sha256, polygon_id, note_id)
        values (
          ${id}, ${userId}, ${objectKey}, ${name}, ${contentType ?? null}, ${sizeBytes ?? null}, ${sha256 ?? null},
          ${polygonId ?? null}, ${noteId ?? null}
        )
        returning ${columns}
      `
      return row!
    },

    async find(id: string, viewer: Viewer): Promise<ReadyImage | undefined> {
      const [row] = await sql<ReadyImage[]>`
        select ${columns}
        from images i
        where i.id = ${id} and i.status = 'READY' and ${visibleTo(viewer)}
      `
      return row
    },

    /** One person's, whether it is there or still to come. */
    async findOwn(id: string, userId: string): Promise<ImageRow | undefined> {
      const [row] = await sql<ImageRow[]>`select ${columns} from images i where i.id = ${id} and i.user_id = ${userId}`
      return row
    },

    /** Newest first. */
    async page(
      viewer: Viewer,
      { userId, polygonId, noteId }: ImageFilter,
      limit: number,
      beforeId: string | undefined,
    ): Promise<ReadyImage[]> {
      return sql<ReadyImage[]>`
        select ${columns}
        from images i
        where i.status = 'READY' and ${visibleTo(viewer)}
          and ${userId ? sql`i.user_id = ${userId}` : sql`true`}
          and ${polygonId ? sql`i.polygon_id = ${polygonId}` : sql`true`}
          and ${noteId ? sql`i.note_id = ${noteId}` : sql`true`}
          and ${beforeId ? sql`i.id < ${beforeId}` : sql`true`}
        order by i.id desc
        limit ${limit}
      `
    },

    /** The end of its upload. `undefined` if it is not uploading any more. */
    async makeReady(id: string, facts: ImageFacts & Partial<Attachments>): Promise<ReadyImage | undefined> {
      const { contentType, sizeBytes, sha256, width, height, ...attachments } = facts
      const ready = { status: 'READY', contentType, sizeBytes, sha256, width, height, ...attachments }
      const [row] = await sql<ReadyImage[]>`
        update images i
        set ${sql(ready)}
        where i.id = ${id} and i.status = 'UPLOADING'
        returning ${columns}
      `
      return row
    },

    /** `undefined` if it is not there any more. */
    async update(id: string, change: Partial<Attachments & Pick<ImageRow, 'name'>>): Promise<ReadyImage | undefined> {
      const [row] = await sql<ReadyImage[]>`
        update images i
        set ${sql(change)}
        where i.id = ${id} and i.status = 'READY'
        returning ${columns}
      `
      return row
    },

    /** If it is at this stage. */
    async delete(id: string, status: ImageRow['status'], tx: Tx): Promise<boolean> {
      const { count } = await tx`delete from images where id = ${id} and status = ${status}`
      return count > 0
    },

    /** Deletes up to so many uploads that are not completed a day after they began, and gives the keys of their objects. */
    async deleteUnfinished(limit: number, tx: Tx): Promise<string[]> {
      const rows = await tx<{ objectKey: string }[]>`
        delete from images
        where id in (
          select id
          from images
          where status = 'UPLOADING' and created_at < now() - interval '1 day'
          order by id
          limit ${limit}
          for update skip locked
        )
        returning object_key
      `
      return rows.map(({ objectKey }) => objectKey)
    },
  }
}

export type ImageStore = ReturnType<typeof imageStore>
