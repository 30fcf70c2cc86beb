import { type ByteCursor, openCursor } from './byte-cursor.ts'
import { isMaskNext, passMask } from './gdal-mask.ts'
import { damaged, ImageRefused } from './image-refused.ts'
import type { ImageSize, Inspection } from './inspection.ts'
import { byteSet, padding } from './other-kind.ts'
import { partCounter } from './part-counter.ts'
import { type MarkupScan, markupScan } from './polyglot.ts'
import { samsungTrailerBytes } from './samsung-trailer.ts'
import { refusedFor } from './trailing.ts'
import { type UnpackedBudget, unpackedBytes } from './unpacked-budget.ts'

/** Marker codes (T.81, table B.1). */
const soi = 0xd8
const eoi = 0xd9
const sos = 0xda
const dri = 0xdd
const fill = byteSet(0xff)
const isRestart = (code: number) => code >= 0xd0 && code <= 0xd7
/** Tables, comments and application data: segments that are passed over by their length. */
const isPassedOver = (code: number) =>
  [0xc4, 0xcc, 0xdb, 0xdc, dri, 0xfe].includes(code) || (code >= 0xe0 && code <= 0xef)
/** Baseline, extended and progressive with Huffman coding, which is all that cameras write; and the last two with arithmetic coding. */
const isFrame = (code: number) => [0xc0, 0xc1, 0xc2, 0xc9, 0xca].includes(code)
const isOtherFrame = (code: number) => code >= 0xc0 && code <= 0xcf && !isFrame(code) && !isPassedOver(code)

/** A progressive image has about ten; each has a decoder go over all pixels once more. */
const maxScans = 200

/**
 * Walks a JPEG (ITU-T T.81, annex B) with its scans, and what is appended to one: padding, further whole JPEGs (CIPA
 * DC-007 previews, gain maps), Samsung's trailer, GDAL's mask. The size is the first image's.
 * @throws ImageRefused
 */
export async function inspectJpeg({ source, head, tail, budget }: Inspection): Promise<ImageSize> {
  await using cursor = openCursor(source)
  const markup = markupScan(head)
  const walk = { cursor, markup, budget, countPart: partCounter('JPEG', source.sizeBytes) }
  const trailerBytes = samsungTrailerBytes(tail)
  const end = source.sizeBytes - trailerBytes
  await cursor.skip(2)
  const size = await passImage(walk)
  if (isMaskNext(cursor.position(), tail, source.sizeBytes)) await passMask(cursor, size, source.sizeBytes)
  while (await isImageNext(cursor, end)) await passImage(walk)
  if (cursor.position() > end) throw damaged('JPEG', 'its trailer lies inside of it')
  markup.add(tail.subarray(tail.length - trailerBytes))
  markup.finish()
  return size
}

/**
 * Passes over padding: NULs, white space, fill bytes, and EOI once more. @returns whether a further image follows; its SOI
 * is then passed
 */
async function isImageNext(cursor: ByteCursor, end: number): Promise<boolean> {
  let isAfterFf = false
  while (cursor.position() < end) {
    const bytes = (await cursor.ahead()).subarray(0, end - cursor.position())
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (isAfterFf && byte === soi) {
        await cursor.skip(at + 1)
        return true
      }
      const isHarmless = byte === 0xff || padding[byte] === 1 || (isAfterFf && byte === eoi)
      if (!isHarmless) {
        await cursor.skip(at)
        throw await refusedFor(cursor, 'JPEG', end)
      }
      isAfterFf = byte === 0xff
    }
    await cursor.skip(bytes.length)
  }
  return false
}

interface Walk {
  cursor: ByteCursor
  markup: MarkupScan
  budget: UnpackedBudget
  countPart: () => void
}

/** From behind SOI past EOI. */
async function passImage(walk: Walk): Promise<ImageSize> {
  const { cursor, markup, budget } = walk
  let frame: Frame | undefined
  let scans = 0
  let code = await readMarker(cursor)
  while (code !== eoi) {
    walk.countPart()
    if (isOtherFrame(code)) throw unusual()
    const isScan = code === sos
    if (isFrame(code)) {
      if (frame) throw damaged('JPEG', 'it has a second frame')
      frame = readFrame(await readSegment(cursor, markup), code)
      budget.add(unpackedBytes(frame, frame.bitsPerPixel))
    } else if (isScan) {
      assertScan(await readSegment(cursor, markup), frame)
      if (++scans > maxScans) throw new ImageRefused('too_large_decoded', `The JPEG has more than ${maxScans} scans.`)
    } else if (isPassedOver(code)) await readSegment(cursor, markup)
    else throw damaged('JPEG', 'it has a marker that makes no sense')
    code = isScan ? await passEntropyData(cursor) : await readMarker(cursor)
  }
  if (!frame || scans === 0) throw damaged('JPEG', 'it has no pixels')
  return frame
}

const unusual = () => new ImageRefused('not_an_image', 'The JPEG is lossless or hierarchical; save it as a usual one.')

async function readMarker(cursor: ByteCursor): Promise<number> {
  const [first] = await cursor.take(1)
  if (first !== 0xff) throw damaged('JPEG', 'there is no marker where one should be')
  await cursor.skipRun(fill, Number.POSITIVE_INFINITY)
  const [code] = await cursor.take(1)
  return code!
}

/** All of a segment behind its length, at most 64 KiB. */
async function readSegment(cursor: ByteCursor, markup: MarkupScan): Promise<Buffer> {
  const length = (await cursor.take(2)).readUInt16BE()
  if (length < 2) throw damaged('JPEG', 'a segment is too short')
  const bytes = await cursor.take(length - 2)
  markup.add(bytes)
  markup.finish()
  return bytes
}

interface Frame extends ImageSize {
  bitsPerPixel: number
  components: Set<number>
}

/** T.81 B.2.2. A height of zero, to be told later by DNL, is nothing that cameras write. */
function readFrame(bytes: Buffer, code: number): Frame {
  const count = bytes[5] ?? 0
  if (count < 1 || count > 4 || bytes.length !== 6 + 3 * count) throw damaged('JPEG', 'its frame header is broken')
  const precision = bytes[0]!
  const isPrecise = precision === 8 || (precision === 12 && code !== 0xc0)
  const components = new Set<number>()
  for (let at = 6; at < bytes.length; at += 3) {
    const [id, sampling, table] = bytes.subarray(at) as unknown as [number, number, number]
    const isSampled = [sampling >> 4, sampling & 15].every((factor) => factor >= 1 && factor <= 4)
    if (!isSampled || table > 3) throw damaged('JPEG', 'its frame header makes no sense')
    components.add(id)
  }
  if (!isPrecise || components.size < count) throw damaged('JPEG', 'its frame header makes no sense')
  const [height, width] = [bytes.readUInt16BE(1), bytes.readUInt16BE(3)]
  return { width, height, bitsPerPixel: count * precision, components }
}

/** T.81 B.2.3. */
function assertScan(bytes: Buffer, frame: Frame | undefined): void {
  const count = bytes[0] ?? 0
  if (!frame || count < 1 || count > 4 || bytes.length !== 4 + 2 * count) throw damaged('JPEG', 'a scan is broken')
  for (let at = 1; at < 1 + 2 * count; at += 2) {
    if (!frame.components.has(bytes[at]!)) throw damaged('JPEG', 'a scan is of a component that there is not')
  }
}

/**
 * Passes over entropy-coded data with its stuffed zeros, restarts and fill bytes (T.81 B.1.1). @returns the marker
 * behind it
 */
async function passEntropyData(cursor: ByteCursor): Promise<number> {
  const start = cursor.position()
  let isAfterFf = false
  for (;;) {
    const bytes = await cursor.ahead()
    let at = 0
    while (at < bytes.length) {
      if (!isAfterFf) {
        const ff = bytes.indexOf(0xff, at)
        isAfterFf = ff !== -1
        at = isAfterFf ? ff + 1 : bytes.length
        continue
      }
      const code = bytes[at++]!
      isAfterFf = code === 0xff
      if (isAfterFf || code === 0 || isRestart(code)) continue
      await cursor.skip(at)
      if (cursor.position() === start + 2) throw damaged('JPEG', 'a scan has no data')
      return code
    }
    await cursor.skip(at)
  }
}
