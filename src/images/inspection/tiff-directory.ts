import { blockReader } from './block-reader.ts'
import type { ByteRange, ByteRanges } from './byte-ranges.ts'
import { damaged } from './image-refused.ts'
import type { ImageSource } from './inspection.ts'

export interface TiffEntry {
  tag: number
  type: number
  count: number
  /** Where the values start in the file: inside the entry itself when they are short. */
  offset: number
}

export interface TiffDirectory {
  entries: Map<number, TiffEntry>
  /** Where the next one of the chain is, 0 at its end. */
  next: number
}

/** A TIFF's directories and what they hold. All methods throw `ImageRefused`, for values outside of the file too. */
export interface TiffFile {
  sizeBytes: number
  headerBytes: number
  firstDirectory: number
  directory(offset: number): Promise<TiffDirectory>
  /** Some of an entry's values, which have to be whole numbers. The caller bounds the count. */
  numbers(entry: TiffEntry, from: number, count: number): Promise<number[]>
  /** The values of a tag, [] where it is absent. More of them than `limit` make no sense. */
  list(directory: TiffDirectory, tag: number, limit: number): Promise<number[]>
  /** An entry's bytes as they come. */
  bytes(entry: TiffEntry): AsyncGenerator<Uint8Array>
  between(range: ByteRange): AsyncGenerator<Uint8Array>
}

/** Bytes of a value by its type (TIFF 6.0 section 2; 13 from the supplement, 16 to 18 from BigTIFF). */
const valueBytes: Record<number, number> = {
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
const pieceBytes = 64 * 1024

/**
 * Opens a classic TIFF or BigTIFF of either byte order.
 * @param ranges where its header, directories and their values are noted
 */
export async function openTiff(source: ImageSource, ranges: ByteRanges): Promise<TiffFile> {
  const { sizeBytes } = source
  const reader = blockReader(source)
  const start = await reader.read(0, 8)
  const littleEndian = start[0] === 0x49
  const isBig = short(start, 2) === 43
  if (isBig && (short(start, 4) !== 8 || short(start, 6) !== 0)) throw damaged('TIFF', 'its header makes no sense')
  const headerBytes = isBig ? 16 : 8
  ranges.add(0, headerBytes)
  const pointerBytes = isBig ? 8 : 4
  const countBytes = isBig ? 8 : 2
  const entryBytes = isBig ? 20 : 12

  function short(bytes: Buffer, at: number): number {
    return littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
  }

  function long(bytes: Buffer, at: number): number {
    return littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
  }

  // Beyond 2^53 the conversion is inexact, which does not matter: no file is as long as that.
  function long8(bytes: Buffer, at: number): number {
    return Number(littleEndian ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
  }

  const pointer = isBig ? long8 : long
  const decoders: Record<number, (bytes: Buffer, at: number) => number> = {
    1: (bytes, at) => bytes[at]!,
    3: short,
    4: long,
    13: long,
    16: long8,
    18: long8,
  }

  /** @param at where the entry stands in `bytes` */
  function readEntry(bytes: Buffer, at: number, position: number): TiffEntry {
    const type = short(bytes, at + 2)
    const count = pointer(bytes, at + 4)
    const field = at + 4 + pointerBytes
    const length = count * (valueBytes[type] ?? 0)
    const offset = length <= pointerBytes ? position + field : pointer(bytes, field)
    if (offset + length > sizeBytes) throw damaged('TIFF', 'it points past its end')
    if (length > pointerBytes) ranges.add(offset, offset + length)
    return { tag: short(bytes, at), type, count, offset }
  }

  async function numbers({ tag, type, count: all, offset }: TiffEntry, from: number, count: number): Promise<number[]> {
    const decode = decoders[type]
    if (!decode || from + count > all) throw damaged('TIFF', `its tag ${tag} makes no sense`)
    const width = valueBytes[type]!
    const bytes = await reader.read(offset + from * width, count * width)
    return Array.from({ length: count }, (_, i) => decode(bytes, i * width))
  }

  async function* between({ start, end }: ByteRange): AsyncGenerator<Uint8Array> {
    for (let at = start; at < end; at += pieceBytes) yield await reader.read(at, Math.min(pieceBytes, end - at))
  }

  return {
    sizeBytes,
    headerBytes,
    numbers,
    between,
    firstDirectory: pointer(isBig ? await reader.read(8, 8) : start, isBig ? 0 : 4),

    async directory(offset) {
      const countField = await reader.read(offset, countBytes)
      const count = isBig ? long8(countField, 0) : short(countField, 0)
      if (count === 0 || count > maxEntries) throw damaged('TIFF', 'a directory has an absurd number of entries')
      const position = offset + countBytes
      const bytes = await reader.read(position, count * entryBytes + pointerBytes)
      ranges.add(offset, position + bytes.length)
      const entries = new Map<number, TiffEntry>()
      for (let i = 0; i < count; i++) {
        const entry = readEntry(bytes, i * entryBytes, position)
        // Readers differ on which one counts, so there is no saying what it shows.
        if (entries.has(entry.tag)) throw damaged('TIFF', `its tag ${entry.tag} stands twice in a directory`)
        entries.set(entry.tag, entry)
      }
      return { entries, next: pointer(bytes, count * entryBytes) }
    },

    async list({ entries }, tag, limit) {
      const entry = entries.get(tag)
      if (!entry) return []
      if (entry.count > limit) throw damaged('TIFF', `its tag ${tag} makes no sense`)
      return numbers(entry, 0, entry.count)
    },

    bytes({ type, count, offset }) {
      return between({ start: offset, end: offset + count * (valueBytes[type] ?? 0) })
    },
  }
}
