import type { Point } from './crs.ts'
import { type Bounds, continuousBounds } from './geographic-bounds.ts'
import type { Grid } from './grid.ts'

/** GeoJSON geometry (RFC 7946), CRS84 degrees. */
export type PolygonGeometry =
  | { type: 'Polygon'; coordinates: number[][][] }
  | { type: 'MultiPolygon'; coordinates: number[][][][] }

export interface PolygonMask {
  /** Sets to 1 the cells of rows `row`… whose centres are inside; `cells` holds whole rows and starts as zeros. */
  fillRows(row: number, cells: Uint8Array): void
  /** The polygons' outlines in fractional columns and rows, for drawing. */
  outlines: Point[][]
}

const maxHalvings = 12

/**
 * The cells of a grid whose centres lie inside a polygon (holes taken out, the parts of a MultiPolygon united). Edges are
 * straight in longitude and latitude, as RFC 7946 says; in the grid's own system they are followed to a tenth of a cell.
 * Polygons are matched across the antimeridian whichever turn their longitudes are written in.
 */
export function polygonMask(geometry: PolygonGeometry, grid: Grid): PolygonMask {
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates
  const bounds = padded(continuousBounds(grid))
  const parts: Point[][][] = []
  for (const polygon of polygons) {
    for (const turn of [-360, 0, 360]) {
      const rings = polygon.map((ring) => ringOnGrid(ring, turn, bounds, grid)).filter((ring) => ring.length > 2)
      if (rings.length > 0) parts.push(rings)
    }
  }
  return {
    outlines: parts.flat(),
    fillRows(row, cells) {
      for (const rings of parts) fillPart(rings, row, cells, grid.width)
    },
  }
}

/** A little larger than the raster, so that what clipping adds along the border is outside. */
function padded([west, south, east, north]: Bounds): Bounds {
  const [x, y] = [(east - west) * 0.01, (north - south) * 0.01]
  return [west - x, Math.max(-90, south - y), east + x, Math.min(90, north + y)]
}

function ringOnGrid(ring: number[][], turn: number, bounds: Bounds, grid: Grid): Point[] {
  // Clipped first: far from its area a projection gives nonsense or nothing.
  const clipped = clipRing(
    ring.map(([lon, lat]) => [lon! + turn, lat!]),
    bounds,
  )
  const toGrid = (point: Point): Point => {
    const [x, y] = grid.crs.fromLonLat(point)
    return [(x - grid.originX) / grid.cellWidth, (grid.originY - y) / grid.cellHeight]
  }
  return clipped.flatMap((point, i) => edgeOnGrid(point, clipped[(i + 1) % clipped.length]!, toGrid, maxHalvings))
}

/** The start of an edge and, where the edge bends on the grid, points along it; its end belongs to the next edge. */
function edgeOnGrid(from: Point, to: Point, toGrid: (point: Point) => Point, halvings: number): Point[] {
  const middle: Point = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2]
  const [start, half, end] = [toGrid(from), toGrid(middle), toGrid(to)]
  if (Number.isNaN(start[0] + half[0] + end[0])) return []
  const bend = Math.hypot(half[0] - (start[0] + end[0]) / 2, half[1] - (start[1] + end[1]) / 2)
  if (bend < 0.1 || halvings === 0) return [start]
  return [...edgeOnGrid(from, middle, toGrid, halvings - 1), ...edgeOnGrid(middle, to, toGrid, halvings - 1)]
}

/** Sutherland and Hodgman 1974, "Reentrant polygon clipping", CACM 17. */
function clipRing(ring: Point[], [west, south, east, north]: Bounds): Point[] {
  let points = ring
  for (const [axis, limit, sign] of [
    [0, west, 1],
    [0, east, -1],
    [1, south, 1],
    [1, north, -1],
  ] as const) {
    const isInside = (point: Point) => sign * (point[axis] - limit) >= 0
    points = points.flatMap((point, i) => {
      const previous = points[(i + points.length - 1) % points.length]!
      if (isInside(point) === isInside(previous)) return isInside(point) ? [point] : []
      const share = (limit - previous[axis]) / (point[axis] - previous[axis])
      const other = axis === 0 ? 1 : 0
      const across = previous[other] + (point[other] - previous[other]) * share
      const crossing: Point = axis === 0 ? [limit, across] : [across, limit]
      return isInside(point) ? [crossing, point] : [crossing]
    })
  }
  return points
}

/** Even-odd filling: a row's centre line is inside between the first and second edge it meets, and so on. */
function fillPart(rings: Point[][], row: number, cells: Uint8Array, width: number): void {
  const rows = cells.length / width
  const crossings: number[][] = Array.from({ length: rows }, () => [])
  for (const ring of rings) {
    for (const [i, from] of ring.entries()) addCrossings(from, ring[(i + 1) % ring.length]!, row, crossings)
  }
  crossings.forEach((xs, y) => {
    xs.sort((a, b) => a - b)
    for (let i = 0; i + 1 < xs.length; i += 2) {
      const start = Math.max(0, Math.ceil(xs[i]! - 0.5))
      const end = Math.min(width, Math.ceil(xs[i + 1]! - 0.5))
      if (end > start) cells.fill(1, y * width + start, y * width + end)
    }
  })
}

/** Where an edge crosses the centre lines of the rows; an end on a line counts only for the edge below it. */
function addCrossings([x0, y0]: Point, [x1, y1]: Point, row: number, crossings: number[][]): void {
  const [top, bottom] = [Math.min(y0, y1), Math.max(y0, y1)]
  const first = Math.max(0, Math.ceil(top - 0.5 - row))
  const last = Math.min(crossings.length - 1, Math.ceil(bottom - 0.5 - row) - 1)
  for (let y = first; y <= last; y++) {
    crossings[y]!.push(x0 + ((row + y + 0.5 - y0) / (y1 - y0)) * (x1 - x0))
  }
}
