import type { Crs, Point } from './crs.ts'

/** A north-up lattice of cells. Row 0 is the northernmost; `originX`, `originY` is its north-west corner. */
export interface Grid {
  width: number
  height: number
  originX: number
  originY: number
  /** Cell sizes in the units of the coordinate system, both positive. */
  cellWidth: number
  cellHeight: number
  crs: Crs
}

/** A rectangle of cells: `width` x `height` cells from `column`, `row`. */
export interface GridWindow {
  column: number
  row: number
  width: number
  height: number
}

/** Anything that gives values on a grid: a file, a slope derived from one, one brought to another grid. */
export interface RasterLayer {
  grid: Grid
  /**
   * Row-major values of a window inside the grid; NaN where there is no data. The array is the caller's own.
   * @throws what `signal` was aborted with, before anything is read
   */
  readWindow(window: GridWindow, signal?: AbortSignal): Promise<Float64Array>
}

export const centerX = ({ originX, cellWidth }: Grid, column: number) => originX + (column + 0.5) * cellWidth
export const centerY = ({ originY, cellHeight }: Grid, row: number) => originY - (row + 0.5) * cellHeight

/** [minX, minY, maxX, maxY] in the grid's own coordinates. */
export function gridExtent(grid: Grid): [number, number, number, number] {
  const { originX, originY, width, height, cellWidth, cellHeight } = grid
  return [originX, originY - height * cellHeight, originX + width * cellWidth, originY]
}

/** Whether two grids have the same cells, up to a thousandth of one. */
export function isSameGrid(a: Grid, b: Grid): boolean {
  const near = (p: number, q: number, cell: number, cells = 1) => Math.abs(p - q) * cells < cell / 1000
  return (
    a.width === b.width &&
    a.height === b.height &&
    a.crs.proj4 === b.crs.proj4 &&
    a.crs.unitScale === b.crs.unitScale &&
    near(a.originX, b.originX, a.cellWidth) &&
    near(a.originY, b.originY, a.cellHeight) &&
    near(a.cellWidth, b.cellWidth, a.cellWidth, a.width) &&
    near(a.cellHeight, b.cellHeight, a.cellHeight, a.height)
  )
}

// WGS 84 (EPSG:7030)
const semiMajorAxis = 6378137
const eccentricitySquared = 0.0066943799901413165

/** Metres in one degree of longitude (x) and of latitude (y) at a latitude, on the WGS 84 ellipsoid. */
export function metersPerDegree(latitude: number): { x: number; y: number } {
  const radians = (latitude * Math.PI) / 180
  const curve = 1 - eccentricitySquared * Math.sin(radians) ** 2
  const x = (semiMajorAxis * Math.max(0, Math.cos(radians))) / Math.sqrt(curve)
  const y = (semiMajorAxis * (1 - eccentricitySquared)) / curve ** 1.5
  return { x: (x * Math.PI) / 180, y: (y * Math.PI) / 180 }
}

/**
 * The size of the cells of a row on the ground, in metres. Projected systems are taken at their word (cell size times
 * unit); geographic ones by the latitude of the row, and so are Mercator ones, whose metres are not metres off the
 * equator (EPSG:3857 counts 15 % too many at 30 degrees).
 */
export function cellMeters(grid: Grid, row: number): { x: number; y: number } {
  const { crs, cellWidth, cellHeight } = grid
  if (crs.isGeographic) {
    const degree = metersPerDegree(centerY(grid, row) * crs.unitScale)
    return { x: cellWidth * crs.unitScale * degree.x, y: cellHeight * crs.unitScale * degree.y }
  }
  if (crs.isMercator) return mercatorCellMeters(grid, row)
  return { x: cellWidth * crs.unitScale, y: cellHeight * crs.unitScale }
}

/** The ground area of one cell of a row, in square metres. */
export function cellAreaSquareMeters(grid: Grid, row: number): number {
  const { x, y } = cellMeters(grid, row)
  return x * y
}

function mercatorCellMeters(grid: Grid, row: number): { x: number; y: number } {
  const x = centerX(grid, Math.floor(grid.width / 2))
  const y = centerY(grid, row)
  const at = (dx: number, dy: number): Point => grid.crs.toLonLat([x + dx * grid.cellWidth, y + dy * grid.cellHeight])
  const degree = metersPerDegree(at(0, 0)[1])
  const turn = Math.abs(at(0.5, 0)[0] - at(-0.5, 0)[0])
  return { x: Math.min(turn, 360 - turn) * degree.x, y: Math.abs(at(0, 0.5)[1] - at(0, -0.5)[1]) * degree.y }
}
