import type { Point } from './crs.ts'
import { type Grid, gridExtent } from './grid.ts'
import { RasterError } from './raster-error.ts'

/** [west, south, east, north] in CRS84 degrees. */
export type Bounds = [west: number, south: number, east: number, north: number]

const stepsPerEdge = 64

/**
 * The bounds of a grid in CRS84 without a jump: east is never west of west, so it may exceed 180. Edges are followed in
 * small steps, because the straight edge of a projected raster bulges.
 * @throws RasterError when the grid lies where its coordinate system has no places
 */
export function continuousBounds(grid: Grid): Bounds {
  const ring = edgePoints(grid).map((point) => grid.crs.toLonLat(point))
  const lats = ring.map(([, lat]) => lat)
  const lons = unwrap(ring.map(([lon]) => lon))
  const [south, north] = [Math.min(...lats), Math.max(...lats)]
  if (!lons.every(Number.isFinite) || !(south >= -90.001 && north <= 90.001)) {
    throw new RasterError('The coordinates of the file lie outside its coordinate system.')
  }
  // Once around the globe: the ring encloses a pole, whose latitude no edge reaches.
  if (Math.abs(lons.at(-1)! - lons[0]!) > 180) return south >= 0 ? [-180, south, 180, 90] : [-180, -90, 180, north]
  return [Math.min(...lons), Math.max(south, -90), Math.max(...lons), Math.min(north, 90)]
}

/** The bounds in the form of RFC 7946, section 5: longitudes within -180..180, west > east across the antimeridian. */
export function geographicBounds(grid: Grid): Bounds {
  const [west, south, east, north] = continuousBounds(grid)
  if (east - west >= 360) return [-180, south, 180, north]
  const turns = 360 * Math.floor((west + 180) / 360)
  const shifted = east - turns
  return [west - turns, south, shifted > 180 ? shifted - 360 : shifted, north]
}

function edgePoints(grid: Grid): Point[] {
  const [minX, minY, maxX, maxY] = gridExtent(grid)
  const corners: Point[] = [
    [minX, maxY],
    [maxX, maxY],
    [maxX, minY],
    [minX, minY],
    [minX, maxY],
  ]
  const points: Point[] = [corners[0]!]
  for (let i = 1; i < corners.length; i++) {
    const [[x0, y0], [x1, y1]] = [corners[i - 1]!, corners[i]!]
    for (let step = 1; step <= stepsPerEdge; step++) {
      const share = step / stepsPerEdge
      points.push([x0 + (x1 - x0) * share, y0 + (y1 - y0) * share])
    }
  }
  return points
}

function unwrap(lons: number[]): number[] {
  const unwrapped: number[] = []
  for (const lon of lons) {
    const previous = unwrapped.at(-1) ?? lon
    // A geographic raster may itself span a whole turn; steps of half a turn or more are its own and stay.
    const turns = Math.abs(lon - previous) > 180 ? Math.round((previous - lon) / 360) : 0
    unwrapped.push(lon + 360 * turns)
  }
  return unwrapped
}
