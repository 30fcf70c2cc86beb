import { type FileHandle, open } from 'node:fs/promises'
import { BlockCache } from './block-cache.ts'
import { type Crs, crsFromGeoKeys } from './crs.ts'
import { type GeoKeys, isPixelPoint, readGeoKeys } from './geo-keys.ts'
import { type Grid, type GridWindow, gridExtent, type RasterLayer } from './grid.ts'
import { RasterError } from './raster-error.ts'
import { type CellArray, decodeBlock } from './tiff-block.ts'
import { readTiffDirectory, type TiffDirectory } from './tiff-directory.ts'
import { type DataType, readTiffLayout, type TiffLayout, tiffTags } from './tiff-layout.ts'

/** A single-band GeoTIFF, open for reading. */
export interface Raster extends RasterLayer {
  dataType: DataType
  /** The declared "no data" value; undefined where there is none or it is NaN, which is no data anyway. */
  nodata?: number
  geoKeys: GeoKeys
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const concurrentReads = 8

/**
 * Opens a GeoTIFF (classic or BigTIFF; tiled or in strips; raw, LZW, deflate, PackBits or Zstandard) from a local file.
 *
 * Memory is bounded whatever the file claims: one window at a time plus at most three rows of its blocks.
 * Values that are not finite count as no data, like the declared value. Scale and offset tags are not applied.
 * @throws RasterError when the file is damaged, has several bands, no georeference, a rotated one, or an unknown system
 */
export async function openRaster(path: string): Promise<Raster> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const directory = await readTiffDirectory(file, size)
    const layout = await readTiffLayout(directory)
    const geoKeys = await readGeoKeys(directory)
    const grid = await readGrid(directory, layout, geoKeys)
    const nodata = await readNodata(directory, layout.dataType)
    const blocks = new BlockCache(layout, (index) => readBlock(file, layout, index, size, nodata))
    const close = () => file.close()
    return {
      grid,
      dataType: layout.dataType,
      ...(nodata === undefined ? {} : { nodata }),
      geoKeys: geoKeys!,
      readWindow: (window, signal) => readWindow(layout, blocks, nodata, window, signal),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** The grid of a file, from ModelPixelScale and ModelTiepoint or from an unrotated ModelTransformation. */
async function readGrid(directory: TiffDirectory, layout: TiffLayout, keys: GeoKeys | undefined): Promise<Grid> {
  const placement = await readPlacement(directory)
  if (!keys) throw new RasterError('The file has no coordinate system (no GeoTIFF keys).')
  const crs: Crs = crsFromGeoKeys(keys)
  const { cellWidth, cellHeight } = placement
  const shift = isPixelPoint(keys) ? 0.5 : 0
  return checkPrecision({
    width: layout.width,
    height: layout.height,
    originX: placement.originX - shift * cellWidth,
    originY: placement.originY + shift * cellHeight,
    cellWidth,
    cellHeight,
    crs,
  })
}

/** A tenth of a millimetre in degrees, and less in metres. */
const smallestCell = 1e-9

/** Cells that are no larger than what coordinates are rounded to lie on top of each other, and the raster has no extent. */
function checkPrecision(grid: Grid): Grid {
  const [minX, minY, maxX, maxY] = gridExtent(grid)
  const isFine = (cell: number, ...edges: number[]) =>
    cell >= Math.max(smallestCell, ...edges.map((edge) => Math.abs(edge) * 1000 * Number.EPSILON))
  if (isFine(grid.cellWidth, minX, maxX) && isFine(grid.cellHeight, minY, maxY)) return grid
  throw new RasterError(`The cells (${grid.cellWidth} x ${grid.cellHeight}) cannot be told apart by their coordinates.`)
}

type Placement = Pick<Grid, 'originX' | 'originY' | 'cellWidth' | 'cellHeight'>

async function readPlacement(directory: TiffDirectory): Promise<Placement> {
  const scale = await directory.numbers(tiffTags.modelPixelScale, 16)
  const tiepoints = await directory.numbers(tiffTags.modelTiepoint, 65_536)
  const matrix = await directory.numbers(tiffTags.modelTransformation, 16)
  if (scale.length >= 2 && tiepoints.length >= 6) {
    const [column, row, , x, y] = tiepoints as [number, number, number, number, number]
    const [cellWidth, cellHeight] = scale as [number, number]
    return checkPlacement({ originX: x - column * cellWidth, originY: y + row * cellHeight, cellWidth, cellHeight })
  }
  if (matrix.length === 16) {
    const [a, b, , x, d, e, , y] = matrix as [number, number, number, number, number, number, number, number]
    const tolerance = Math.max(Math.abs(a), Math.abs(e)) * 1e-9
    if (Math.abs(b) > tolerance || Math.abs(d) > tolerance) throw notNorthUp()
    return checkPlacement({ originX: x, originY: y, cellWidth: a, cellHeight: -e })
  }
  if (tiepoints.length > 6)
    throw new RasterError('The file is placed by ground control points only; warp it to a grid.')
  throw new RasterError('The file has no georeference: it does not say where its cells are on the ground.')
}

const notNorthUp = () => new RasterError('The raster is rotated, sheared or mirrored; warp it to a north-up grid.')

function checkPlacement(placement: Placement): Placement {
  if (!Object.values(placement).every(Number.isFinite))
    throw new RasterError('The georeference of the file is damaged.')
  if (!(placement.cellWidth > 0 && placement.cellHeight > 0)) throw notNorthUp()
  return placement
}

async function readNodata(directory: TiffDirectory, dataType: DataType): Promise<number | undefined> {
  const text = (await directory.text(tiffTags.gdalNodata, 256)).trim()
  if (text === '') return undefined
  const value = dataType === 'Float32' ? Math.fround(Number(text)) : Number(text)
  return Number.isFinite(value) ? value : undefined
}

async function readBlock(file: FileHandle, layout: TiffLayout, index: number, fileBytes: number, nodata = 0) {
  const { blockWidth, blockHeight, bytesPerCell, isTiled, height, blocksAcross } = layout
  const firstRow = Math.floor(index / blocksAcross) * blockHeight
  const rows = isTiled ? blockHeight : Math.min(blockHeight, height - firstRow)
  const [offset, byteCount] = [layout.offsets[index]!, layout.byteCounts[index]!]
  // GDAL leaves blocks out that hold nothing but "no data" (SPARSE_OK).
  if (byteCount === 0) return new Float64Array(blockWidth * rows).fill(nodata)
  const plausibleBytes = 2 * blockWidth * rows * bytesPerCell + 65_536
  if (offset + byteCount > fileBytes || byteCount > plausibleBytes) {
    throw new RasterError('The file is damaged or incomplete: some of its cells are missing.')
  }
  const bytes = new Uint8Array(byteCount)
  const { bytesRead } = await file.read(bytes, 0, byteCount, offset)
  if (bytesRead < byteCount) throw new RasterError('The file ends before its last cells.')
  return decodeBlock(layout, bytes, rows)
}

async function readWindow(
  layout: TiffLayout,
  blocks: BlockCache,
  nodata: number | undefined,
  window: GridWindow,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const { column, row, width, height } = window
  if (column < 0 || row < 0 || column + width > layout.width || row + height > layout.height) {
    throw new RangeError(`window ${column},${row} ${width}x${height} outside ${layout.width}x${layout.height}`)
  }
  const values = new Float64Array(width * height)
  const indexes = blocksOf(layout, window)
  for (let at = 0; at < indexes.length; at += concurrentReads) {
    signal?.throwIfAborted()
    const batch = indexes.slice(at, at + concurrentReads)
    const cells = await Promise.all(batch.map((index) => blocks.get(index)))
    for (const [i, index] of batch.entries()) copyBlock(layout, index, cells[i]!, nodata, window, values)
  }
  return values
}

function blocksOf({ blockWidth, blockHeight, blocksAcross }: TiffLayout, window: GridWindow): number[] {
  const { column, row, width, height } = window
  const indexes: number[] = []
  for (let y = Math.floor(row / blockHeight); y * blockHeight < row + height; y++) {
    for (let x = Math.floor(column / blockWidth); x * blockWidth < column + width; x++) {
      indexes.push(y * blocksAcross + x)
    }
  }
  return indexes
}

function copyBlock(
  { blockWidth, blockHeight, blocksAcross }: TiffLayout,
  index: number,
  cells: CellArray,
  nodata: number | undefined,
  window: GridWindow,
  values: Float64Array,
): void {
  const left = (index % blocksAcross) * blockWidth
  const top = Math.floor(index / blocksAcross) * blockHeight
  const [fromColumn, toColumn] = [
    Math.max(left, window.column),
    Math.min(left + blockWidth, window.column + window.width),
  ]
  const [fromRow, toRow] = [Math.max(top, window.row), Math.min(top + blockHeight, window.row + window.height)]
  for (let row = fromRow; row < toRow; row++) {
    let from = (row - top) * blockWidth + fromColumn - left
    let to = (row - window.row) * window.width + fromColumn - window.column
    for (let column = fromColumn; column < toColumn; column++) {
      const value = cells[from++]!
      values[to++] = value === nodata || !Number.isFinite(value) ? Number.NaN : value
    }
  }
}
