import { invalidRequest } from '../errors.ts'

/** Names of CRS84 and what is taken for it, as GeoJSON of 2008 and those who write it say them. */
const crs84 =
  /^(urn:ogc:def:crs:(OGC:[\d.]*:CRS84|EPSG:[\d.]*:4326)|(EPSG|epsg):4326|https?:\/\/www\.opengis\.net\/def\/crs\/OGC\/[\d.]+\/CRS84)$/

/**
 * Refuses a collection, a feature or a geometry whose `crs` (GeoJSON 2008, section 3) names another system than CRS84 or EPSG:4326:
 * coordinates of another one may well be in range, and would lie elsewhere. Throws `invalid_request` with a pointer to the `crs`.
 */
export function requireCrs84(object: object, pointer: string): void {
  const { crs } = object as { crs?: { properties?: { name?: unknown } | null } | null }
  if (crs === undefined || crs === null) return
  const name = crs.properties?.name
  if (typeof name === 'string' && crs84.test(name)) return
  throw invalidRequest(
    `${pointer}/crs`,
    'GeoJSON is in CRS84 (RFC 7946, section 4): longitude and latitude. Reproject it first.',
  )
}
