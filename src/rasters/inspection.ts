import { setImmediate } from 'node:timers/promises'
import { bandRows } from './assessment.ts'
import { type Bounds, geographicBounds } from './geographic-bounds.ts'
import { gridExtent } from './grid.ts'
import { openRaster, type Raster } from './raster.ts'
import { RasterError } from './raster-error.ts'
import type { DataType } from './tiff-layout.ts'

export interface RasterDescription {
  width: number
  height: number
  crs: { epsg?: number; proj4: string; name?: string }
  /** [minX, minY, maxX, maxY] in the raster's own coordinates. */
  extent: [number, number, number, number]
  /** In CRS84; west > east across the antimeridian (RFC 7946). */
  bbox: Bounds
  /** Cell size in the raster's own units. */
  resolution: [x: number, y: number]
  dataType: DataType
  nodata?: number
  minimum: number
  maximum: number
  validCells: number
}

export type Inspection = { verdict: 'READY'; raster: RasterDescription } | { verdict: 'REJECTED'; reason: string }

export interface InspectionOptions {
  signal?: AbortSignal | undefined
  /** Told the share read, 0 to 1. */
  onProgress?: ((fraction: number) => void) | undefined
}

/**
 * Reads a whole uploaded file and says whether it can serve as a layer: what it is, or in a sentence why not.
 * Hostile or damaged input is rejected in bounded memory.
 * @throws only what is not the file's fault: no such file, a failing disk, or what `signal` was aborted with
 */
export async function inspectRaster(path: string, options: InspectionOptions = {}): Promise<Inspection> {
  try {
    await using raster = await openRaster(path)
    return { verdict: 'READY', raster: await describeRaster(raster, options) }
  } catch (error) {
    if (error instanceof RasterError) return { verdict: 'REJECTED', reason: error.message }
    throw error
  }
}

async function describeRaster(raster: Raster, options: InspectionOptions): Promise<RasterDescription> {
  const { grid, dataType, nodata } = raster
  const { epsg, name, proj4 } = grid.crs
  const bbox = geographicBounds(grid)
  const statistics = await readStatistics(raster, options)
  return {
    width: grid.width,
    height: grid.height,
    crs: { ...(epsg === undefined ? {} : { epsg }), proj4, ...(name === undefined ? {} : { name }) },
    extent: gridExtent(grid),
    bbox,
    resolution: [grid.cellWidth, grid.cellHeight],
    dataType,
    ...(nodata === undefined ? {} : { nodata }),
    ...statistics,
  }
}

async function readStatistics(raster: Raster, { signal, onProgress }: InspectionOptions) {
  const { grid } = raster
  const rows = bandRows(grid)
  let [minimum, maximum, validCells] = [Infinity, -Infinity, 0]
  for (let row = 0; row < grid.height; row += rows) {
    await setImmediate()
    const height = Math.min(rows, grid.height - row)
    for (const value of await raster.readWindow({ column: 0, row, width: grid.width, height }, signal)) {
      if (Number.isNaN(value)) continue
      if (value < minimum) minimum = value
      if (value > maximum) maximum = value
      validCells++
    }
    onProgress?.((row + height) / grid.height)
  }
  if (validCells === 0) throw new RasterError('The raster has no cell with data.')
  return { minimum, maximum, validCells }
}
