import type { Page } from '../../page.ts'
import { importFaults } from '../../polygons/polygon-import.ts'
import type { PolygonQuery, PolygonService } from '../../polygons/polygon-service.ts'
import { toFeature, toPolygon } from '../../polygons/polygon-shapes.ts'
import { variantOf } from '../../versions.ts'
import type { FurtherFaults, Handlers } from '../contract.ts'

type PolygonOperation =
  | 'listPolygons'
  | 'createPolygon'
  | 'importPolygons'
  | 'getPolygon'
  | 'replacePolygon'
  | 'deletePolygon'

const geoJson = 'application/geo+json'

export const polygonHandlers = ({ polygons }: { polygons: PolygonService }): Handlers<PolygonOperation> => ({
  async listPolygons({ caller, query, mediaType }) {
    const { items, ...rest } = await polygons.list(caller, query)
    const headers = linkToNext(query, rest)
    if (mediaType !== geoJson) return { status: 200, headers, body: { items: items.map(toPolygon), ...rest } }
    const features = items.map(toFeature)
    return { status: 200, headers, contentType: geoJson, body: { type: 'FeatureCollection', features, ...rest } }
  },

  async createPolygon({ caller, body }) {
    const { row, etag } = await polygons.create(caller, body)
    return { status: 201, body: toPolygon(row), headers: { Location: `/api/polygons/${row.id}`, ETag: etag } }
  },

  async importPolygons({ caller, query, body }) {
    return { status: 201, body: await polygons.import(caller, body, query.nameProperty) }
  },

  async getPolygon({ caller, path, mediaType }) {
    const { row, etag } = await polygons.get(caller, path.polygonId)
    if (mediaType !== geoJson) return { status: 200, headers: { ETag: etag }, body: toPolygon(row) }
    const headers = { ETag: variantOf(etag, 'geojson') }
    return { status: 200, headers, contentType: geoJson, body: toFeature(row) }
  },

  async replacePolygon({ caller, path, headers, body }) {
    const { row, etag } = await polygons.replace(caller, path.polygonId, body, headers['If-Match'])
    return { status: 200, body: toPolygon(row), headers: { ETag: etag } }
  },

  async deletePolygon({ caller, path, headers }) {
    await polygons.delete(caller, path.polygonId, headers['If-Match'])
    return { status: 204 }
  },
})

export const polygonFaults: FurtherFaults<'importPolygons'> = {
  importPolygons: ({ query, body }, faults) => importFaults(body, faults, query.nameProperty),
}

/** Where the next page is, for programs that follow links (RFC 8288) rather than read the body. */
function linkToNext(query: PolygonQuery, { nextCursor }: Omit<Page<unknown>, 'items'>) {
  if (nextCursor === undefined) return {}
  const given = Object.entries({ ...query, cursor: nextCursor }).filter(([, value]) => value !== undefined)
  const parameters = new URLSearchParams(given.map(([name, value]) => [name, String(value)]))
  return { Link: `</api/polygons?${parameters}>; rel="next"` }
}
