import { invalidRequest } from '../errors.ts'

/** Names of CRS84 and what is taken for it, with heights or without, as GeoJSON of 2008 and those who write it say them. */
const crs84 =
  /^(urn:ogc:def:crs:(OGC:[\d.]*:CRS84h?|EPSG:[\d.]*:(4326|4979))|EPSG:(4326|4979)|https?:\/\/www\.opengis\.net\/def\/crs\/(OGC\/[\d.]+\/CRS84h?|EPSG\/[\d.]+\/(4326|4979)))$/i

/**
 * Refuses a collection, a feature or a geometry whose `crs` (GeoJSON 2008, section 3) names another system than CRS84 or EPSG:4326:
 * coordinates of another one may well be in range, and would lie elsewhere. Throws `invalid_request` with a pointer to the `crs`.
 */
export function requireCrs84(object: object, pointer: string): void {
  const { crs } = object as { crs?: { type?: unknown; properties?: { name?: unknown; code?: unknown } | null } | null }
  if (crs === undefined || crs === null) return
  const { name, code } = crs.properties ?? {}
  const system = crs.type === 'EPSG' && typeof code === 'number' ? `EPSG:${code}` : name
  if (typeof system === 'string' && crs84.test(system)) return
  const found =
    typeof system === 'string' && system !== '' ? `, and this says ${system.slice(0, 100).toWellFormed()}` : ''
  throw invalidRequest(
    `${pointer}/crs`,
    `GeoJSON is in CRS84 (RFC 7946, section 4), longitude and latitude on WGS84${found}. Reproject it first, for instance with ogr2ogr -lco RFC7946=YES.`,
  )
}
