import type { components } from '../../generated/types.ts'

type Schemas = components['schemas']

/** A Polygon or MultiPolygon in CRS84 (RFC 7946, sections 3.1.6 and 3.1.7). */
export type Area = Schemas['Area']
export type Ring = Schemas['LinearRing']
/** Longitude and latitude in degrees, and perhaps altitude in metres. */
export type Position = Schemas['Position']

/** The polygons of an area, each as its rings: the outer one first, then the holes. */
export const polygonsOf = (area: Area): Ring[][] => (area.type === 'Polygon' ? [area.coordinates] : area.coordinates)

/** The smallest box around a ring in the plane: west, south, east, north. */
export function extentOf(ring: Ring): [number, number, number, number] {
  let [west, south, east, north] = [180, 90, -180, -90]
  for (const [x, y] of ring) {
    west = Math.min(west, x!)
    south = Math.min(south, y!)
    east = Math.max(east, x!)
    north = Math.max(north, y!)
  }
  return [west, south, east, north]
}
