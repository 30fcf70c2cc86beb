export interface Tag {
  tag: number
  /** 2 ASCII, 3 SHORT, 4 LONG, 7 UNDEFINED, 13 IFD, 16 LONG8. */
  type: number
  values: number[] | string
  /** In place of how many there are. */
  count?: number
  /** In place of where they are. */
  offset?: number
}

export interface TiffPage {
  tags: Tag[]
  strips: Buffer[]
  /** Directories below this one, by the tag that leads to them. */
  below?: Record<number, TiffPage[]>
  /** In place of where the next directory is. */
  next?: number
}

export interface TiffOptions {
  littleEndian?: boolean
  isBig?: boolean
  /** What stands between the header and everything else. */
  behindHeader?: Uint8Array
}

const widths: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 13: 4, 16: 8 }

export const page = (width = 6, height = 4, rowsPerStrip = 2, ...tags: Tag[]): TiffPage => ({
  tags: [
    { tag: 256, type: 3, values: [width] },
    { tag: 257, type: 4, values: [height] },
    { tag: 258, type: 3, values: [8] },
    { tag: 259, type: 3, values: [1] },
    { tag: 262, type: 3, values: [1] },
    { tag: 277, type: 3, values: [1] },
    { tag: 278, type: 3, values: [rowsPerStrip] },
    ...tags,
  ],
  strips: Array.from({ length: Math.ceil(height / rowsPerStrip) }, (_, strip) =>
    Buffer.alloc(width * Math.min(rowsPerStrip, height - strip * rowsPerStrip), strip + 1),
  ),
})

/** The same in tiles of 16 x 16. */
export const tiledPage = (width = 20, height = 10): TiffPage => ({
  tags: [
    ...page(width, height).tags.filter(({ tag }) => tag !== 278),
    { tag: 322, type: 3, values: [16] },
    { tag: 323, type: 3, values: [16] },
  ],
  strips: Array.from({ length: Math.ceil(width / 16) * Math.ceil(height / 16) }, () => Buffer.alloc(256)),
})

/** Writes pages as a chain: strips first, then the directory, then its longer values. */
export function tiff(
  pages: TiffPage[],
  { littleEndian = true, isBig = false, behindHeader = Buffer.alloc(0) }: TiffOptions = {},
): Buffer {
  const pointerBytes = isBig ? 8 : 4
  const countBytes = isBig ? 8 : 2
  const parts: Buffer[] = []
  let position = 0

  function number(value: number, bytes: number): Buffer {
    const buffer = Buffer.alloc(bytes)
    if (bytes === 8) buffer[littleEndian ? 'writeBigUInt64LE' : 'writeBigUInt64BE'](BigInt(value))
    else buffer[littleEndian ? 'writeUIntLE' : 'writeUIntBE'](value, 0, bytes)
    return buffer
  }

  function append(...buffers: Buffer[]): number {
    const start = position
    parts.push(...buffers)
    position += buffers.reduce((sum, { length }) => sum + length, 0)
    return start
  }

  function writePage(
    { tags, strips, below = {}, next }: TiffPage,
    nextPage?: () => number,
  ): { offset: number; link: () => void } {
    const isTiled = tags.some(({ tag }) => tag === 322)
    const offsets = strips.map((strip) => append(strip))
    const children = Object.entries(below).map(([tag, directories]): Tag => {
      const values = directories.map((directory) => {
        const child = writePage(directory)
        child.link()
        return child.offset
      })
      return { tag: Number(tag), type: 4, values }
    })
    const type = isBig ? 16 : 4
    const places: Tag[] =
      strips.length === 0
        ? []
        : [
            { tag: isTiled ? 324 : 273, type, values: offsets },
            { tag: isTiled ? 325 : 279, type: 4, values: strips.map(({ length }) => length) },
          ]
    const given = new Set(tags.map(({ tag }) => tag))
    const all = [...tags, ...places.filter(({ tag }) => !given.has(tag)), ...children].sort((a, b) => a.tag - b.tag)
    if (position % 2) append(Buffer.alloc(1))
    const offset = position
    const directoryBytes = countBytes + all.length * (isBig ? 20 : 12) + pointerBytes
    let behind = offset + directoryBytes
    const longer: Buffer[] = []
    const entries = all.map(({ tag, type, values, count, offset: elsewhere }) => {
      const bytes =
        typeof values === 'string'
          ? Buffer.from(`${values}\0`, 'latin1')
          : Buffer.concat(values.map((value) => number(value, widths[type]!)))
      const field = Buffer.alloc(pointerBytes)
      if (elsewhere !== undefined) number(elsewhere, pointerBytes).copy(field)
      else if (bytes.length <= pointerBytes) bytes.copy(field)
      else {
        number(behind, pointerBytes).copy(field)
        longer.push(bytes)
        behind += bytes.length
      }
      const known = count ?? bytes.length / widths[type]!
      return Buffer.concat([number(tag, 2), number(type, 2), number(known, pointerBytes), field])
    })
    const nextField = Buffer.alloc(pointerBytes)
    append(number(all.length, countBytes), ...entries, nextField, ...longer)
    return { offset, link: () => number(next ?? nextPage?.() ?? 0, pointerBytes).copy(nextField) }
  }

  const first = Buffer.alloc(pointerBytes)
  append(Buffer.from(littleEndian ? 'II' : 'MM'), number(isBig ? 43 : 42, 2))
  if (isBig) append(number(8, 2), number(0, 2))
  append(first, Buffer.from(behindHeader))
  const written: { offset: number; link: () => void }[] = []
  for (const [i, each] of pages.entries()) written.push(writePage(each, () => written[i + 1]?.offset ?? 0))
  for (const { link } of written) link()
  number(written[0]?.offset ?? 0, pointerBytes).copy(first)
  return Buffer.concat(parts)
}
