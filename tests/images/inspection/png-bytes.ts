import { randomBytes } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'

export const pngSignature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

export const uint32 = (...values: number[]) => {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i)
  return bytes
}

export function pngChunk(type: string, data: Uint8Array | string = ''): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), Buffer.from(data as string, 'latin1')])
  return Buffer.concat([uint32(body.length - 4), body, uint32(crc32(body))])
}

export interface PngParts {
  width?: number
  height?: number
  bitDepth?: number
  colourType?: number
  interlace?: number
  /** The filtered rows, before they are deflated. */
  rows?: Uint8Array
  /** All that stands between IHDR and IDAT, and between IDAT and IEND. */
  before?: Buffer[]
  after?: Buffer[]
  /** In place of the deflated rows. */
  compressed?: Uint8Array
  /** Bytes of an IDAT chunk. */
  idatBytes?: number
}

const channels: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

/** Bytes of an image's rows, each with its filter byte. */
export const rowBytes = (width: number, height: number, bits: number) => height * (1 + Math.ceil((width * bits) / 8))

/** Rows that hardly deflate, none of them filtered. */
export function noise(width: number, height: number, bits: number): Buffer {
  const rows = randomBytes(rowBytes(width, height, bits))
  for (let at = 0; at < rows.length; at += rows.length / height) rows[at] = 0
  return rows
}

/** By the pixels of each pass themselves (PNG 8.2), with no arithmetic in common with what is tested. */
export function interlacedBytes(width: number, height: number, bits: number): number {
  const pattern = ['16462646', '77777777', '56565656', '77777777', '36463646', '77777777', '56565656', '77777777']
  let bytes = 0
  for (let pass = 1; pass <= 7; pass++) {
    for (let y = 0; y < height; y++) {
      let pixels = 0
      for (let x = 0; x < width; x++) if (pattern[y % 8]![x % 8] === String(pass)) pixels++
      if (pixels > 0) bytes += 1 + Math.ceil((pixels * bits) / 8)
    }
  }
  return bytes
}

export function pngHeader({
  width = 5,
  height = 4,
  bitDepth = 8,
  colourType = 2,
  interlace = 0,
}: PngParts = {}): Buffer {
  return pngChunk('IHDR', Buffer.concat([uint32(width, height), Buffer.of(bitDepth, colourType, 0, 0, interlace)]))
}

/** 5 x 4 RGB unless told otherwise; black, with a palette where it needs one. */
export function png(parts: PngParts = {}): Buffer {
  const { width = 5, height = 4, bitDepth = 8, colourType = 2, interlace = 0, before = [], after = [] } = parts
  const bits = bitDepth * (channels[colourType] ?? 1)
  const needed = interlace ? interlacedBytes(width, height, bits) : rowBytes(width, height, bits)
  const compressed = parts.compressed ?? deflateSync(parts.rows ?? new Uint8Array(needed))
  const { idatBytes = compressed.length } = parts
  const idats: Buffer[] = []
  for (let at = 0; at < compressed.length; at += idatBytes) {
    idats.push(pngChunk('IDAT', compressed.subarray(at, at + idatBytes)))
  }
  const palette = colourType === 3 ? [pngChunk('PLTE', 'abcdef')] : []
  return Buffer.concat([pngSignature, pngHeader(parts), ...palette, ...before, ...idats, ...after, pngChunk('IEND')])
}

export interface FrameParts {
  sequence: number
  width?: number
  height?: number
  x?: number
  y?: number
}

export function frameControl({ sequence, width = 5, height = 4, x = 0, y = 0 }: FrameParts): Buffer {
  return pngChunk('fcTL', Buffer.concat([uint32(sequence, width, height, x, y), Buffer.of(0, 1, 0, 10, 0, 0)]))
}

export function frameData(sequence: number, width = 5, height = 4): Buffer {
  return pngChunk('fdAT', Buffer.concat([uint32(sequence), deflateSync(new Uint8Array(rowBytes(width, height, 24)))]))
}

/** Two frames, of which the second is smaller. */
export const animatedPng = () =>
  png({
    before: [pngChunk('acTL', uint32(2, 0)), frameControl({ sequence: 0 })],
    after: [frameControl({ sequence: 1, width: 2, height: 3, x: 3, y: 1 }), frameData(2, 2, 3)],
  })
