import { describe, expect, test } from 'vitest'
import { inspectImage } from '../../../src/images/inspection/image-inspection.ts'
import { animatedGif, gif, gifFrame, gifScreen } from './gif-bytes.ts'
import { eoi, frame, huffman, quantization, scan, segment, soi } from './jpeg-bytes.ts'
import { frameControl, frameData, noise, png, pngChunk, pngHeader, pngSignature, uint32 } from './png-bytes.ts'
import { lazySource, reasonFor, sourceOf, verdictOn } from './support.ts'
import { page, type Tag, type TiffPage, tiff, tiledPage } from './tiff-bytes.ts'
import { animation, bitstream, canvasHeader, losslessWebp, webp, webpChunk, webpFrame } from './webp-bytes.ts'

const replaced = (bytes: Buffer, at: number, ...values: number[]) => {
  const copy = Buffer.from(bytes)
  copy.set(values, at)
  return copy
}

const control = pngChunk('acTL', uint32(2, 0))
const animatedBy = (before: Buffer[], ...after: Buffer[]) => png({ before, after })
const first = frameControl({ sequence: 0 })
const second = [frameControl({ sequence: 1 }), frameData(2)]

/** Says that it holds three bytes, and has the checksum of the four that are read. */
const forged = Buffer.concat([uint32(3), pngChunk('fdAT', uint32(3)).subarray(4)])

describe('a PNG', () => {
  test.each([
    ['a header of no width', pngOf({ width: 0 })],
    ['a header of no height', pngOf({ height: 0 })],
    ['a header of 2^31 pixels', pngOf({ width: 2 ** 31 })],
    ['a bit depth that its colour type has not', pngOf({ bitDepth: 4 })],
    ['a colour type that there is not', pngOf({ colourType: 5 })],
    ['an interlacing that there is not', pngOf({ interlace: 2 })],
    ['no header', Buffer.concat([pngSignature, png().subarray(33)])],
    ['a second header', png({ before: [pngHeader()] })],
    ['a short header', Buffer.concat([pngSignature, pngChunk('IHDR', Buffer.alloc(12)), png().subarray(33)])],
    ['no pixels', png({ compressed: Buffer.alloc(0) })],
    ['pixels in two places', png({ after: [pngChunk('tEXt', 'a\0b'), pngChunk('IDAT')] })],
    ['no palette', Buffer.concat([pngSignature, pngHeader({ colourType: 3 }), png().subarray(33)])],
    ['a palette behind its pixels', png({ after: [pngChunk('PLTE', 'abc')] })],
    ['two palettes', png({ before: [pngChunk('PLTE', 'abc'), pngChunk('PLTE', 'abc')] })],
    ['a palette of four bytes', png({ before: [pngChunk('PLTE', 'abcd')] })],
    ['a palette of 257 colours', png({ before: [pngChunk('PLTE', Buffer.alloc(257 * 3))] })],
    ['an empty palette', png({ before: [pngChunk('PLTE')] })],
    ['a critical chunk that nobody knows', png({ before: [pngChunk('ABCD')] })],
    ['a chunk without a name', png({ before: [pngChunk('ab 1')] })],
    ['an end that holds something', png({ after: [pngChunk('IEND', 'x')] })],
    ['a frame without an animation', animatedBy([frameControl({ sequence: 0 })])],
    ['frame data without an animation', animatedBy([], frameData(0))],
    ['frame data without a frame', animatedBy([control, first], ...second, pngChunk('tEXt', 'a\0b'), frameData(3))],
    ['a frame without data', animatedBy([control, first], frameControl({ sequence: 1 }))],
    ['a frame before the data of another', animatedBy([control], frameControl({ sequence: 0 }), ...second)],
    ['fewer frames than it says', animatedBy([control, first])],
    ['more frames than it says', animatedBy([control, first], ...second, frameControl({ sequence: 3 }), frameData(4))],
    ['frames in a wrong order', animatedBy([control, first], frameControl({ sequence: 2 }), frameData(1))],
    ['frame data in a wrong order', animatedBy([control, first], frameControl({ sequence: 1 }), frameData(3))],
    ['frame data too short for its order', animatedBy([control, first], ...second, forged)],
    ['an animation that starts late', animatedBy([], control, frameControl({ sequence: 0 }), frameData(1))],
    ['two animations', animatedBy([control, control, first], ...second)],
    ['a frame too far right', animatedBy([control, first], frameControl({ sequence: 1, x: 1 }), frameData(2))],
    ['a frame too far down', animatedBy([control, first], frameControl({ sequence: 1, y: 1 }), frameData(2))],
    ['an empty frame', animatedBy([control, first], frameControl({ sequence: 1, width: 0 }), frameData(2))],
    ['a first frame that is not its image', animatedBy([control, frameControl({ sequence: 0, height: 3 })], ...second)],
    ['two first frames', animatedBy([control, first, frameControl({ sequence: 1 })])],
  ])('with %s is damaged', async (_, bytes) => {
    expect(await reasonFor(bytes)).toBe('damaged')
  })

  test('is sound in the animation that the others are made of', async () => {
    expect(await reasonFor(animatedBy([control, first], ...second))).toBe('accepted')
  })

  test('with a chunk that does not match its checksum is damaged, whichever chunk it is', async () => {
    const bytes = png({
      before: [pngChunk('tEXt', 'a\0b'), pngChunk('zTXt', 'a\0\0x\x9c\x03\0\0\0\0\x01')],
      idatBytes: 10,
    })
    expect(await reasonFor(bytes)).toBe('accepted')

    for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
      const checksum = at + 8 + bytes.readUInt32BE(at)
      expect(
        await reasonFor(replaced(bytes, checksum, bytes[checksum]! ^ 1)),
        bytes.toString('latin1', at + 4, at + 8),
      ).toBe('damaged')
    }
  })
})

describe('a row of a PNG', () => {
  const [width, height] = [13, 11]
  const forms = [
    { bitDepth: 8, colourType: 2, interlace: 0 },
    { bitDepth: 1, colourType: 0, interlace: 0 },
    { bitDepth: 8, colourType: 2, interlace: 1 },
    { bitDepth: 1, colourType: 0, interlace: 1 },
  ]
  /** Where each row starts, by the pixels of each pass (PNG 8.2). */
  function rowStarts({ bitDepth, colourType, interlace }: (typeof forms)[number]): number[] {
    const pattern = ['16462646', '77777777', '56565656', '77777777', '36463646', '77777777', '56565656', '77777777']
    const bits = bitDepth * (colourType === 2 ? 3 : 1)
    const starts = [0]
    for (const pass of interlace ? '1234567' : ' ') {
      for (let y = 0; y < height; y++) {
        const isOfPass = (_: unknown, x: number) => !interlace || pattern[y % 8]![x % 8] === pass
        const pixels = Array.from({ length: width }).filter(isOfPass).length
        if (pixels > 0) starts.push(starts.at(-1)! + 1 + Math.ceil((pixels * bits) / 8))
      }
    }
    return starts
  }

  test.each(forms)('has one of the five filters: %o', async (form) => {
    const starts = rowStarts(form)
    const end = starts.pop()!
    const filtered = (filter: number, at: number) => {
      const rows = Buffer.alloc(end, 0xff)
      for (const [i, start] of starts.entries()) rows[start] = i % 5
      rows[at] = filter
      return png({ width, height, ...form, rows })
    }

    expect(await reasonFor(filtered(4, 0))).toBe('accepted')
    for (const start of starts) {
      expect(await verdictOn(filtered(5, start)), String(start)).toEqual({
        reason: 'damaged',
        message: expect.stringContaining('a filter that there is not'),
      })
    }
  })

  test('has it also where rows are longer than what is inflated at a time', async () => {
    const [width, height] = [200_000, 5]
    const rows = noise(width, height, 8)
    const form = { width, height, bitDepth: 8, colourType: 0 }
    expect(await reasonFor(png({ ...form, rows }))).toBe('accepted')

    for (let row = 0; row < height; row++) {
      const spoilt = Buffer.from(rows)
      spoilt[row * (width + 1)] = 255
      expect(await reasonFor(png({ ...form, rows: spoilt }))).toBe('damaged')
    }
  })
})

function pngOf(header: Parameters<typeof pngHeader>[0]): Buffer {
  return Buffer.concat([pngSignature, pngHeader(header), png().subarray(33)])
}

const jpeg = (...middle: Buffer[]) => Buffer.concat([soi, quantization, huffman(0), huffman(1), ...middle, eoi])
const grey = frame(0xc0, 16, 16)
const pixels = Buffer.of(0)
const frameOf = (...data: number[]) => segment(0xc0, Buffer.from(data))

describe('a JPEG', () => {
  test.each([
    ['no frame', jpeg()],
    ['no scan', jpeg(grey)],
    ['a scan before its frame', jpeg(scan(), pixels, grey)],
    ['two frames', jpeg(grey, grey, scan(), pixels)],
    ['an empty scan', jpeg(grey, scan())],
    ['a frame of no width', jpeg(frame(0xc0, 0, 16), scan(), pixels)],
    ['a frame of no height', jpeg(frame(0xc0, 16, 0), scan(), pixels)],
    ['a frame without components', jpeg(frameOf(8, 0, 16, 0, 16, 0), scan(), pixels)],
    [
      'a frame of five components',
      jpeg(frameOf(8, 0, 16, 0, 16, 5, ...[1, 2, 3, 4, 5].flatMap((id) => [id, 0x11, 0])), scan(), pixels),
    ],
    ['a frame with one component twice', jpeg(frameOf(8, 0, 16, 0, 16, 2, 1, 0x11, 0, 1, 0x11, 0), scan(), pixels)],
    ['a frame of a wrong length', jpeg(frameOf(8, 0, 16, 0, 16, 1, 1, 0x11, 0, 0), scan(), pixels)],
    ['an empty frame header', jpeg(frameOf(), scan(), pixels)],
    ['a frame of 12 bits that is baseline', jpeg(frameOf(12, 0, 16, 0, 16, 1, 1, 0x11, 0), scan(), pixels)],
    ['a frame sampled in nothing', jpeg(frameOf(8, 0, 16, 0, 16, 1, 1, 0x10, 0), scan(), pixels)],
    ['a frame sampled in fives', jpeg(frameOf(8, 0, 16, 0, 16, 1, 1, 0x51, 0), scan(), pixels)],
    ['a frame with a fifth table', jpeg(frameOf(8, 0, 16, 0, 16, 1, 1, 0x11, 4), scan(), pixels)],
    ['a scan of another component', jpeg(grey, segment(0xda, Buffer.of(1, 2, 0, 0, 63, 0)), pixels)],
    ['a scan of no component', jpeg(grey, segment(0xda, Buffer.of(0, 0, 63, 0)), pixels)],
    ['a scan of a wrong length', jpeg(grey, segment(0xda, Buffer.of(1, 1, 0, 0, 63)), pixels)],
    ['an empty scan header', jpeg(grey, segment(0xda), pixels)],
    ['a segment without a length', jpeg(grey, scan(), pixels, Buffer.of(0xff, 0xe0, 0, 0))],
    ['a segment shorter than its length', jpeg(Buffer.of(0xff, 0xe0, 0, 1), grey, scan(), pixels)],
    ['bytes between its segments', jpeg(Buffer.from('x'), grey, scan(), pixels)],
    ['a restart outside of a scan', jpeg(Buffer.of(0xff, 0xd0), grey, scan(), pixels)],
    ['a start inside of it', jpeg(soi, grey, scan(), pixels)],
    ['a marker that is none', jpeg(Buffer.of(0xff, 0), grey, scan(), pixels)],
    ['a reserved marker', jpeg(segment(0x02), grey, scan(), pixels)],
  ])('with %s is damaged', async (_, bytes) => {
    expect(await reasonFor(bytes)).toBe('damaged')
  })

  test('may be coded by arithmetic, as the smallest one is that people try things with', async () => {
    const smallest =
      '/9j/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/yQALCAAB' +
      'AAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k='

    expect(await reasonFor(Buffer.from(smallest, 'base64'))).toBe('accepted')
  })

  test.each([0xc3, 0xc5, 0xc7, 0xc8, 0xcb, 0xcd, 0xcf])('of the kind %s is not taken', async (code) => {
    expect(await verdictOn(jpeg(frame(code, 16, 16), scan(), pixels))).toEqual({
      reason: 'not_an_image',
      message: expect.stringContaining('save it as a usual one'),
    })
  })

  test('may have 12 bits, two scans, stuffed zeros, fill bytes and anything that cameras note', async () => {
    const precise = segment(0xc1, Buffer.of(12, 0, 16, 0, 16, 1, 1, 0x11, 0))
    const fill = Buffer.alloc(100, 0xff)
    const stuffed = Buffer.of(0x12, 0xff, 0, 0x34, 0xff, 0xff, 0xd3, 0x56, 0xff)

    expect(await reasonFor(jpeg(precise, scan(), stuffed, fill, segment(0xfe, 'note'), fill, scan(), stuffed))).toBe(
      'accepted',
    )
  })
})

describe('a GIF', () => {
  const outside = { left: 1, top: 0 }

  test.each([
    ['a screen of no width', gif([gifFrame()], gifScreen(0, 3))],
    ['a screen of no height', gif([gifFrame()], gifScreen(4, 0))],
    ['no image', gif([])],
    ['an image too far right', gif([gifFrame(outside)])],
    ['an image too far down', gif([gifFrame({ top: 1 })])],
    ['an image of no width', gif([gifFrame({ width: 0 })])],
    ['an image without data', gif([Buffer.concat([gifFrame().subarray(0, 11), Buffer.of(0)])])],
    ['an image of codes of no bits', gif([replaced(gifFrame(), 10, 0)])],
    ['an image of codes of nine bits', gif([replaced(gifFrame(), 10, 9)])],
    ['a block that is none', gif([Buffer.of(0x2d), gifFrame()])],
    ['an application without its name', gif([Buffer.of(0x21, 0xff, 10), Buffer.alloc(11), gifFrame()])],
    ['a delay of a wrong length', gif([Buffer.of(0x21, 0xf9, 3, 0, 0, 0, 0), gifFrame()])],
    ['a text of a wrong length', gif([Buffer.of(0x21, 0x01, 2, 0, 0, 0), gifFrame()])],
  ])('with %s is damaged', async (_, bytes) => {
    expect(await reasonFor(bytes)).toBe('damaged')
  })

  test('may be of 1987, and have extensions that nobody knows', async () => {
    const older = Buffer.from(animatedGif())
    older.write('GIF87a')

    expect(await reasonFor(older)).toBe('accepted')
    expect(await reasonFor(gif([Buffer.of(0x21, 0x77, 2, 1, 2, 0), gifFrame()]))).toBe('accepted')
  })
})

const animated = (...chunks: Buffer[]) => webp(canvasHeader(12, 9, 2), animation, ...chunks)
/** Its image starts at byte 20. */
const lossy = webp(bitstream())
const lossless = () => losslessWebp().subarray(12)

describe('a WebP', () => {
  test.each([
    ['a size of less', replaced(lossy, 4, lossy[4]! + 2)],
    ['something else at its start', webp(webpChunk('EXIF', 'x'), bitstream())],
    ['a canvas alone', webp(canvasHeader(12, 9))],
    ['a canvas behind its image', webp(bitstream(), canvasHeader(12, 9))],
    ['a canvas of another size', webp(canvasHeader(12, 10), bitstream())],
    ['a canvas of a wrong length', webp(webpChunk('VP8X', Buffer.alloc(8)), bitstream())],
    ['two images', webp(canvasHeader(12, 9), bitstream(), bitstream())],
    ['a frame that is no animation', webp(canvasHeader(12, 9), bitstream(), webpFrame())],
    ['an animation without frames', animated()],
    ['an animation with an image', animated(webpFrame(), bitstream())],
    ['a frame without an image', animated(webpFrame(0, 0, 12, 9, []))],
    ['a frame of two images', animated(webpFrame(0, 0, 12, 9, [bitstream(), bitstream()]))],
    ['a frame of another size', animated(webpFrame(0, 0, 10, 9))],
    ['a frame too far right', animated(webpFrame(2, 0))],
    ['a frame too far down', animated(webpFrame(0, 2))],
    ['a short frame', animated(webpChunk('ANMF', Buffer.alloc(15)))],
    ['a frame in a frame', animated(webpFrame(0, 0, 12, 9, [webpFrame()]))],
    ['a frame shorter than its image', animated(webpFrame(0, 0, 12, 9, [bitstream().subarray(0, -2)]), webpFrame())],
    ['a frame that its image reaches out of', animated(replaced(webpFrame(), 4, webpFrame()[4]! - 2))],
    ['a chunk longer than it', replaced(lossy, 16, 0xff, 0xff)],
    ['less than a chunk at its end', webp(bitstream(), Buffer.alloc(6))],
    ['padding that holds something', padded()],
    ['an image without a start code', replaced(lossy, 23, 0)],
    ['an image that needs another', replaced(lossy, 20, lossy[20]! | 1)],
    ['an image that is not shown', replaced(lossy, 20, lossy[20]! & ~16)],
    ['an image of a later version', replaced(lossy, 20, lossy[20]! | 14)],
    ['an image with a part longer than it', replaced(lossy, 22, 0xff)],
    ['an image of no width', replaced(lossy, 26, 0, 0)],
    ['an image that is a header alone', webp(webpChunk('VP8 ', bitstream().subarray(8, 18)))],
    ['a lossless image without a signature', webp(replaced(lossless(), 8, 0x2e))],
    ['a lossless image of a later version', webp(replaced(lossless(), 12, 0xff))],
  ])('with %s is damaged', async (_, bytes) => {
    expect(await reasonFor(bytes)).toBe('damaged')
  })

  test('may have scaling hints in its size, and metadata of any kind', async () => {
    const hinted = replaced(lossy, 27, lossy[27]! | 0x40)
    expect(await verdictOn(hinted)).toEqual(await verdictOn(lossy))

    const noted = webp(canvasHeader(12, 9, 0x2c), webpChunk('ICCP', 'abc'), bitstream(), webpChunk('what', 'x'))
    expect(await reasonFor(noted)).toBe('accepted')
  })

  test('is not read through where nothing is to be seen', async () => {
    const long = webpChunk('VP8 ', Buffer.concat([bitstream().subarray(8), Buffer.alloc(4 << 20)]))
    let chunks = 0
    const bytes = webp(canvasHeader(12, 9), long, webpChunk('XMP ', 'x'))
    const { sizeBytes, read, stream } = sourceOf(bytes, 65_536)
    const source = {
      sizeBytes,
      read,
      async *stream(start: number) {
        for await (const chunk of stream(start)) {
          chunks++
          yield chunk
        }
      },
    }

    expect(await inspectImage(source)).toMatchObject({ width: 12 })
    expect(chunks).toBe(2)
  })
})

function padded(): Buffer {
  const bytes = webp(canvasHeader(12, 9), bitstream(), webpChunk('EXIF', 'abc'))
  return replaced(bytes, bytes.length - 1, 1)
}

const long = (tag: number, ...values: number[]): Tag => ({ tag, type: 4, values })
const changed = (tag: number, change: Partial<Tag> | undefined, of = page()) => ({
  ...of,
  tags: of.tags.flatMap((each) => (each.tag !== tag ? [each] : change ? [{ ...each, ...change }] : [])),
})

describe('a TIFF', () => {
  const places = [long(273, 8, 20), long(279, 12, 12)]
  const far = 1 << 20

  test.each([
    ['no page', replaced(tiff([page()]), 4, 0, 0, 0, 0)],
    ['a first page that is elsewhere', replaced(tiff([page()]), 4, 0, 0, 0x10)],
    ['no width', tiff([changed(256, undefined)])],
    ['no height', tiff([changed(257, undefined)])],
    ['a width of zero', tiff([changed(256, { values: [0] })])],
    ['two widths', tiff([changed(256, { values: [6, 6] })])],
    ['a width in words', tiff([changed(256, { type: 2, values: 'six' })])],
    ['no strips', tiff([{ ...page(), strips: [] }])],
    ['too few strips', tiff([{ ...page(), strips: page().strips.slice(1) }])],
    ['strips of no rows', tiff([changed(278, { values: [0] })])],
    ['strips whose lengths are missing', tiff([{ tags: [...page().tags, places[0]!], strips: [] }])],
    ['more strips than lengths', tiff([page(6, 4, 2, long(279, 12))])],
    ['a strip behind its end', tiff([page(6, 4, 2, long(273, 8, far), places[1]!)])],
    ['a strip that is too long', tiff([page(6, 4, 2, places[0]!, long(279, 12, far))])],
    ['a strip that is no number', tiff([page(6, 4, 2, { tag: 273, type: 2, values: 'a' }, long(279, 1, 1))])],
    ['too few planes', tiff([changed(277, { values: [3] }, page(6, 4, 2, { tag: 284, type: 3, values: [2] }))])],
    ['too few tiles', tiff([{ ...tiledPage(), strips: tiledPage().strips.slice(1) }])],
    ['tiles of no width', tiff([changed(322, { values: [0] }, tiledPage())])],
    ['tiles of no length', tiff([changed(323, undefined, tiledPage())])],
    ['a tile behind its end', tiff([{ ...tiledPage(), tags: [...tiledPage().tags, long(324, 8, far)] }])],
    ['a tag twice', tiff([page(6, 4, 2, long(256, 6))])],
    ['a tag behind its end', tiff([page(6, 4, 2, { tag: 50_000, type: 7, values: [], count: 9, offset: far })])],
    [
      'a tag of 4 billion values',
      tiff([page(6, 4, 2, { tag: 273, type: 4, values: [], count: 0xffffffff, offset: 8 })]),
    ],
    ['a next page that is nowhere', tiff([{ ...page(), next: far }])],
    ['a page below that is nowhere', tiff([page(6, 4, 2, long(330, far))])],
    ['a page below without pixels', tiff([{ ...page(), below: { 330: [{ ...page(), strips: [] }] } }])],
    ['EXIF that is nowhere', tiff([page(6, 4, 2, long(34665, far))])],
    [
      'a directory of 4097 entries',
      tiff([page(6, 4, 2, ...Array.from({ length: 4090 }, (_, i) => long(1000 + i, 1)))]),
    ],
    ['an empty directory', replaced(tiff([page()]), tiff([page()]).readUInt32LE(4), 0, 0)],
    ['BigTIFF pointers of other sizes', replaced(tiff([page()], { isBig: true }), 4, 16)],
    ['a BigTIFF header that goes on', replaced(tiff([page()], { isBig: true }), 6, 1)],
    ['a BigTIFF page beyond all numbers', replaced(tiff([page()], { isBig: true }), 8, ...Array(8).fill(0xff))],
  ])('with %s is damaged', async (_, bytes) => {
    expect(await reasonFor(bytes)).toBe('damaged')
  })

  test.each([
    ['one strip without saying so', tiff([changed(278, undefined, page(6, 4, 4))])],
    [
      'a strip for each of three planes',
      tiff([
        {
          ...changed(277, { values: [3] }, page(6, 4, 4, { tag: 284, type: 3, values: [2] })),
          strips: [1, 2, 3].map(() => Buffer.alloc(24)),
        },
      ]),
    ],
    [
      'empty tiles left out',
      tiff([{ ...tiledPage(6, 4), tags: [...tiledPage(6, 4).tags, long(324, 0), long(325, 0)] }]),
    ],
    ['a JPEG of the old kind', tiff([{ tags: [...page().tags, long(513, 8), long(514, 20)], strips: [] }])],
    ['a value of a type that nobody knows', tiff([page(6, 4, 2, { tag: 50_000, type: 99, values: [], count: far })])],
    ['EXIF, and two pages that share it', tiff([page(), shared(), shared()])],
  ])('may have %s', async (_, bytes) => {
    expect(await verdictOn(bytes)).toMatchObject({ type: 'image/tiff', width: 6, height: 4 })
  })

  test.each([
    ['one page', tiff([{ ...page(), next: tiff([page()]).readUInt32LE(4) }])],
    ['two pages', tiff([page(), { ...page(), next: tiff([page()]).readUInt32LE(4) }])],
  ])('of %s that come round in a circle is damaged', async (_, bytes) => {
    expect(await verdictOn(bytes)).toEqual({ reason: 'damaged', message: expect.stringContaining('circle') })
  })

  test('is not read over and over for directories that point at the same text', async () => {
    const text = Buffer.alloc(1 << 20, 'x')
    const reading = page(6, 4, 2, { tag: 270, type: 2, values: [], count: text.length, offset: 8 })
    const readBy = (pages: number) =>
      tiff([{ ...reading, strips: [text, text] }, ...Array.from({ length: pages - 1 }, () => reading)])

    expect(await reasonFor(readBy(4))).toBe('accepted')
    expect(await reasonFor(readBy(6))).toBe('damaged')
  })

  test('may have 10,000 directories, be they pages or not', async () => {
    const pages = (count: number) => Array.from({ length: count }, () => page(6, 4, 4))
    const withExif = (of: TiffPage) => ({ ...of, below: { 34665: [{ tags: [long(33434, 1)], strips: [] }] } })
    const over = {
      reason: 'too_large_decoded',
      message:
        'The TIFF has more than 10,000 directories, for pages and what belongs to them; save it as several files.',
    }

    expect(await reasonFor(tiff(pages(10_000)))).toBe('accepted')
    expect(await verdictOn(tiff(pages(10_001)))).toEqual(over)
    expect(await reasonFor(tiff(pages(5000).map(withExif)))).toBe('accepted')
    expect(await verdictOn(tiff(pages(5001).map(withExif)))).toEqual(over)
    expect(await reasonFor(tiff([{ ...page(), below: { 330: pages(9999) } }]))).toBe('accepted')
    expect(await verdictOn(tiff([{ ...page(), below: { 330: pages(10_000) } }]))).toEqual(over)
    expect(await verdictOn(tiff([page(6, 4, 2, long(330, ...Array.from({ length: 10_001 }, () => 8)))]))).toEqual(over)
  })

  const short = (tag: number, ...values: number[]): Tag => ({ tag, type: 3, values })
  interface Stored {
    strips: number[]
    tags?: Tag[]
    of?: TiffPage
  }
  /** With strips or tiles of so many bytes; tags take the place of the page's. */
  const stored = ({ strips, tags = [], of = page() }: Stored) => {
    const given = new Set(tags.map(({ tag }) => tag))
    return tiff([
      {
        tags: [...of.tags.filter(({ tag }) => !given.has(tag)), ...tags],
        strips: strips.map((length) => Buffer.alloc(length, 1)),
      },
    ])
  }
  const planes = [short(258, 8, 8, 8), short(277, 3), short(284, 2), short(278, 4)]
  const yCbCr = (across: number, down: number, rows = 4) => [
    ...[short(258, 8, 8, 8), short(262, 6), short(277, 3), short(278, rows), short(530, across, down)],
  ]

  test.each<[string, Stored, number]>([
    ['strips', { strips: [12, 12] }, 0],
    ['a last strip of fewer rows', { strips: [18, 6], tags: [short(278, 3)] }, 1],
    ['rows of one bit', { strips: [2, 2], tags: [short(258, 1)] }, 0],
    ['rows that say nothing of their bits', { strips: [2, 2], of: changedPage(258) }, 1],
    ['rows of 12 bits', { strips: [18, 18], tags: [short(258, 12)] }, 0],
    ['several samples', { strips: [36, 36], tags: [short(258, 8, 8, 8), short(277, 3)] }, 1],
    ['one depth for several samples', { strips: [36, 36], tags: [short(277, 3)] }, 1],
    ['planes', { strips: [24, 24, 24], tags: planes }, 2],
    ['planes of several depths', { strips: [24, 48, 24], tags: [...planes.slice(1), short(258, 8, 16, 8)] }, 1],
    ['tiles', { strips: [256, 256], of: tiledPage() }, 1],
    ['one strip of any number of rows', { strips: [24], tags: [long(278, 0xffffffff)] }, 0],
    ['no compression told', { strips: [12, 12], of: changedPage(259) }, 0],
    ['colours shared by two and two', { strips: [36], tags: yCbCr(2, 2) }, 0],
    ['colours shared by four across', { strips: [48], tags: yCbCr(4, 1) }, 0],
    ['colours shared over the edge of a strip', { strips: [36, 18], tags: yCbCr(2, 2, 3) }, 1],
    ['colours shared by as many as usual', { strips: [48], tags: yCbCr(2, 2).slice(0, -1), of: page(8, 4) }, 0],
    ['the brightness beside shared colours', { strips: [24, 6, 6], tags: [...yCbCr(2, 2), short(284, 2)] }, 0],
    ['shared colours in planes', { strips: [24, 6, 6], tags: [...yCbCr(2, 2), short(284, 2)] }, 2],
  ])('that is not compressed needs all bytes of its rows: %s', async (_, form, strip) => {
    const missing = { ...form, strips: form.strips.map((length, i) => length - Number(i === strip)) }

    expect(await reasonFor(stored(form))).toBe('accepted')
    expect(await verdictOn(stored(missing))).toEqual({
      reason: 'damaged',
      message: 'The TIFF is damaged or incomplete: its pixels are stored in fewer bytes than they need.',
    })
    const compressed = { ...missing, tags: [...(form.tags ?? []), short(259, 8)] }
    expect(await reasonFor(stored(compressed))).toBe('accepted')
  })

  test('that is not compressed may leave out strips and tiles, by bytes and place both', async () => {
    const sparse = (offset: number, length: number) =>
      tiff([page(6, 4, 2, long(273, 8, offset), long(279, 12, length))])

    expect(await reasonFor(sparse(20, 12))).toBe('accepted')
    expect(await reasonFor(sparse(0, 0))).toBe('accepted')
    expect(await reasonFor(sparse(20, 0))).toBe('damaged')
    expect(await reasonFor(sparse(0, 11))).toBe('damaged')
    const empty = { ...tiledPage(), tags: [...tiledPage().tags, long(324, 0, 0), long(325, 0, 0)] }
    expect(await reasonFor(tiff([empty]))).toBe('accepted')
  })

  test.each([
    ['no bits', tiff([changed(258, { values: [0] })])],
    ['no samples', tiff([changed(277, { values: [0] })])],
    ['colours shared by none', stored({ strips: [36], tags: yCbCr(0, 2) })],
  ])('with pixels of %s is damaged', async (_, bytes) => {
    expect(await reasonFor(bytes)).toBe('damaged')
  })

  test('is not hopped through for ever', async () => {
    // Texts that lie far apart and are asked for in turn.
    const texts = Array.from({ length: 2300 }, (_, i): Tag => {
      return { tag: 1000 + i, type: 2, values: [], count: 10, offset: 65_536 * (1 + ((i * 37) % 290)) }
    })
    const hopping = page(6, 4, 2, ...texts, long(273, 8, 20), long(279, 12, 12))
    const file = (pages: number) =>
      lazySource([
        padTo(tiff(Array.from({ length: pages }, () => hopping)), 65_536),
        { bytes: Buffer.alloc(65_536), times: 300 },
      ])

    expect(await inspectImage(file(1))).toMatchObject({ width: 6 })
    await expect(inspectImage(file(2))).rejects.toMatchObject({ reason: 'damaged' })
  })
})

function changedPage(tag: number): TiffPage {
  return changed(tag, undefined)
}

function padTo(bytes: Buffer, length: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(length - bytes.length)])
}

function shared() {
  return page(6, 4, 2, long(34665, tiff([page()]).readUInt32LE(4)))
}
