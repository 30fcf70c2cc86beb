import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { epsgGeoKeys, type GeoKeys, isPixelPoint } from './geo-keys.ts'
import type { Grid } from './grid.ts'
import { RasterError } from './raster-error.ts'
import { tiffTags } from './tiff-layout.ts'
import { type TiffTag, tiffDirectoryBytes } from './tiff-tags.ts'

const deflateAsync = promisify(deflate)

const formats = {
  Uint8: { arrayType: Uint8Array, bits: 8, sampleFormat: 1 },
  Int16: { arrayType: Int16Array, bits: 16, sampleFormat: 2 },
  Float32: { arrayType: Float32Array, bits: 32, sampleFormat: 3 },
} as const

export type WritableDataType = keyof typeof formats

/** Where the cells are: the north-west corner and the cell size, and the system either by code or as in a source file. */
export type Georeference = Pick<Grid, 'originX' | 'originY' | 'cellWidth' | 'cellHeight'> &
  ({ epsg: number; isGeographic: boolean } | { geoKeys: GeoKeys })

export interface GeoTiffOptions {
  width: number
  height: number
  dataType: WritableDataType
  /** Written as GDAL_NODATA, and used to fill the tiles that stick out at the right and the bottom. */
  nodata?: number
  georeference: Georeference
  /** Side of the square tiles, a multiple of 16. 256 unless told. */
  tileSize?: number
  /** Classic TIFF cannot point beyond 4 GiB. Only tests set less. */
  maxBytes?: number
}

export interface GeoTiffWriter {
  /** Takes the next whole rows, north to south, any number at a time. */
  writeRows(values: ArrayLike<number>): Promise<void>
  /** Writes the directory and closes the file. @throws RangeError when rows are missing */
  close(): Promise<void>
  /** Closes the file, finished or not. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Writes a single-band, tiled, deflate-compressed GeoTIFF (TIFF 6.0, OGC 19-008r4) as its rows arrive. One row of tiles
 * is held in memory; the directory goes to the end of the file, so nothing is ever rewritten but the pointer to it.
 * @throws RasterError when the file would exceed 4 GiB, the limit of classic TIFF
 */
export async function createGeoTiffWriter(path: string, options: GeoTiffOptions): Promise<GeoTiffWriter> {
  const { width, height, dataType, nodata = 0, tileSize = 256 } = options
  const { arrayType } = formats[dataType]
  const tilesAcross = Math.ceil(width / tileSize)
  const band = new arrayType(tileSize * tilesAcross * tileSize).fill(nodata)
  const bandWidth = tilesAcross * tileSize
  const file = await open(path, 'w')
  const output = appendTo(file, options.maxBytes ?? 2 ** 32 - 1)
  const tiles: StoredTile[] = []
  let rows = 0
  let isOpen = true

  async function dispose() {
    if (isOpen) await file.close()
    isOpen = false
  }

  async function flushBand() {
    const cut = (x: number) => deflateAsync(tileBytes(band, bandWidth, x * tileSize, tileSize))
    for (let x = 0; x < tilesAcross; x++) {
      const bytes = await cut(x)
      tiles.push({ offset: await output.append(bytes), byteCount: bytes.length })
    }
    band.fill(nodata)
  }

  // Little-endian, magic number 42, and a pointer to the directory that close() fills in.
  await output.append(Uint8Array.of(0x49, 0x49, 42, 0, 0, 0, 0, 0))

  return {
    async writeRows(values) {
      const count = values.length / width
      if (!Number.isInteger(count) || rows + count > height)
        throw new RangeError(`${count} rows after ${rows} of ${height}`)
      for (let row = 0; row < count; row++) {
        const to = (rows % tileSize) * bandWidth
        for (let column = 0; column < width; column++) band[to + column] = values[row * width + column]!
        rows++
        if (rows % tileSize === 0) await flushBand()
      }
    },
    async close() {
      if (rows < height) throw new RangeError(`only ${rows} of ${height} rows were written`)
      if (rows % tileSize !== 0) await flushBand()
      const at = await output.append(new Uint8Array(output.position() % 2))
      const start = at + (at % 2)
      await output.append(tiffDirectoryBytes(describe(options, tileSize, tiles), start))
      await file.write(Uint32Array.of(start), 0, 4, 4)
      await dispose()
    },
    [Symbol.asyncDispose]: dispose,
  }
}

interface StoredTile {
  offset: number
  byteCount: number
}

function appendTo(file: FileHandle, maxBytes: number) {
  let position = 0
  return {
    position: () => position,
    /** @returns where the bytes went */
    async append(bytes: Uint8Array): Promise<number> {
      if (position + bytes.length > maxBytes) {
        throw new RasterError(
          'The result would be larger than 4 GB, the limit of a classic TIFF; assess a smaller region.',
        )
      }
      const at = position
      await file.write(bytes, 0, bytes.length, at)
      position += bytes.length
      return at
    },
  }
}

function tileBytes(band: Uint8Array | Int16Array | Float32Array, bandWidth: number, left: number, size: number) {
  const tile = band.slice(0, size * size)
  for (let row = 0; row < size; row++) {
    const from = row * bandWidth + left
    tile.set(band.subarray(from, from + size), row * size)
  }
  return new Uint8Array(tile.buffer, tile.byteOffset, tile.byteLength)
}

function describe(options: GeoTiffOptions, tileSize: number, tiles: StoredTile[]): TiffTag[] {
  const { width, height, dataType, nodata, georeference } = options
  const { originX, originY, cellWidth, cellHeight } = georeference
  const keys =
    'geoKeys' in georeference ? georeference.geoKeys : epsgGeoKeys(georeference.epsg, georeference.isGeographic)
  // Keys that are carried over may say that coordinates are those of cell centres.
  const shift = isPixelPoint(keys) ? 0.5 : 0
  const tiepoint = [0, 0, 0, originX + shift * cellWidth, originY - shift * cellHeight, 0]
  const { bits, sampleFormat } = formats[dataType]
  return [
    { tag: tiffTags.imageWidth, type: 'long', values: [width] },
    { tag: tiffTags.imageLength, type: 'long', values: [height] },
    { tag: tiffTags.bitsPerSample, type: 'short', values: [bits] },
    { tag: tiffTags.compression, type: 'short', values: [8] },
    { tag: tiffTags.photometric, type: 'short', values: [1] },
    { tag: tiffTags.samplesPerPixel, type: 'short', values: [1] },
    { tag: tiffTags.planarConfiguration, type: 'short', values: [1] },
    { tag: tiffTags.tileWidth, type: 'long', values: [tileSize] },
    { tag: tiffTags.tileLength, type: 'long', values: [tileSize] },
    { tag: tiffTags.tileOffsets, type: 'long', values: tiles.map(({ offset }) => offset) },
    { tag: tiffTags.tileByteCounts, type: 'long', values: tiles.map(({ byteCount }) => byteCount) },
    { tag: tiffTags.sampleFormat, type: 'short', values: [sampleFormat] },
    { tag: tiffTags.modelPixelScale, type: 'double', values: [cellWidth, cellHeight, 0] },
    { tag: tiffTags.modelTiepoint, type: 'double', values: tiepoint },
    { tag: tiffTags.geoKeyDirectory, type: 'short', values: keys.directory },
    ...(keys.doubles.length > 0
      ? [{ tag: tiffTags.geoDoubleParams, type: 'double', values: keys.doubles } as const]
      : []),
    ...(keys.ascii ? [{ tag: tiffTags.geoAsciiParams, type: 'ascii', values: keys.ascii } as const] : []),
    ...(nodata === undefined ? [] : [{ tag: tiffTags.gdalNodata, type: 'ascii', values: String(nodata) } as const]),
  ]
}
