import type { PolygonService } from '../../polygons/polygon-service.ts'
import type { Handlers } from '../contract.ts'

type PolygonOperation = 'listPolygons' | 'createPolygon' | 'getPolygon' | 'replacePolygon' | 'deletePolygon'

export const polygonHandlers = ({ polygons }: { polygons: PolygonService }): Handlers<PolygonOperation> => ({
  async listPolygons({ caller, query }) {
    return { status: 200, body: await polygons.list(caller, query) }
  },

  async createPolygon({ caller, body }) {
    const { polygon, etag } = await polygons.create(caller, body)
    return { status: 201, body: polygon, headers: { Location: `/api/polygons/${polygon.id}`, ETag: etag } }
  },

  async getPolygon({ caller, path }) {
    const { polygon, etag } = await polygons.get(caller, path.polygonId)
    return { status: 200, body: polygon, headers: { ETag: etag } }
  },

  async replacePolygon({ caller, path, headers, body }) {
    const { polygon, etag } = await polygons.replace(caller, path.polygonId, body, headers['If-Match'])
    return { status: 200, body: polygon, headers: { ETag: etag } }
  },

  async deletePolygon({ caller, path, headers }) {
    await polygons.delete(caller, path.polygonId, headers['If-Match'])
    return { status: 204 }
  },
})
