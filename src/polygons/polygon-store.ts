import type { Sql, Tx } from '../db/sql.ts'
import type { Area } from './geometry.ts'

export interface PolygonRow {
  id: string
  userId: string
  geometry: Area
  name: string | null
  description: string | null
  properties: Record<string, unknown>
  version: number
  createdAt: Date
  updatedAt: Date
}

export type PolygonContent = Pick<PolygonRow, 'geometry' | 'name' | 'description' | 'properties'>

/** Whose polygons: one person's, or everyone's. */
export type Owner = string | undefined

/** More than two of the largest polygons, so that a page always gets ahead. */
const pageBytes = 16 * 1024 * 1024

const sizeOf = (...parts: object[]): number => JSON.stringify(parts).length

export const polygonStore = (sql: Sql) => {
  const columns = sql`id, user_id, geometry, name, description, properties, version, created_at, updated_at`
  const owned = (owner: Owner) => (owner ? sql`user_id = ${owner}` : sql`true`)
  const atOneOf = (versions: number[] | undefined) => (versions ? sql`version = any(${versions})` : sql`true`)

  return {
    async insert(
      id: string,
      userId: string,
      { geometry, name, description, properties }: PolygonContent,
    ): Promise<PolygonRow> {
      const [row] = await sql<PolygonRow[]>`
        insert into polygons (id, user_id, geometry, size_bytes, name, description, properties)
        values (${id}, ${userId}, ${sql.json(geometry as never)}, ${sizeOf(geometry, properties)}, ${name}, ${description}, ${sql.json(properties as never)})
        returning ${columns}
      `
      return row!
    },

    async find(id: string, owner: Owner, tx: Tx = sql): Promise<PolygonRow | undefined> {
      const [row] = await tx<PolygonRow[]>`
        select ${columns}
        from polygons
        where id = ${id} and ${owned(owner)}
      `
      return row
    },

    /** Newest first, and no more than fit into a page of bounded size. `isCut`: the last one is the first that did not fit. */
    async page(
      owner: Owner,
      limit: number,
      beforeId: string | undefined,
    ): Promise<{ rows: PolygonRow[]; isCut: boolean }> {
      const rows = await sql<(PolygonRow & { found: number })[]>`
        select ${columns}, found
        from (
          select *, sum(size_bytes) over (order by id desc) - size_bytes as bytes_before, count(*) over ()::integer as found
          from (
            select *
            from polygons
            where ${owned(owner)} and ${beforeId ? sql`id < ${beforeId}` : sql`true`}
            order by id desc
            limit ${limit}
          ) newest
        ) sized
        where bytes_before < ${pageBytes}
        order by id desc
      `
      return { rows, isCut: rows.length < (rows[0]?.found ?? 0) }
    },

    /** `undefined` if there is no such polygon at one of these versions. */
    async replace(
      id: string,
      owner: Owner,
      versions: number[] | undefined,
      content: PolygonContent,
    ): Promise<PolygonRow | undefined> {
      const { geometry, name, description, properties } = content
      const [row] = await sql<PolygonRow[]>`
        update polygons
        set
          geometry = ${sql.json(geometry as never)},
          size_bytes = ${sizeOf(geometry, properties)},
          name = ${name},
          description = ${description},
          properties = ${sql.json(properties as never)},
          version = version + 1,
          updated_at = now()
        where id = ${id} and ${owned(owner)} and ${atOneOf(versions)}
        returning ${columns}
      `
      return row
    },

    async delete(id: string, owner: Owner, versions: number[] | undefined): Promise<boolean> {
      const { count } = await sql`delete from polygons where id = ${id} and ${owned(owner)} and ${atOneOf(versions)}`
      return count > 0
    },
  }
}

export type PolygonStore = ReturnType<typeof polygonStore>
