import { setImmediate } from 'node:timers/promises'
import { alignLayer } from './alignment.ts'
import { type Criteria, type CriterionSource, criterionSources, meets } from './criteria.ts'
import { cellMeters, type Grid, type RasterLayer } from './grid.ts'
import { type PolygonGeometry, type PolygonMask, polygonMask } from './polygon-mask.ts'
import { openRaster, type Raster } from './raster.ts'
import { slopeLayer } from './slope.ts'

export interface AssessmentOptions {
  /** File paths of the layers by name; those that no criterion needs are not opened. */
  layers: Record<string, string>
  criteria: Criteria
  /** An existing folder that the results are written into. */
  outDir: string
  signal?: AbortSignal | undefined
  /** Told the share done, 0 to 1, never less than before. */
  onProgress?: ((fraction: number) => void) | undefined
  onLog?: ((message: string) => void) | undefined
}

/** What a cell is found to be; the values of the mask files. */
export const verdicts = { unsuitable: 0, suitable: 1, noData: 255 } as const

/** A run of whole rows: each criterion's values, and each cell's verdict. */
export interface AssessmentBand {
  row: number
  rows: number
  /** By position in `sources`; NaN where there is no data. */
  values: Float64Array[]
  /** Heights or depths for the picture, else the first criterion's values. */
  backdrop: Float64Array
  verdicts: Uint8Array
  /** 1 for cells within the polygon; undefined where there is none. */
  inside: Uint8Array | undefined
}

export interface Assessment {
  grid: Grid
  sources: CriterionSource[]
  backdropName: string
  /** The file that lies on the reference grid. */
  reference: Raster
  mask: PolygonMask | undefined
  /** Streams the rows north to south; the event loop runs between bands. */
  bands(signal?: AbortSignal): AsyncGenerator<AssessmentBand>
  readBand(row: number, rows: number, signal?: AbortSignal): Promise<AssessmentBand>
  [Symbol.asyncDispose](): Promise<void>
}

const bandCells = 400_000
const maxBandRows = 256

/**
 * Opens the layers that the criteria need. The reference grid, on which everything is judged, is that of the layer with
 * the smallest cells on the ground (at its middle row; the first by name of equals); the others are brought to it by
 * nearest neighbour. A cell without data in any of them, or outside `within`, is no data.
 * @throws RasterError when a criterion has no layer, or a layer cannot be read
 */
export async function openAssessment(
  { layers, criteria }: Pick<AssessmentOptions, 'layers' | 'criteria'>,
  within?: PolygonGeometry,
): Promise<Assessment> {
  const sources = criterionSources(criteria, Object.keys(layers))
  const rasters = await openLayers(layers, sources)
  const reference = finestRaster(rasters)
  const { grid } = reference
  const mask = within && polygonMask(within, grid)
  const aligned = sources.map(({ layer, derivation }) => {
    const raster = rasters.get(layer)!
    return alignLayer(derivation === 'slope' ? slopeLayer(raster) : raster, grid)
  })
  const backdropName = ['elevation', 'depth'].find((name) => rasters.has(name)) ?? sources[0]!.layer
  const backdropLayer = alignLayer(rasters.get(backdropName)!, grid)
  const bounds = sources.map(({ criterion }) => criteria[criterion]!)

  async function readBand(row: number, rows: number, signal?: AbortSignal): Promise<AssessmentBand> {
    const window = { column: 0, row, width: grid.width, height: rows }
    const values: Float64Array[] = []
    for (const layer of aligned) values.push(await layer.readWindow(window, signal))
    const backdrop = await backdropLayer.readWindow(window, signal)
    const inside = mask && new Uint8Array(grid.width * rows)
    if (inside) mask.fillRows(row, inside)
    return { row, rows, values, backdrop, inside, verdicts: judge(values, bounds, inside) }
  }

  return {
    grid,
    sources,
    backdropName,
    reference,
    mask,
    readBand,
    async *bands(signal) {
      const rows = bandRows(grid)
      for (let row = 0; row < grid.height; row += rows) {
        // Heartbeats are sent by this very process.
        await setImmediate()
        yield await readBand(row, Math.min(rows, grid.height - row), signal)
      }
    },
    async [Symbol.asyncDispose]() {
      await closeAll(rasters)
    },
  }
}

/** How many rows are worked on at a time. */
export const bandRows = ({ width }: Grid) => Math.max(1, Math.min(maxBandRows, Math.floor(bandCells / width)))

async function openLayers(layers: Record<string, string>, sources: CriterionSource[]): Promise<Map<string, Raster>> {
  const rasters = new Map<string, Raster>()
  try {
    for (const name of new Set(sources.map(({ layer }) => layer))) rasters.set(name, await openRaster(layers[name]!))
    return rasters
  } catch (error) {
    await closeAll(rasters)
    throw error
  }
}

async function closeAll(rasters: Map<string, Raster>): Promise<void> {
  for (const raster of rasters.values()) await raster.close()
}

function finestRaster(rasters: Map<string, Raster>): Raster {
  const cellSize = ({ grid }: RasterLayer) => {
    const { x, y } = cellMeters(grid, Math.floor(grid.height / 2))
    return x * y
  }
  const byName = [...rasters].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, raster]) => raster)
  return byName.reduce((finest, raster) => (cellSize(raster) < cellSize(finest) ? raster : finest))
}

function judge(values: Float64Array[], bounds: Criteria[string][], inside: Uint8Array | undefined): Uint8Array {
  const cells = new Uint8Array(values[0]!.length).fill(verdicts.suitable)
  values.forEach((layer, i) => {
    for (let at = 0; at < cells.length; at++) {
      const value = layer[at]!
      if (Number.isNaN(value)) cells[at] = verdicts.noData
      else if (cells[at] === verdicts.suitable && !meets(value, bounds[i]!)) cells[at] = verdicts.unsuitable
    }
  })
  if (inside) for (let at = 0; at < cells.length; at++) if (inside[at] === 0) cells[at] = verdicts.noData
  return cells
}
