import { type ByteCursor, openCursor } from './byte-cursor.ts'
import { damaged } from './image-refused.ts'
import type { ImageSize, Inspection } from './inspection.ts'
import { partCounter } from './part-counter.ts'
import { type MarkupScan, markupScan } from './polyglot.ts'
import { assertNothingFollows } from './trailing.ts'
import { type UnpackedBudget, unpackedBytes } from './unpacked-budget.ts'

/** Writers fill them, up to 255 bytes; texts that are written through them, as XMP, cut them at the codes of their letters. */
const subBlockLimits = { free: 100_000, bytesEach: 8 }

/** Whatever the size of its colour tables, decoders give a byte for each pixel. */
const bitsPerPixel = 8

const trailer = 0x3b
const imageSeparator = 0x2c
const extensionIntroducer = 0x21

/** Their first block has a fixed length (GIF89a, sections 23, 25 and 26). */
const firstBlockBytes: Record<number, number> = { 1: 12, 249: 4, 255: 11 }

/**
 * Walks a GIF (GIF89a specification), animated ones too: every block with its sub-blocks, up to the trailer and nothing
 * but padding behind it. The size is the logical screen's.
 * @throws ImageRefused
 */
export async function inspectGif({ source, head, budget }: Inspection): Promise<ImageSize> {
  await using cursor = openCursor(source)
  // Texts stand in the file in sub-blocks, but XMP is written through them: both readings are scanned.
  const scans = { asStored: markupScan(head), joined: markupScan(head) }
  const screen = await readScreen(cursor, budget)
  const countPart = partCounter('GIF', source.sizeBytes)
  const countSubBlock = partCounter('GIF', source.sizeBytes, subBlockLimits)
  let images = 0
  for (;;) {
    countPart()
    const [introducer] = await cursor.take(1)
    if (introducer === trailer) break
    if (introducer === extensionIntroducer) {
      await passExtension(cursor, countSubBlock, scans)
    } else if (introducer === imageSeparator) {
      await passImage(cursor, countSubBlock, screen, budget)
      images++
    } else throw damaged('GIF', 'what should be a block is none')
  }
  if (images === 0) throw damaged('GIF', 'it has no image')
  await assertNothingFollows(cursor, 'GIF', source.sizeBytes)
  return screen
}

async function readScreen(cursor: ByteCursor, budget: UnpackedBudget): Promise<ImageSize> {
  const bytes = await cursor.take(13)
  const screen = { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) }
  budget.assertFits(unpackedBytes(screen, bitsPerPixel))
  await cursor.skip(colourTableBytes(bytes[10]!))
  return screen
}

const colourTableBytes = (packed: number) => (packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0)

async function passImage(
  cursor: ByteCursor,
  countSubBlock: () => void,
  screen: ImageSize,
  budget: UnpackedBudget,
): Promise<void> {
  const bytes = await cursor.take(9)
  const [left, top, width, height] = [0, 2, 4, 6].map((at) => bytes.readUInt16LE(at)) as [
    number,
    number,
    number,
    number,
  ]
  if (left + width > screen.width || top + height > screen.height) throw damaged('GIF', 'an image lies outside of it')
  budget.add(unpackedBytes({ width, height }, bitsPerPixel))
  await cursor.skip(colourTableBytes(bytes[8]!))
  const [codeBits] = await cursor.take(1)
  if (codeBits! < 1 || codeBits! > 8) throw damaged('GIF', 'an image has codes of an impossible size')
  if ((await passSubBlocks(cursor, countSubBlock)) === 0) throw damaged('GIF', 'an image has no pixels')
}

interface TextScans {
  asStored: MarkupScan
  joined: MarkupScan
}

async function passExtension(cursor: ByteCursor, countSubBlock: () => void, scans: TextScans): Promise<void> {
  const [label] = await cursor.take(1)
  const [first] = await cursor.ahead()
  if (first !== (firstBlockBytes[label!] ?? first)) throw damaged('GIF', 'an extension has a wrong length')
  await passSubBlocks(cursor, countSubBlock, scans)
  scans.asStored.finish()
  scans.joined.finish()
}

/** Passes over data sub-blocks up to the terminator (section 15). @returns how many bytes they hold */
async function passSubBlocks(cursor: ByteCursor, countSubBlock: () => void, scans?: TextScans): Promise<number> {
  let dataBytes = 0
  let left = 0
  for (;;) {
    const bytes = await cursor.ahead()
    let isTerminated = false
    let at = 0
    while (at < bytes.length && !isTerminated) {
      if (left === 0) {
        countSubBlock()
        left = bytes[at++]!
        isTerminated = left === 0
        dataBytes += left
      } else {
        const length = Math.min(left, bytes.length - at)
        scans?.joined.add(bytes.subarray(at, at + length))
        at += length
        left -= length
      }
    }
    scans?.asStored.add(bytes.subarray(0, at))
    await cursor.skip(at)
    if (isTerminated) return dataBytes
  }
}
