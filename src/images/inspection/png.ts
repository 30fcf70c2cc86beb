import { openCursor } from './byte-cursor.ts'
import { damaged } from './image-refused.ts'
import type { ImageSize, Inspection } from './inspection.ts'
import { partCounter } from './part-counter.ts'
import { type PngAnimation, pngAnimation } from './png-animation.ts'
import { chunkBytes, type PngChunk, pngChunks } from './png-chunks.ts'
import { assertPixels, filteredBytes, type PngFormat } from './png-pixels.ts'
import { pngTexts } from './png-texts.ts'
import { markupScan } from './polyglot.ts'
import { assertNothingFollows } from './trailing.ts'

const signatureBytes = 8

interface PngHeader extends ImageSize, PngFormat {
  colourType: number
}

/**
 * Walks a PNG (W3C PNG third edition, sections 5 and 11), animated ones too: every chunk with its checksum, the pixel
 * data inflated to the byte, and nothing but padding behind IEND.
 * @throws ImageRefused
 */
export async function inspectPng({ source, head, budget }: Inspection): Promise<ImageSize> {
  await using cursor = openCursor(source)
  await cursor.skip(signatureBytes)
  const nextChunk = pngChunks(cursor, partCounter('PNG', source.sizeBytes))
  const header = await readHeader(await nextChunk())
  const addImage = (size: ImageSize) => budget.add(filteredBytes(size, header))
  addImage(header)
  const animation = pngAnimation(header, addImage)
  const texts = pngTexts(markupScan(head))
  let hasPixels = false
  let hasPalette = false

  async function readChunk(chunk: PngChunk) {
    const { type } = chunk
    if (type === 'PLTE') {
      if (hasPalette || hasPixels || !isPaletteLength(chunk.length)) throw damaged('PNG', 'its palette makes no sense')
      hasPalette = true
      await chunkBytes(chunk)
    } else if (type === 'acTL') animation.start(await chunkBytes(chunk, 8), !hasPixels)
    else if (type === 'fcTL') animation.frame(await chunkBytes(chunk, 26), !hasPixels)
    // A capital first letter says that no picture can be made without understanding the chunk.
    else if (type < 'a') throw damaged('PNG', `it has a chunk ${type} where none may be`)
    else await texts.read(chunk)
  }

  let chunk = await nextChunk()
  while (chunk.type !== 'IEND') {
    if (chunk.type === 'IDAT') {
      if (hasPixels || (header.colourType === 3 && !hasPalette)) throw damaged('PNG', 'its chunks are out of order')
      hasPixels = true
      chunk = await passPixels(chunk, nextChunk, { size: header, format: header })
    } else if (chunk.type === 'fdAT') {
      const size = animation.takeFrame()
      chunk = await passPixels(chunk, nextChunk, { size, format: header, animation })
    } else {
      await readChunk(chunk)
      chunk = await nextChunk()
    }
  }
  await chunkBytes(chunk, 0)
  if (!hasPixels) throw damaged('PNG', 'it has no pixels')
  animation.finish()
  await assertNothingFollows(cursor, 'PNG', source.sizeBytes)
  return header
}

const isPaletteLength = (length: number) => length > 0 && length % 3 === 0 && length <= 256 * 3

const channels: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }
const bitDepths: Record<number, number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
}

async function readHeader(chunk: PngChunk): Promise<PngHeader> {
  if (chunk.type !== 'IHDR') throw damaged('PNG', 'it does not start with a header')
  const bytes = await chunkBytes(chunk, 13)
  const [bitDepth, colourType, compression, filter, interlace] = bytes.subarray(8) as unknown as [
    number,
    number,
    number,
    number,
    number,
  ]
  const width = bytes.readUInt32BE(0)
  const height = bytes.readUInt32BE(4)
  const isKnown = bitDepths[colourType]?.includes(bitDepth) && compression === 0 && filter === 0 && interlace < 2
  if (!isKnown || width >= 2 ** 31 || height >= 2 ** 31) throw damaged('PNG', 'its header makes no sense')
  return { width, height, colourType, bitsPerPixel: bitDepth * channels[colourType]!, isInterlaced: interlace === 1 }
}

/**
 * Passes over all chunks of the first one's type, which together are one stream of pixels. @returns the chunk behind
 * them
 */
async function passPixels(
  first: PngChunk,
  nextChunk: () => Promise<PngChunk>,
  { size, format, animation }: { size: ImageSize; format: PngFormat; animation?: PngAnimation },
): Promise<PngChunk> {
  let chunk = first

  async function* compressed() {
    while (chunk.type === first.type) {
      animation?.sequence(await chunk.take(4))
      yield* chunk.rest()
      chunk = await nextChunk()
    }
  }

  await assertPixels(size, format, compressed())
  return chunk
}
