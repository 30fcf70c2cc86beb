import { promisify } from 'node:util'
import { inflate, zstdDecompress } from 'node:zlib'
import { decodeLzw } from './lzw.ts'
import { RasterError } from './raster-error.ts'
import type { DataType, TiffLayout } from './tiff-layout.ts'

export type CellArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array

const inflateAsync = promisify(inflate)
const zstdAsync = promisify(zstdDecompress)

const arrayTypes = {
  Uint8: Uint8Array,
  Int8: Int8Array,
  Uint16: Uint16Array,
  Int16: Int16Array,
  Uint32: Uint32Array,
  Int32: Int32Array,
  Float32: Float32Array,
  Float64: Float64Array,
} satisfies Record<DataType, unknown>

/**
 * Decodes one compressed tile or strip into `rows` rows of the layout's block width, row by row.
 * Never produces more bytes than those rows hold, whatever the input claims.
 * @throws RasterError when the block is damaged
 */
export async function decodeBlock(layout: TiffLayout, compressed: Uint8Array, rows: number): Promise<CellArray> {
  const size = layout.blockWidth * rows * layout.bytesPerCell
  const bytes = await decompress(layout.compression, compressed, size).catch((cause) => {
    throw new RasterError('The file is damaged: some of its cells cannot be decompressed.', { cause })
  })
  if (bytes.length < size) throw new RasterError('The file is damaged or incomplete: some of its cells are missing.')
  // Copied where needed, so that the cells are aligned and the predictor works on memory of our own.
  const own = bytes.byteOffset === 0 && bytes.length === size ? bytes : bytes.slice(0, size)
  return undoPredictor(layout, own, rows)
}

async function decompress(compression: number, input: Uint8Array, size: number): Promise<Uint8Array<ArrayBuffer>> {
  // Some writers fill the last strip up, so twice the size is let through before it counts as a bomb.
  const limit = { maxOutputLength: size * 2 + 1024 }
  switch (compression) {
    case 1:
      return new Uint8Array(input.subarray(0, size))
    case 5:
      return decodeLzw(input, size)
    case 32773:
      return decodePackBits(input, size)
    case 50000:
      return zstdAsync(input, limit)
    default:
      return inflateAsync(input, limit)
  }
}

/** Undoes PackBits (TIFF 6.0, section 9), up to `size` bytes. */
export function decodePackBits(input: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(size)
  let written = 0
  for (let at = 0; at < input.length && written < size; ) {
    const header = (input[at++]! << 24) >> 24
    if (header >= 0) {
      const run = input.subarray(at, Math.min(at + header + 1, at + size - written))
      output.set(run, written)
      written += run.length
      at += header + 1
    } else if (header !== -128) {
      const end = Math.min(written + 1 - header, size)
      output.fill(input[at++] ?? 0, written, end)
      written = end
    }
  }
  return output.subarray(0, written)
}

function undoPredictor(layout: TiffLayout, bytes: Uint8Array<ArrayBuffer>, rows: number): CellArray {
  const { predictor, blockWidth, bytesPerCell, littleEndian, dataType } = layout
  // Predictor 3 stores each row's bytes by significance, in one order for both kinds of file (TIFF Technical Note 3).
  if (predictor === 3) undoFloatDifferences(bytes, blockWidth, rows, bytesPerCell)
  else if (!littleEndian) swapBytes(bytes, bytesPerCell)
  const cells = new arrayTypes[dataType](bytes.buffer, bytes.byteOffset, blockWidth * rows)
  if (predictor === 2) undoDifferences(integersOver(cells), blockWidth)
  return cells
}

function swapBytes(bytes: Uint8Array, bytesPerCell: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytesPerCell === 2) buffer.swap16()
  else if (bytesPerCell === 4) buffer.swap32()
  else if (bytesPerCell === 8) buffer.swap64()
}

// Writers that use predictor 2 on floats difference their bit patterns.
const integersOver = (cells: CellArray) =>
  cells instanceof Float32Array ? new Uint32Array(cells.buffer, cells.byteOffset, cells.length) : cells

function undoDifferences(cells: CellArray, width: number): void {
  for (let start = 0; start < cells.length; start += width) {
    for (let i = start + 1; i < start + width; i++) cells[i] = cells[i]! + cells[i - 1]!
  }
}

function undoFloatDifferences(bytes: Uint8Array, width: number, rows: number, bytesPerCell: number): void {
  const rowBytes = width * bytesPerCell
  const planes = new Uint8Array(rowBytes)
  for (let row = 0; row < rows; row++) {
    const line = bytes.subarray(row * rowBytes, (row + 1) * rowBytes)
    let sum = 0
    for (let i = 0; i < rowBytes; i++) planes[i] = sum = (sum + line[i]!) & 0xff
    for (let i = 0; i < width; i++) {
      for (let b = 0; b < bytesPerCell; b++) line[i * bytesPerCell + b] = planes[(bytesPerCell - 1 - b) * width + i]!
    }
  }
}
