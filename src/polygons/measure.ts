import type { components } from '../../generated/types.ts'
import { type Area, extentOf, polygonsOf, type Ring } from './area.ts'
import { geodesicArea } from './geodesic-area.ts'
import { checkedArea } from './geometry.ts'
import { startWork, type Work } from './work.ts'

/** Degrees. West is greater than east where the box crosses the antimeridian (RFC 7946, section 5.2). */
export type Bbox = [west: number, south: number, east: number, north: number]

export interface AreaMeasures {
  bbox: Bbox
  areaSquareMeters: number
  centroid: [longitude: number, latitude: number]
}

/**
 * What is computed of an area that is valid: the smallest box around it, across the antimeridian where that is smaller; the area on
 * the WGS84 ellipsoid between edges that are geodesics, as PROJ and PostGIS's `geography` have it; and the centroid in the plane of
 * longitude and latitude, weighted by area in that plane, as PostGIS's `ST_Centroid(geometry)`. Lets others have their turn.
 */
export async function measureArea(area: Area, work: Work = startWork()): Promise<AreaMeasures> {
  return measuresOf(area, polygonsOf(area), work)
}

/**
 * What was sent as an area, checked (`toArea`, which says what it throws) and measured as it was drawn: the cut at the antimeridian puts
 * positions on straight lines, and geodesics through those are others, so that an area would depend on where on earth it lies.
 * `shared`: for one of several areas, whose work is bounded together.
 */
export async function measuredArea(
  input: components['schemas']['AreaOrFeature'],
  pointer: string,
  shared?: Work,
): Promise<{ area: Area } & AreaMeasures> {
  const { area, drawn } = await checkedArea(input, pointer, shared)
  return { area, ...(await measuresOf(area, drawn, shared ?? startWork())) }
}

async function measuresOf(area: Area, drawn: readonly Ring[][], work: Work): Promise<AreaMeasures> {
  const polygons = polygonsOf(area)
  const bbox = bboxOf(polygons)
  return { bbox, areaSquareMeters: await geodesicArea(drawn, work), centroid: centroidOf(polygons, bbox) }
}

/** A tie goes to the box that stays on this side of the antimeridian. */
function bboxOf(polygons: readonly Ring[][]): Bbox {
  const extents = polygons.map(([outer]) => extentOf(outer!)).sort((a, b) => a[0] - b[0])
  let [west, south, east, north] = extents[0]!
  let widest = { gap: 0, from: 0, to: 0 }
  for (const box of extents) {
    if (box[0] - east > widest.gap) widest = { gap: box[0] - east, from: east, to: box[0] }
    south = Math.min(south, box[1])
    east = Math.max(east, box[2])
    north = Math.max(north, box[3])
  }
  const gapAtAntimeridian = west + 360 - east
  return widest.gap > gapAtAntimeridian ? [widest.to, south, widest.from, north] : [west, south, east, north]
}

/** Of an area that is too small for its numbers to have a weight, the middle of its box. */
function centroidOf(polygons: readonly Ring[][], [west, south, east, north]: Bbox): [number, number] {
  const width = west > east ? east + 360 - west : east - west
  const turnOf = ([outer]: Ring[]) => (west > east && extentOf(outer!)[0] < west ? 360 : 0)
  // From the box's corner and not from 0, 0: what is small and far away would drown in rounding.
  let [weight, x, y] = [0, 0, 0]
  for (const polygon of polygons) {
    const shift = turnOf(polygon) - west
    for (const [index, ring] of polygon.entries()) {
      const moments = momentsOf(ring)
      const sign = index === 0 ? 1 : -1
      weight += sign * moments.weight
      x += sign * (moments.x + moments.weight * (ring[0]![0]! + shift))
      y += sign * (moments.y + moments.weight * (ring[0]![1]! - south))
    }
  }
  const within = (value: number, length: number) => (value >= 0 && value <= length ? value : length / 2)
  const longitude = west + within(x / weight, width)
  return [longitude > 180 ? longitude - 360 : longitude, south + within(y / weight, north - south)]
}

/** Area, and area times the distance of its centroid from the ring's first vertex, in square and cubic degrees. */
function momentsOf(ring: Ring): { weight: number; x: number; y: number } {
  const [originX, originY] = ring[0]! as [number, number]
  let [weight, x, y] = [0, 0, 0]
  for (let i = 2; i < ring.length; i++) {
    const [ax, ay] = [ring[i - 1]![0]! - originX, ring[i - 1]![1]! - originY]
    const [bx, by] = [ring[i]![0]! - originX, ring[i]![1]! - originY]
    const doubled = ax * by - bx * ay
    weight += doubled / 2
    x += (doubled * (ax + bx)) / 6
    y += (doubled * (ay + by)) / 6
  }
  return weight < 0 ? { weight: -weight, x: -x, y: -y } : { weight, x, y }
}
