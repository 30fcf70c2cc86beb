import { RasterError } from './raster-error.ts'
import type { TiffDirectory } from './tiff-directory.ts'

export type DataType = 'Uint8' | 'Int8' | 'Uint16' | 'Int16' | 'Uint32' | 'Int32' | 'Float32' | 'Float64'

/** How the cells of a TIFF lie in its file: blocks are tiles or strips, numbered row by row. */
export interface TiffLayout {
  width: number
  height: number
  dataType: DataType
  bytesPerCell: number
  littleEndian: boolean
  compression: number
  predictor: number
  isTiled: boolean
  blockWidth: number
  blockHeight: number
  blocksAcross: number
  blocksDown: number
  offsets: number[]
  byteCounts: number[]
}

export const tiffTags = {
  imageWidth: 256,
  imageLength: 257,
  bitsPerSample: 258,
  compression: 259,
  stripOffsets: 273,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  predictor: 317,
  tileWidth: 322,
  tileLength: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  sampleFormat: 339,
  photometric: 262,
  planarConfiguration: 284,
  modelPixelScale: 33550,
  modelTiepoint: 33922,
  modelTransformation: 34264,
  geoKeyDirectory: 34735,
  geoDoubleParams: 34736,
  geoAsciiParams: 34737,
  gdalNodata: 42113,
} as const

export const maxSideCells = 100_000
export const maxCells = 1_000_000_000
/** One row of blocks is decoded at a time, so this bounds what a file can make a reader hold. */
export const maxBlockRowBytes = 160 * 2 ** 20

const compressions = new Map([
  [1, 'none'],
  [5, 'LZW'],
  [8, 'deflate'],
  [32946, 'deflate'],
  [32773, 'PackBits'],
  [50000, 'Zstandard'],
])

const dataTypes = new Map<string, DataType>([
  ['1/8', 'Uint8'],
  ['2/8', 'Int8'],
  ['1/16', 'Uint16'],
  ['2/16', 'Int16'],
  ['1/32', 'Uint32'],
  ['2/32', 'Int32'],
  ['3/32', 'Float32'],
  ['3/64', 'Float64'],
])

/**
 * Reads and judges the layout of a single-band TIFF.
 * @throws RasterError for several bands, sizes beyond reason, cell formats and compressions that are not read here
 */
export async function readTiffLayout(directory: TiffDirectory): Promise<TiffLayout> {
  const scalar = async (tag: number, absent: number) => (await directory.numbers(tag, 4096))[0] ?? absent
  const width = await scalar(tiffTags.imageWidth, 0)
  const height = await scalar(tiffTags.imageLength, 0)
  const bands = await scalar(tiffTags.samplesPerPixel, 1)
  checkSize(width, height)
  if (bands !== 1) throw new RasterError(`The file has ${bands} bands; a layer has exactly one.`)
  const dataType = await readDataType(directory)
  const compression = await scalar(tiffTags.compression, 1)
  checkCompression(compression)
  const isTiled = directory.has(tiffTags.tileOffsets)
  const blockWidth = isTiled ? await scalar(tiffTags.tileWidth, 0) : width
  const rowsPerStrip = Math.min(await scalar(tiffTags.rowsPerStrip, height), height)
  const blockHeight = isTiled ? await scalar(tiffTags.tileLength, 0) : rowsPerStrip
  const bytesPerCell = Number(/\d+/.exec(dataType)![0]) / 8
  const blocksAcross = Math.ceil(width / blockWidth)
  checkBlocks(blockWidth, blockHeight, blocksAcross * blockWidth * blockHeight * bytesPerCell)
  const blocksDown = Math.ceil(height / blockHeight)
  const blocks = { blockWidth, blockHeight, blocksAcross, blocksDown }
  const predictor = await scalar(tiffTags.predictor, 1)
  checkPredictor(predictor, dataType)
  const { littleEndian } = directory
  const location = await readLocation(directory, isTiled, blocksAcross * blocksDown)
  return {
    width,
    height,
    dataType,
    bytesPerCell,
    littleEndian,
    compression,
    predictor,
    isTiled,
    ...blocks,
    ...location,
  }
}

function checkSize(width: number, height: number): void {
  if (!Number.isSafeInteger(width * height) || width < 1 || height < 1) {
    throw new RasterError('The file is damaged: it does not say how many cells it has.')
  }
  if (width > maxSideCells || height > maxSideCells || width * height > maxCells) {
    throw new RasterError(
      `The raster is too large (${width} x ${height} cells): at most ${maxSideCells} a side and ${maxCells} in all.`,
    )
  }
}

async function readDataType(directory: TiffDirectory): Promise<DataType> {
  const [bits = 1] = await directory.numbers(tiffTags.bitsPerSample, 4096)
  const [format = 1] = await directory.numbers(tiffTags.sampleFormat, 4096)
  const dataType = dataTypes.get(`${format}/${bits}`)
  if (dataType) return dataType
  if (format === 5 || format === 6) throw new RasterError('The cells are complex numbers; a layer has real ones.')
  const kind = ['', 'unsigned integers', 'signed integers', 'floating point numbers'][format] ?? 'of an unknown format'
  throw new RasterError(`The cells are ${bits}-bit ${kind}; use 8, 16 or 32-bit integers, or 32 or 64-bit floats.`)
}

function checkCompression(compression: number): void {
  if (compressions.has(compression)) return
  const known = [...new Set(compressions.values())].join(', ')
  throw new RasterError(`The file uses TIFF compression ${compression}, which is not read here; use one of: ${known}.`)
}

function checkBlocks(blockWidth: number, blockHeight: number, blockRowBytes: number): void {
  if (!(blockWidth >= 1 && blockHeight >= 1)) throw new RasterError('The file is damaged: its tiles have no size.')
  if (blockRowBytes <= maxBlockRowBytes) return
  throw new RasterError(
    'The strips or tiles of the file are too large to be read piece by piece; ' +
      'write it with tiles of 256 x 256 cells (gdal_translate -co TILED=YES).',
  )
}

function checkPredictor(predictor: number, dataType: DataType): void {
  const isFloat = dataType.startsWith('Float')
  if (predictor === 1 || (predictor === 2 && dataType !== 'Float64') || (predictor === 3 && isFloat)) return
  throw new RasterError(`The file uses TIFF predictor ${predictor} on ${dataType} cells, which is not read here.`)
}

async function readLocation(directory: TiffDirectory, isTiled: boolean, blocks: number) {
  const [offsetTag, countTag] = isTiled
    ? [tiffTags.tileOffsets, tiffTags.tileByteCounts]
    : [tiffTags.stripOffsets, tiffTags.stripByteCounts]
  if (directory.count(offsetTag) !== blocks || directory.count(countTag) !== blocks) {
    throw new RasterError('The file is damaged: it does not say where all of its cells are.')
  }
  return { offsets: await directory.numbers(offsetTag, blocks), byteCounts: await directory.numbers(countTag, blocks) }
}
