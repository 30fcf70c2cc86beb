import { type ByteCursor, openCursor } from './byte-cursor.ts'
import { damaged } from './image-refused.ts'
import type { ImageSize, Inspection } from './inspection.ts'
import { partCounter } from './part-counter.ts'
import { type MarkupScan, markupScan } from './polyglot.ts'
import { assertNothingFollows } from './trailing.ts'
import { type UnpackedBudget, unpackedBytes } from './unpacked-budget.ts'

const riffHeaderBytes = 12
const chunkHeaderBytes = 8
const frameHeaderBytes = 16
const animationFlag = 0x02
const alphaFlag = 0x10

const bitsPerPixel = (isTransparent: boolean) => (isTransparent ? 32 : 24)

/**
 * Walks a WebP (RFC 9649), animated ones too: every chunk within its container, the headers of VP8 (RFC 6386) and VP8L
 * bitstreams, and that all say the same of the size; and that nothing but padding is behind it.
 * @throws ImageRefused
 */
export async function inspectWebp({ source, head, budget }: Inspection): Promise<ImageSize> {
  await using cursor = openCursor(source)
  const header = await cursor.take(riffHeaderBytes)
  const end = chunkHeaderBytes + header.readUInt32LE(4)
  if (end > source.sizeBytes) throw damaged('WebP', 'it ends too early')
  const walk = { cursor, budget, markup: markupScan(head), countPart: partCounter('WebP', source.sizeBytes) }
  let canvas: Canvas | undefined
  let image: ImageSize | undefined
  let frames = 0

  for (let isFirst = true; cursor.position() < end; isFirst = false) {
    const chunk = await readChunk(walk, end)
    if (chunk.type === 'VP8X') {
      if (!isFirst) throw damaged('WebP', 'its chunks are out of order')
      canvas = await readCanvas(cursor, chunk)
      budget.assertFits(unpackedBytes(canvas, bitsPerPixel(canvas.isTransparent)))
    } else if (chunk.type === 'ANMF') {
      if (!canvas?.isAnimated) throw damaged('WebP', 'it has frames without being an animation')
      await passFrame(walk, chunk, canvas)
      frames++
    } else if (isBitstream(chunk)) {
      if (image || canvas?.isAnimated) throw damaged('WebP', 'it has more than one image')
      image = await passBitstream(walk, chunk, canvas)
    } else if (isFirst) {
      throw damaged('WebP', 'it does not start with an image')
    } else {
      await passOther(walk, chunk)
    }
    await passPadding(cursor, chunk)
  }
  if (canvas?.isAnimated ? frames === 0 : !image) throw damaged('WebP', 'it has no image')
  if (canvas && image) assertSameSize(image, canvas)
  await assertNothingFollows(cursor, 'WebP', source.sizeBytes)
  return (canvas ?? image)!
}

interface Chunk {
  type: string
  /** Of its data, in bytes. */
  length: number
}

interface Walk {
  cursor: ByteCursor
  budget: UnpackedBudget
  markup: MarkupScan
  countPart: () => void
}

/** @param end of what it has to lie in, its padding included */
async function readChunk(walk: Walk, end: number): Promise<Chunk> {
  const { cursor } = walk
  walk.countPart()
  const header = await cursor.take(chunkHeaderBytes)
  const length = header.readUInt32LE(4)
  if (cursor.position() + length + (length % 2) > end) throw damaged('WebP', 'a chunk is longer than what holds it')
  return { type: header.toString('latin1', 0, 4), length }
}

async function passPadding(cursor: ByteCursor, { length }: Chunk): Promise<void> {
  if (length % 2 === 0) return
  const [padding] = await cursor.take(1)
  if (padding !== 0) throw damaged('WebP', 'the padding of a chunk is not empty')
}

interface Canvas extends ImageSize {
  isAnimated: boolean
  isTransparent: boolean
}

/** RFC 9649, 2.7.1. */
async function readCanvas(cursor: ByteCursor, { length }: Chunk): Promise<Canvas> {
  if (length !== 10) throw damaged('WebP', 'its header makes no sense')
  const bytes = await cursor.take(length)
  const [isAnimated, isTransparent] = [animationFlag, alphaFlag].map((flag) => (bytes[0]! & flag) !== 0) as [
    boolean,
    boolean,
  ]
  return { width: bytes.readUIntLE(4, 3) + 1, height: bytes.readUIntLE(7, 3) + 1, isAnimated, isTransparent }
}

/** A frame (2.7.1.1) holds chunks in turn, but no further frames. */
async function passFrame(walk: Walk, { length }: Chunk, canvas: Canvas): Promise<void> {
  const { cursor } = walk
  const end = cursor.position() + length
  const bytes = await cursor.take(frameHeaderBytes)
  const [x, y, across, down] = [0, 3, 6, 9].map((at) => bytes.readUIntLE(at, 3)) as [number, number, number, number]
  const frame = { width: across + 1, height: down + 1 }
  const isInside = 2 * x + frame.width <= canvas.width && 2 * y + frame.height <= canvas.height
  if (!isInside) throw damaged('WebP', 'a frame lies outside of it')
  let image: ImageSize | undefined
  while (cursor.position() < end) {
    const chunk = await readChunk(walk, end)
    if (!isBitstream(chunk)) await passOther(walk, chunk)
    else if (image) throw damaged('WebP', 'a frame has more than one image')
    else image = await passBitstream(walk, chunk, canvas)
    await passPadding(cursor, chunk)
  }
  if (!image) throw damaged('WebP', 'a frame has no image')
  assertSameSize(image, frame)
}

function assertSameSize(image: ImageSize, frame: ImageSize): void {
  if (image.width !== frame.width || image.height !== frame.height) {
    throw damaged('WebP', 'it does not agree with itself on its size')
  }
}

const isBitstream = ({ type }: Chunk) => type === 'VP8 ' || type === 'VP8L'

async function passBitstream({ cursor, budget }: Walk, { type, length }: Chunk, canvas?: Canvas): Promise<ImageSize> {
  const headerBytes = type === 'VP8L' ? 5 : 10
  if (length <= headerBytes) throw damaged('WebP', 'its image is too short')
  const bytes = await cursor.take(headerBytes)
  const size = type === 'VP8L' ? losslessSize(bytes) : lossySize(bytes, length)
  // A lossy image has its alpha in a chunk of its own, of which the canvas tells.
  const isTransparent = (canvas?.isTransparent ?? false) || (type === 'VP8L' && (bytes[4]! & alphaFlag) !== 0)
  budget.add(unpackedBytes(size, bitsPerPixel(isTransparent)))
  await cursor.skip(length - headerBytes)
  return size
}

/** RFC 6386, 9.1: a key frame that is shown, whose first partition lies within the chunk. */
function lossySize(bytes: Buffer, length: number): ImageSize {
  const tag = bytes.readUIntLE(0, 3)
  const isShownKeyFrame = (tag & 1) === 0 && ((tag >> 1) & 7) <= 3 && ((tag >> 4) & 1) === 1
  if (!isShownKeyFrame || bytes.readUIntBE(3, 3) !== 0x9d012a) throw damaged('WebP', 'its image has no header')
  if (tag >> 5 > length - bytes.length) throw damaged('WebP', 'its image ends too early')
  return { width: bytes.readUInt16LE(6) & 0x3fff, height: bytes.readUInt16LE(8) & 0x3fff }
}

/** RFC 9649, 3.4. */
function losslessSize(bytes: Buffer): ImageSize {
  const bits = bytes.readUInt32LE(1)
  if (bytes[0] !== 0x2f || bits >>> 29 !== 0) throw damaged('WebP', 'its image has no header')
  return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 }
}

/** Alpha planes are pixels too; everything else is metadata. */
async function passOther({ cursor, markup }: Walk, { type, length }: Chunk): Promise<void> {
  if (type === 'ALPH') return cursor.skip(length)
  for await (const piece of cursor.pieces(length)) markup.add(piece)
  markup.finish()
}
