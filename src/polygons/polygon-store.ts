import type { Fragment, Sql, Tx } from '../db/sql.ts'
import type { Area } from './area.ts'
import type { AreaMeasures, Bbox } from './measure.ts'

export type PolygonRow = OrNull<AreaMeasures> & {
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

/** All of it or none: what was drawn before shapes were measured is measured when somebody looks at it, or by and by. */
type OrNull<T> = T | { [K in keyof T]: null }

/** What a person says of a polygon, and what was found by measuring it. */
export type PolygonContent = AreaMeasures & Pick<PolygonRow, 'geometry' | 'name' | 'description' | 'properties'>
export type MeasuredRow = PolygonRow & AreaMeasures

/** Whose polygons: one person's, or everyone's. */
export type Owner = string | undefined

export interface PolygonSize {
  id: string
  sizeBytes: number
}

export interface PolygonFilter {
  owner: Owner
  /** Meets it, on the sphere: west may be greater than east. */
  bbox?: Bbox | undefined
  /** Is in the name, in whatever case. */
  name?: string | undefined
  createdAfter?: Date | undefined
  createdBefore?: Date | undefined
  beforeId: string | undefined
  limit: number
}

const sizeOf = (...parts: object[]): number => Buffer.byteLength(JSON.stringify(parts))

export const polygonStore = (sql: Sql) => {
  const columns = sql`
    id, user_id, geometry, bbox, area_square_meters, centroid, name, description, properties, version, created_at, updated_at
  `
  /** As it is shown: who asks for what came after the last one must not get that again. */
  const createdAt = sql`date_trunc('milliseconds', created_at)`
  /** Of all scripts, and however accents are written: what the database takes for letters depends on how it was set up. */
  const inNoCase = (text: Fragment) => sql`lower(normalize(${text}) collate "und-x-icu")`
  const owned = (owner: Owner) => (owner ? sql`user_id = ${owner}` : sql`true`)
  const atOneOf = (versions: number[] | undefined) => (versions ? sql`version = any(${versions})` : sql`true`)

  const assignments = ({
    geometry,
    bbox,
    areaSquareMeters,
    centroid,
    name,
    description,
    properties,
  }: PolygonContent) => ({
    geometry: sql.json(geometry as never),
    sizeBytes: sizeOf(geometry, properties),
    bbox,
    areaSquareMeters,
    centroid,
    name,
    description,
    properties: sql.json(properties as never),
  })

  /** Extents reach beyond 180, so the same place may be 360 degrees away from how the question puts it. */
  const meets = ([west, south, east, north]: Bbox) => {
    const eastward = east < west ? east + 360 : east
    // The index compares roughly, to a millionth: so the edges are compared again, upper right and lower left.
    const at = (turn: number) => sql`(
      extent && box(point(${west + turn}, ${south}), point(${eastward + turn}, ${north}))
      and (extent[1])[0] <= ${eastward + turn} and (extent[0])[0] >= ${west + turn}
      and (extent[1])[1] <= ${north} and (extent[0])[1] >= ${south}
    )`
    return sql`(${at(0)} or ${at(360)} or ${at(-360)})`
  }

  const matches = ({ owner, bbox, name, createdAfter, createdBefore, beforeId }: PolygonFilter) => sql`
    ${owned(owner)}
    and ${bbox ? meets(bbox) : sql`true`}
    and ${name === undefined ? sql`true` : sql`position(${inNoCase(sql`${name}`)} in ${inNoCase(sql`name`)}) > 0`}
    and ${createdAfter ? sql`${createdAt} > ${createdAfter}` : sql`true`}
    and ${createdBefore ? sql`${createdAt} < ${createdBefore}` : sql`true`}
    and ${beforeId ? sql`id < ${beforeId}` : sql`true`}
  `

  return {
    async insert(id: string, userId: string, content: PolygonContent): Promise<PolygonRow> {
      const [row] = await sql<PolygonRow[]>`
        insert into polygons ${sql({ id, userId, ...assignments(content) } as never)}
        returning ${columns}
      `
      return row!
    },

    /** In one statement. */
    async insertAll(userId: string, polygons: { id: string; content: PolygonContent }[], tx: Tx): Promise<void> {
      const rows = polygons.map(({ id, content }) => ({ id, userId, ...assignments(content) }))
      await tx`insert into polygons ${sql(rows as never)}`
    },

    async find(id: string, owner: Owner, tx: Tx = sql): Promise<PolygonRow | undefined> {
      const [row] = await tx<PolygonRow[]>`
        select ${columns}
        from polygons
        where id = ${id} and ${owned(owner)}
      `
      return row
    },

    /** Whether it is there, without its shape, which may be large. */
    async exists(id: string, owner: Owner): Promise<boolean> {
      const rows = await sql`select from polygons where id = ${id} and ${owned(owner)}`
      return rows.length > 0
    },

    /** The newest of them, and how large each is, as JSON in bytes. Their shapes are not read. */
    async listSizes(filter: PolygonFilter): Promise<PolygonSize[]> {
      return sql<PolygonSize[]>`
        select id, size_bytes
        from polygons
        where ${matches(filter)}
        order by id desc
        limit ${filter.limit}
      `
    },

    /** Those of them that are still there, newest first. */
    async findAll(ids: string[]): Promise<PolygonRow[]> {
      return sql<PolygonRow[]>`select ${columns} from polygons where id = any(${ids}) order by id desc`
    },

    /** `undefined` if there is no such polygon at one of these versions. */
    async replace(
      id: string,
      owner: Owner,
      versions: number[] | undefined,
      content: PolygonContent,
    ): Promise<PolygonRow | undefined> {
      const [row] = await sql<PolygonRow[]>`
        update polygons
        set ${sql(assignments(content) as never)}, version = version + 1, updated_at = now()
        where id = ${id} and ${owned(owner)} and ${atOneOf(versions)}
        returning ${columns}
      `
      return row
    },

    /** A batch of those that were drawn before shapes were measured. */
    async listUnmeasured(limit: number): Promise<PolygonRow[]> {
      return sql<PolygonRow[]>`select ${columns} from polygons where bbox is null order by id limit ${limit}`
    },

    /** Unless it has been replaced, and so measured, meanwhile. */
    async measure({ id, version }: PolygonRow, { bbox, areaSquareMeters, centroid }: AreaMeasures): Promise<void> {
      await sql`
        update polygons
        set bbox = ${bbox}, area_square_meters = ${areaSquareMeters}, centroid = ${centroid}
        where id = ${id} and version = ${version}
      `
    },

    async delete(id: string, owner: Owner, versions: number[] | undefined): Promise<boolean> {
      const { count } = await sql`delete from polygons where id = ${id} and ${owned(owner)} and ${atOneOf(versions)}`
      return count > 0
    },
  }
}

export type PolygonStore = ReturnType<typeof polygonStore>
