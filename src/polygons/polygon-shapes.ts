import type { components } from '../../generated/types.ts'
import type { MeasuredRow } from './polygon-store.ts'

type Schemas = components['schemas']

/** A polygon as the API shows it. */
export const toPolygon = (row: MeasuredRow): Schemas['Polygon'] => ({
  id: row.id,
  userId: row.userId,
  polygon: row.geometry,
  bbox: row.bbox,
  areaSquareMeters: row.areaSquareMeters,
  centroid: row.centroid,
  ...texts(row),
  properties: row.properties,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

/** A polygon as an RFC 7946 Feature. Its own properties come first: where they have a name that is ours, ours counts. */
export const toFeature = (row: MeasuredRow): Schemas['PolygonFeature'] => ({
  type: 'Feature',
  id: row.id,
  bbox: row.bbox,
  geometry: row.geometry,
  properties: {
    ...row.properties,
    ...texts(row),
    userId: row.userId,
    areaSquareMeters: row.areaSquareMeters,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  },
})

const texts = ({ name, description }: MeasuredRow) => ({
  ...(name !== null && { name }),
  ...(description !== null && { description }),
})
