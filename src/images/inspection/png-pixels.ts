import { pipeline } from 'node:stream/promises'
import { createInflate } from 'node:zlib'
import { damaged, ImageRefused } from './image-refused.ts'
import type { ImageSize } from './inspection.ts'

export interface PngFormat {
  bitsPerPixel: number
  isInterlaced: boolean
}

/** Adam7 (PNG 8.2): where each pass starts, and its steps. */
const passes = [
  { x: 0, y: 0, across: 8, down: 8 },
  { x: 4, y: 0, across: 8, down: 8 },
  { x: 0, y: 4, across: 4, down: 8 },
  { x: 2, y: 0, across: 4, down: 4 },
  { x: 0, y: 2, across: 2, down: 4 },
  { x: 1, y: 0, across: 2, down: 2 },
  { x: 0, y: 1, across: 1, down: 2 },
]

/**
 * Bytes of the filtered rows of an image (PNG 7.2): each row has a filter byte, and a pass without pixels has no rows.
 */
export function filteredBytes({ width, height }: ImageSize, { bitsPerPixel, isInterlaced }: PngFormat): number {
  const rows = (across: number, down: number) =>
    across === 0 ? 0 : down * (1 + Math.ceil((across * bitsPerPixel) / 8))
  if (!isInterlaced) return rows(width, height)
  return passes
    .map(({ x, y, across, down }) => rows(Math.ceil((width - x) / across), Math.ceil((height - y) / down)))
    .reduce((sum, bytes) => sum + bytes)
}

const blockBytes = 64 * 1024

/**
 * Inflates pixel data, counts what comes out and keeps none of it.
 * @throws ImageRefused when it does not inflate to exactly `expectedBytes`, or something follows it
 */
export async function assertInflatesTo(expectedBytes: number, compressed: AsyncIterable<Uint8Array>): Promise<void> {
  const inflate = createInflate({ chunkSize: blockBytes })
  let givenBytes = 0
  let inflatedBytes = 0

  async function* given() {
    for await (const block of inBlocks(compressed)) {
      givenBytes += block.length
      yield block
    }
  }

  async function count(inflated: AsyncIterable<Uint8Array>) {
    for await (const { length } of inflated) {
      inflatedBytes += length
      if (inflatedBytes > expectedBytes) {
        throw new ImageRefused('too_large_decoded', 'The PNG has more pixel data than its width and height allow.')
      }
    }
  }

  try {
    await pipeline(given, inflate, count)
  } catch (error) {
    // The code of an `AbortError` is a number.
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error
    throw damaged('PNG', 'its pixel data cannot be inflated')
  }
  if (inflatedBytes < expectedBytes) throw damaged('PNG', 'it has less pixel data than its width and height need')
  if (inflate.bytesWritten < givenBytes) throw damaged('PNG', 'something follows its pixel data')
}

/** Joins small pieces, each of which would otherwise cost a turn of the inflating thread. */
async function* inBlocks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let block = new Uint8Array(blockBytes)
  let used = 0
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + blockBytes - used)
      block.set(part, used)
      used += part.length
      at += part.length
      if (used < blockBytes) continue
      yield block
      block = new Uint8Array(blockBytes)
      used = 0
    }
  }
  if (used > 0) yield block.subarray(0, used)
}
