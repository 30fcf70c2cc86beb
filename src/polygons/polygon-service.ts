import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import { type Caller, isAdmin } from '../auth/caller.ts'
import type { Tx } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import { type PageQuery, pageOf, startOf } from '../page.ts'
import { type Area, toArea } from './geometry.ts'
import type { Owner, PolygonContent, PolygonRow, PolygonStore } from './polygon-store.ts'

type Schemas = components['schemas']

export interface VersionedPolygon {
  polygon: Schemas['Polygon']
  etag: string
}

export const polygonService = (polygons: PolygonStore) => {
  /** To those who may not see it, a polygon does not exist. */
  const notFound = (id: string) => new AppError('polygon_not_found', `There is no polygon ${id} that you may see.`)

  /** Why a guarded write found nothing: gone, or changed since it was read. */
  async function refusal(id: string, owner: Owner): Promise<AppError> {
    const row = await polygons.find(id, owner)
    return row ? new AppError('precondition_failed', `The polygon is at version ${etagOf(row)} now.`) : notFound(id)
  }

  return {
    async create(caller: Caller, input: Schemas['PolygonWrite']): Promise<VersionedPolygon> {
      return versioned(await polygons.insert(uuid(), caller.userId, toContent(input)))
    },

    async get(caller: Caller, id: string): Promise<VersionedPolygon> {
      const row = await polygons.find(id, ownerFor(caller))
      if (!row) throw notFound(id)
      return versioned(row)
    },

    async list(caller: Caller, query: PageQuery): Promise<Schemas['PolygonPage']> {
      const { rows, isCut } = await polygons.page(ownerFor(caller), query.limit + 1, startOf(query))
      return pageOf(rows, isCut ? rows.length - 1 : query.limit, toPolygon)
    },

    async replace(
      caller: Caller,
      id: string,
      input: Schemas['PolygonWrite'],
      ifMatch: string | undefined,
    ): Promise<VersionedPolygon> {
      const owner = ownerFor(caller)
      const row = await polygons.replace(id, owner, versionsOf(ifMatch), toContent(input))
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
  }
}

export type PolygonService = ReturnType<typeof polygonService>

const maxPropertiesBytes = 64 * 1024

const ownerFor = (caller: Caller): Owner => (isAdmin(caller) ? undefined : caller.userId)

const etagOf = ({ version }: PolygonRow) => `"${version}"`

/**
 * The versions that `If-Match` names, any of which will do. A weak tag names none (RFC 9110, section 13.1.1), nor does one that is
 * not ours.
 */
function versionsOf(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  const tags = ifMatch.matchAll(/(?<=^|,)\s*"([1-9]\d{0,8})"\s*(?=,|$)/g)
  return Array.from(tags, ([, version]) => Number(version))
}

function toContent({ polygon, name, description, properties }: Schemas['PolygonWrite']): PolygonContent {
  const featureProperties = polygon.type === 'Feature' ? polygon.properties : undefined
  const kept = properties ?? featureProperties ?? {}
  if (JSON.stringify(kept).length > maxPropertiesBytes)
    throw new AppError('payload_too_large', `Properties may have at most ${maxPropertiesBytes} bytes as JSON.`)
  return {
    geometry: toArea(polygon, '/polygon'),
    name: name ?? null,
    description: description ?? null,
    properties: kept,
  }
}

const versioned = (row: PolygonRow): VersionedPolygon => ({ polygon: toPolygon(row), etag: etagOf(row) })

const toPolygon = (row: PolygonRow): Schemas['Polygon'] => ({
  id: row.id,
  userId: row.userId,
  polygon: row.geometry,
  ...(row.name !== null && { name: row.name }),
  ...(row.description !== null && { description: row.description }),
  properties: row.properties,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})
