import type { FileHandle } from 'node:fs/promises'
import { RasterError } from './raster-error.ts'

/** The first image file directory of a TIFF: its tags, read only when asked for and never beyond the file's end. */
export interface TiffDirectory {
  littleEndian: boolean
  has(tag: number): boolean
  count(tag: number): number
  /** The numbers of a tag; [] where it is absent. `limit` bounds what a hostile count may make us allocate. */
  numbers(tag: number, limit: number): Promise<number[]>
  /** The text of a tag without its closing NULs, '' where it is absent. */
  text(tag: number, limit: number): Promise<string>
}

interface Entry {
  type: number
  count: number
  /** Where the values start in the file: inside the entry itself when they are short. */
  offset: number
}

const notATiff = () => new RasterError('The file is not a TIFF.')
const truncated = () => new RasterError('The file is damaged or incomplete: its directory points past the end.')

const typeBytes: Record<number, number> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
}

const maxEntries = 4096

/**
 * Reads the first directory of a classic TIFF or BigTIFF (TIFF 6.0, section 2).
 *
 * Our own reader rather than geotiff.js, because uploads are not trusted: that one allocates whatever count a directory
 * claims, inflates without a bound, loops for ever on a crafted LZW strip, and misreads long arrays of big-endian files.
 * The tests use it as the independent judge instead.
 * @throws RasterError when the file is no TIFF or its directory lies outside it
 */
export async function readTiffDirectory(file: FileHandle, sizeBytes: number): Promise<TiffDirectory> {
  const read = boundedReader(file, sizeBytes)
  const header = await readHeader(read, sizeBytes)
  const entries = await readEntries(read, header)
  const { littleEndian } = header

  async function load(tag: number, limit: number): Promise<{ entry: Entry; view: DataView } | undefined> {
    const entry = entries.get(tag)
    if (!entry) return undefined
    const width = typeBytes[entry.type]
    if (!width || entry.count > limit) throw new RasterError(`The file is damaged: its tag ${tag} makes no sense.`)
    return { entry, view: await read(entry.offset, entry.count * width) }
  }

  return {
    littleEndian,
    has: (tag) => entries.has(tag),
    count: (tag) => entries.get(tag)?.count ?? 0,
    async numbers(tag, limit) {
      const loaded = await load(tag, limit)
      return loaded ? decodeNumbers(loaded.view, loaded.entry, littleEndian) : []
    },
    async text(tag, limit) {
      const loaded = await load(tag, limit)
      return loaded ? Buffer.from(loaded.view.buffer).toString('latin1').replace(/\0+$/, '') : ''
    },
  }
}

type BoundedRead = (offset: number, length: number) => Promise<DataView>

interface Header {
  littleEndian: boolean
  isBig: boolean
  directoryOffset: number
}

/** Reads exact byte ranges; a range that leaves the file is refused before anything is allocated for it. */
function boundedReader(file: FileHandle, sizeBytes: number): BoundedRead {
  return async (offset, length) => {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > sizeBytes) throw truncated()
    const bytes = new Uint8Array(length)
    const { bytesRead } = await file.read(bytes, 0, length, offset)
    if (bytesRead < length) throw truncated()
    return new DataView(bytes.buffer)
  }
}

async function readHeader(read: BoundedRead, sizeBytes: number): Promise<Header> {
  if (sizeBytes < 8) throw notATiff()
  const view = await read(0, 8)
  const order = view.getUint16(0)
  if (order !== 0x4949 && order !== 0x4d4d) throw notATiff()
  const littleEndian = order === 0x4949
  const magic = view.getUint16(2, littleEndian)
  if (magic === 42) return { littleEndian, isBig: false, directoryOffset: view.getUint32(4, littleEndian) }
  if (magic !== 43 || view.getUint16(4, littleEndian) !== 8) throw notATiff()
  return { littleEndian, isBig: true, directoryOffset: readOffset(await read(8, 8), 0, littleEndian) }
}

async function readEntries(read: BoundedRead, { littleEndian, isBig, directoryOffset }: Header) {
  const countBytes = isBig ? 8 : 2
  const countView = await read(directoryOffset, countBytes)
  const count = isBig ? readOffset(countView, 0, littleEndian) : countView.getUint16(0, littleEndian)
  if (count > maxEntries) throw new RasterError('The file is damaged: its directory makes no sense.')
  const [entryBytes, inlineBytes] = isBig ? [20, 8] : [12, 4]
  const start = directoryOffset + countBytes
  const view = await read(start, count * entryBytes)
  const entries = new Map<number, Entry>()
  for (let at = 0; at < view.byteLength; at += entryBytes) {
    const type = view.getUint16(at + 2, littleEndian)
    const values = isBig ? readOffset(view, at + 4, littleEndian) : view.getUint32(at + 4, littleEndian)
    const field = at + entryBytes - inlineBytes
    const isInline = values * (typeBytes[type] ?? 1) <= inlineBytes
    const pointer = () => (isBig ? readOffset(view, field, littleEndian) : view.getUint32(field, littleEndian))
    entries.set(view.getUint16(at, littleEndian), { type, count: values, offset: isInline ? start + field : pointer() })
  }
  return entries
}

// Beyond 2^53 the conversion is inexact, which does not matter: such an offset lies outside any file and is refused.
const readOffset = (view: DataView, at: number, littleEndian: boolean) => Number(view.getBigUint64(at, littleEndian))

function decodeNumbers(view: DataView, { type, count }: Entry, littleEndian: boolean): number[] {
  const width = typeBytes[type]!
  const numbers = new Array<number>(count)
  for (let i = 0; i < count; i++) numbers[i] = decodeNumber(view, i * width, type, littleEndian)
  return numbers
}

function decodeNumber(view: DataView, at: number, type: number, littleEndian: boolean): number {
  switch (type) {
    case 3:
      return view.getUint16(at, littleEndian)
    case 4:
    case 13:
      return view.getUint32(at, littleEndian)
    case 6:
      return view.getInt8(at)
    case 8:
      return view.getInt16(at, littleEndian)
    case 9:
      return view.getInt32(at, littleEndian)
    case 11:
      return view.getFloat32(at, littleEndian)
    case 12:
      return view.getFloat64(at, littleEndian)
    case 16:
    case 18:
      return readOffset(view, at, littleEndian)
    case 17:
      return Number(view.getBigInt64(at, littleEndian))
    default:
      return view.getUint8(at)
  }
}
