import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import { type Caller, ownerFor } from '../auth/caller.ts'
import { storableInstant } from '../db/instants.ts'
import type { Sql, Tx } from '../db/sql.ts'
import { AppError, invalidRequest } from '../errors.ts'
import { type Page, type PageQuery, startOf, wholePage } from '../page.ts'
import { createTurns } from '../turns.ts'
import { etagOf, versionsOf } from '../versions.ts'
import type { Area } from './area.ts'
import { type Bbox, measureArea } from './measure.ts'
import { polygonContent } from './polygon-content.ts'
import { polygonImport } from './polygon-import.ts'
import type { MeasuredRow, Owner, PolygonRow, PolygonSize, PolygonStore } from './polygon-store.ts'

type Schemas = components['schemas']

export interface PolygonQuery extends PageQuery {
  bbox?: string | undefined
  name?: string | undefined
  createdAfter?: string | undefined
  createdBefore?: string | undefined
  userId?: string | undefined
}

/** A polygon and the ETag of this version of it. */
export interface VersionedPolygon {
  row: MeasuredRow
  etag: string
}

const measureBatch = 100
/** A page ends with the polygon that goes beyond, which may have some megabytes itself. */
const pageBytes = 4 * 1024 * 1024
/** As JSON, of all pages that are being read at once. In memory it is ten times as much. */
const readingBytes = 16 * 1024 * 1024

export const polygonService = ({ sql, polygons }: { sql: Sql; polygons: PolygonStore }) => {
  const turns = createTurns(readingBytes)

  /** Why a guarded write found nothing: gone, or changed since it was read. */
  async function refusal(id: string, owner: Owner): Promise<AppError> {
    const row = await polygons.find(id, owner)
    return row
      ? new AppError('precondition_failed', `The polygon is at version ${etagOf(row.version)} now.`)
      : polygonNotFound(id)
  }

  async function measured(row: PolygonRow): Promise<MeasuredRow> {
    if (row.bbox) return row
    const measures = await measureArea(row.geometry)
    await polygons.measure(row, measures)
    return { ...row, ...measures }
  }

  const versioned = async (row: PolygonRow): Promise<VersionedPolygon> => ({
    row: await measured(row),
    etag: etagOf(row.version),
  })

  return {
    async create(caller: Caller, input: Schemas['PolygonWrite']): Promise<VersionedPolygon> {
      return versioned(await polygons.insert(uuid(), caller.userId, await polygonContent(input)))
    },

    import: polygonImport({ sql, polygons }),

    async get(caller: Caller, id: string): Promise<VersionedPolygon> {
      const row = await polygons.find(id, ownerFor(caller))
      if (!row) throw polygonNotFound(id)
      return versioned(row)
    },

    async list(caller: Caller, query: PolygonQuery): Promise<Page<MeasuredRow>> {
      const { limit, name, userId, createdAfter, createdBefore } = query
      const owner = ownerFor(caller) ?? userId
      const bbox = query.bbox === undefined ? undefined : toBbox(query.bbox)
      // Somebody else's, of whom nobody but an admin sees any.
      if (userId !== undefined && userId !== owner) return { items: [] }
      const found = await polygons.listSizes({
        owner,
        bbox,
        name,
        createdAfter: storableInstant(createdAfter),
        createdBefore: storableInstant(createdBefore),
        beforeId: startOf(query),
        limit: limit + 1,
      })
      const sizes = fitting(found.slice(0, limit))
      const page = wholePage({ rows: sizes, hasMore: sizes.length < found.length }, ({ id }) => id)
      const endTurn = await turns.take(sizes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))
      try {
        const rows = await polygons.findAll(page.items)
        return { ...page, items: await Promise.all(rows.map(measured)) }
      } finally {
        endTurn()
      }
    },

    async replace(
      caller: Caller,
      id: string,
      input: Schemas['PolygonWrite'],
      ifMatch: string | undefined,
    ): Promise<VersionedPolygon> {
      const owner = ownerFor(caller)
      const row = await polygons.replace(id, owner, versionsOf(ifMatch), await polygonContent(input))
      if (!row) throw await refusal(id, owner)
      return versioned(row)
    },

    async delete(caller: Caller, id: string, ifMatch: string | undefined): Promise<void> {
      const owner = ownerFor(caller)
      if (!(await polygons.delete(id, owner, versionsOf(ifMatch)))) throw await refusal(id, owner)
    },

    /** The geometry, for a job that refers to it. */
    async findArea(caller: Caller, id: string, tx: Tx): Promise<Area | undefined> {
      return (await polygons.find(id, ownerFor(caller), tx))?.geometry
    },

    /** Whether it is there for the caller, for what belongs to it. */
    async isVisible(caller: Caller, id: string): Promise<boolean> {
      return polygons.exists(id, ownerFor(caller))
    },

    /** Measures a batch of what was drawn before shapes were measured: until then no `bbox` finds it. */
    async measureOld(): Promise<boolean> {
      const rows = await polygons.listUnmeasured(measureBatch)
      for (const row of rows) await measured(row)
      return rows.length === measureBatch
    },
  }
}

export type PolygonService = ReturnType<typeof polygonService>

/** To those who may not see it, a polygon does not exist. */
export const polygonNotFound = (id: string) =>
  new AppError('polygon_not_found', `There is no polygon ${id} that you may see.`)

/** The first of them that make a page. */
function fitting(sizes: PolygonSize[]): PolygonSize[] {
  let bytes = 0
  return sizes.filter(({ sizeBytes }) => {
    const fits = bytes < pageBytes
    bytes += sizeBytes
    return fits
  })
}

const number = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i

function toBbox(text: string): Bbox {
  const parts = text.split(',')
  if (parts.length !== 4 || !parts.every((part) => number.test(part)))
    throw invalidRequest('/query/bbox', 'A box is four numbers, separated by commas: west, south, east, north.')
  const bbox = parts.map(Number) as Bbox
  const [west, south, east, north] = bbox
  if (Math.abs(west) > 180 || Math.abs(east) > 180 || Math.abs(south) > 90 || Math.abs(north) > 90)
    throw invalidRequest('/query/bbox', 'Longitudes lie between -180 and 180, latitudes between -90 and 90.')
  if (south > north)
    throw invalidRequest('/query/bbox', 'The south lies north of the north: the order is west, south, east, north.')
  return bbox
}
