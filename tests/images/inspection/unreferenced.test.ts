import { describe, expect, test } from 'vitest'
import { byteRanges } from '../../../src/images/inspection/byte-ranges.ts'
import { inspectImage } from '../../../src/images/inspection/image-inspection.ts'
import { samples } from './samples.ts'
import { lazySource, type Part, reasonFor, verdictOn } from './support.ts'
import { page, type Tag, tiff, tiledPage } from './tiff-bytes.ts'

const latin1 = (text: string) => Buffer.from(text, 'latin1')
const hidden: [string, string, Buffer][] = [
  ['a page', 'a web page or a script', latin1('<html><script>alert(1)</script></html>')],
  ['a page in a text', 'a web page or a script', latin1(`${'words '.repeat(160)}<!DocType html>`)],
  ['a script', 'a web page or a script', latin1('hello <ScRipt>alert(1)')],
  ['PHP', 'a web page or a script', latin1('GIF89a <?php system($_GET[0]) ?>')],
  ['SVG', 'a web page or a script', latin1('<?xml version="1.0"?><svg onload="alert(1)"/>')],
  ['a 7z', 'an archive', latin1("7z\xbc\xaf'\x1c\0\x04 and more")],
  ['a RAR', 'an archive', latin1('Rar!\x1a\x07\x01\0 and more')],
  ['a ZIP without its end', 'an archive', latin1('PK\x03\x04\x14\0\0\0 and more')],
  ['a gzip', 'an archive', latin1('\x1f\x8b\x08\0 and more')],
  ['a tar', 'an archive', Buffer.concat([Buffer.alloc(257, 'a'), latin1('ustar')])],
  ['a film', 'a film', latin1('\0\0\0\x18ftypmp42\0\0\0\0')],
  ['a film of a size that reads like a space', 'a film', latin1('\0\0\0\x20ftypisom\0\0\0\0')],
  ['a Matroska film', 'a film', latin1('\x1aE\xdf\xa3 and more')],
  ['an AVI', 'a film or a sound', latin1('RIFF\x20\x01\0\0AVI LIST')],
  ['ELF', 'a program', latin1('\x7fELF\x02\x01\x01\0 and more')],
  ['a shell script', 'a program', latin1('#!/bin/sh\nid > /tmp/x')],
  ['a Windows program', 'a program', latin1('MZ\x90\0\x03\0\0\0 and more')],
  ['PostScript', 'a document', latin1('%!PS-Adobe-3.0')],
  ['SQLite', 'a database', latin1('SQLite format 3\0')],
]

const harmless: [string, Buffer][] = [
  ['zeros', Buffer.alloc(5000)],
  ['words', latin1('A reef at noon, and 3 < 4; scripts & html')],
  ['noise', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31 + 7) & 255))],
  ['an earlier JPEG', latin1('\xff\xd8\xff\xe0\0\x10JFIF')],
  ['earlier XMP', latin1('<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"/>')],
  ['an earlier directory', tiff([page()]).subarray(32)],
]

const isTiff = [
  ...samples.filter(({ facts }) => facts.type === 'image/tiff'),
  {
    name: 'its directory at its end',
    bytes: tiff([page(6, 4, 4)]),
    facts: { type: 'image/tiff', width: 6, height: 4 },
  },
]
const refusal = (kind: string) => ({
  reason: 'polyglot',
  message: `The TIFF holds ${kind} besides its image; save the image anew.`,
})

/** Between two strips, which are told to be elsewhere. */
function betweenStrips(bytes: Buffer): Buffer {
  const strips = [Buffer.alloc(12, 1), bytes, Buffer.alloc(12, 2)]
  const places: Tag[] = [
    { tag: 273, type: 4, values: [8, 20 + bytes.length] },
    { tag: 279, type: 4, values: [12, 12] },
  ]
  return tiff([{ ...page(6, 4, 2, ...places), strips }])
}

describe('what no directory of a TIFF points at', () => {
  test.each(hidden)('is refused where it is %s, whatever TIFF it hangs on to', async (_, kind, bytes) => {
    for (const sample of isTiff) {
      for (const before of [Buffer.alloc(0), latin1('\0\n \0'), Buffer.alloc(100_000)])
        expect(await verdictOn(Buffer.concat([sample.bytes, before, bytes])), sample.name).toEqual(refusal(kind))
    }
  })

  test.each(hidden)('is refused where it is %s, inside of the file too', async (_, kind, bytes) => {
    for (const isBig of [false, true])
      expect(await verdictOn(tiff([page()], { isBig, behindHeader: bytes }))).toEqual(refusal(kind))
    expect(await verdictOn(betweenStrips(bytes))).toEqual(refusal(kind))
    const first = tiff([page()], { behindHeader: bytes })
    expect(await verdictOn(Buffer.concat([first, latin1('left behind')]))).toEqual(refusal(kind))
  })

  test.each(harmless)("is nobody's concern where it is %s", async (_, bytes) => {
    for (const sample of isTiff) expect(await verdictOn(Buffer.concat([sample.bytes, bytes]))).toEqual(sample.facts)
    expect(await reasonFor(tiff([page()], { behindHeader: bytes }))).toBe('accepted')
    expect(await reasonFor(betweenStrips(bytes))).toBe('accepted')
  })

  test('is refused with a page far into it, and so are the bytes of a tag', async () => {
    const bytes = latin1(`${'x'.repeat(100_000)}<script>`)
    const tagged = (type: number) => tiff([page(6, 4, 2, { tag: 37_510, type, values: [...bytes] })])

    expect(await reasonFor(Buffer.concat([tiff([page()]), bytes]))).toBe('polyglot')
    expect(await reasonFor(betweenStrips(bytes))).toBe('polyglot')
    for (const type of [1, 2, 6, 7]) expect(await reasonFor(tagged(type))).toBe('polyglot')
  })

  test('is told from what the file holds in its strips, tiles and tags', async () => {
    const [, , program] = hidden.find(([name]) => name === 'ELF')!
    const pixels = Buffer.concat([program, Buffer.alloc(512)])
    const tag: Tag = { tag: 50_000, type: 7, values: [...pixels] }

    expect(await reasonFor(tiff([{ ...page(16, 16, 16), strips: [pixels] }]))).toBe('accepted')
    expect(await reasonFor(tiff([{ ...tiledPage(16, 16), strips: [pixels] }]))).toBe('accepted')
    expect(await reasonFor(tiff([page(6, 4, 2, tag)]))).toBe('accepted')
    const deflated = page(16, 16, 16).tags.map((each) => (each.tag === 259 ? { ...each, values: [8] } : each))
    expect(await reasonFor(tiff([{ tags: deflated, strips: [pixels] }]))).toBe('accepted')
  })

  test('is also what a strip has beyond its pixels, or a page beyond its strips', async () => {
    const pixels = Buffer.concat([Buffer.alloc(24), latin1('#!/bin/sh\nid > /tmp/x')])

    expect(await reasonFor(tiff([{ ...page(6, 4, 4), strips: [pixels] }]))).toBe('polyglot')
    expect(await reasonFor(tiff([{ ...page(6, 4, 4), strips: [pixels.subarray(0, 24), pixels.subarray(24)] }]))).toBe(
      'polyglot',
    )
    expect(await reasonFor(tiff([{ ...page(6, 4, 4), strips: [Buffer.alloc(5000)] }]))).toBe('accepted')
  })

  test('may be how GDAL says that a file is laid out', async () => {
    const layout = (text: string, length = text.length) =>
      latin1(`GDAL_STRUCTURAL_METADATA_SIZE=${String(length).padStart(6, '0')} bytes\n${text}`)
    const words = 'LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n'
    const verdict = (bytes: Uint8Array) => reasonFor(tiff([page()], { behindHeader: bytes }))

    expect(await verdict(layout(words))).toBe('accepted')
    expect(await verdict(Buffer.concat([layout(words), latin1('7z\xbc\xaf\x27\x1c and more')]))).toBe('polyglot')
    expect(await verdict(layout(`${' '.repeat(2000)}<script>`))).toBe('polyglot')
    expect(await verdict(layout(words, 999_999))).toBe('damaged')
  })

  test('is told from what GDAL repeats behind each tile', async () => {
    const said = (words: string) =>
      latin1(`GDAL_STRUCTURAL_METADATA_SIZE=${String(words.length).padStart(6, '0')} bytes\n${words}`)
    const layout = said('LAYOUT=IFDS_BEFORE_DATA\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\n')
    const start = 8 + layout.length
    /** A tile at the end of the file, as in a cloud-optimized one. */
    const file = (behindHeader: Buffer, ...more: string[]) => {
      const directory = (offset: number) =>
        tiff([{ ...tiledPage(16, 16), tags: [...tiledPage(16, 16).tags, { tag: 324, type: 4, values: [offset] }] }], {
          behindHeader,
        })
      const elsewhere = directory(start)
      const tile = Buffer.alloc(256, 'tile')
      return Buffer.concat([directory(elsewhere.length), tile, latin1(more.join(''))])
    }

    expect(await reasonFor(file(layout, 'tile'))).toBe('accepted')
    for (const [, kind, bytes] of hidden) {
      const more = ['tile', bytes.toString('latin1')]
      expect(await verdictOn(file(layout, ...more))).toEqual(refusal(kind))
    }
    const other = said('LAYOUT=IFDS_BEFORE_DATA\nBLOCK_TRAILER=NONE_THAT_IS_REPEATED\n')
    expect(await reasonFor(file(other, '#!/bin/sh'))).toBe('polyglot')
    expect(await reasonFor(file(layout, '#!/bin/sh'))).toBe('accepted')
    expect(await reasonFor(file(Buffer.alloc(layout.length, 'x'), 'tile', '#!/bin/sh'))).toBe('accepted')
  })

  test('is looked at once, in a file of hundreds of MB', async () => {
    const [start, end] = [tiff([page()]), latin1('<svg onload="alert(1)">')]
    let chunks = 0
    const file = (parts: Part[]) => lazySource(parts, () => chunks++)
    const zeros = { bytes: Buffer.alloc(65_536), times: 4000 }

    await expect(inspectImage(file([start, zeros, end]))).rejects.toMatchObject({ reason: 'polyglot' })
    chunks = 0
    expect(await inspectImage(file([start, zeros]))).toMatchObject({ width: 6 })
    // Once from the start, and once more for its head and tail.
    expect(chunks).toBeLessThan(2 * 4000 + 100)
  })
})

describe('ranges of bytes', () => {
  test('leave gaps between them, in whatever order they come', () => {
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const ranges = byteRanges()
      const all = [
        [10, 20],
        [15, 30],
        [60, 70],
        [79, 90],
      ] as const
      for (const i of order) ranges.add(all[i]![0], all[i]![1])

      expect(ranges.gaps(100)).toEqual([
        { start: 0, end: 10 },
        { start: 30, end: 60 },
        { start: 70, end: 79 },
        { start: 90, end: 100 },
      ])
    }
  })

  test('that touch, overlap or lie a few bytes apart are one, but not at the end of the file', () => {
    const ranges = byteRanges()
    for (const [start, end] of [
      [0, 50],
      [10, 20],
      [58, 60],
      [60, 99],
      [70, 70],
    ] as const)
      ranges.add(start, end)

    expect(ranges.gaps(100)).toEqual([{ start: 99, end: 100 }])
    expect(byteRanges().gaps(5)).toEqual([{ start: 0, end: 5 }])
  })

  test('of nothing join nothing', () => {
    const ranges = byteRanges()
    for (const [start, end] of [
      [0, 50],
      [58, 58],
      [66, 100],
    ] as const)
      ranges.add(start, end)

    expect(ranges.gaps(100)).toEqual([{ start: 50, end: 66 }])
  })

  test('are forgotten where there are too many, the smallest gaps first', () => {
    const ranges = byteRanges()
    const count = 300_000
    // From the last to the first, so that none touches the one before.
    for (let i = count - 1; i >= 0; i--) ranges.add(100 * i, 100 * i + (i === 12_345 ? 10 : 50))

    const gaps = ranges.gaps(100 * count)

    expect(gaps.length).toBeLessThanOrEqual(65_537)
    expect(gaps).toContainEqual({ start: 1_234_510, end: 1_234_600 })
    expect(gaps.at(-1)).toEqual({ start: 100 * count - 50, end: 100 * count })
  })
})
