import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { inspectImage } from '../../../src/images/inspection/image-inspection.ts'
import { gif, gifFrame, gifScreen } from './gif-bytes.ts'
import { baselineJpeg, eoi, frame, huffman, quantization, scan, segment, soi } from './jpeg-bytes.ts'
import { frameControl, frameData, png, pngChunk, pngHeader, pngSignature, rowBytes, uint32 } from './png-bytes.ts'
import { lazySource, type Part, reasonFor, sourceOf, verdictOn } from './support.ts'
import { page, type Tag, type TiffPage, tiff } from './tiff-bytes.ts'
import { animation, bitstream, canvasHeader, webp, webpChunk, webpFrame } from './webp-bytes.ts'

const tooLarge = 'too_large_decoded'

const jpegWith = (frame: Buffer, extra: Buffer[]) =>
  Buffer.concat([soi, ...extra, quantization, frame, huffman(0), huffman(1), scan(), Buffer.of(1), eoi])

const jpegOf = (width: number, height: number, ...extra: Buffer[]) => jpegWith(frame(0xc0, width, height), extra)

const frameOf = (code: number, precision: number, width: number, height: number, components: number) =>
  segment(
    code,
    Buffer.of(
      ...[precision, height >> 8, height & 255, width >> 8, width & 255, components],
      ...Array.from({ length: components }, (_, i) => [i + 1, 0x11, 0]).flat(),
    ),
  )

const colourJpeg = (width: number, height: number, ...extra: Buffer[]) =>
  jpegWith(frameOf(0xc0, 8, width, height, 3), extra)

const preciseJpeg = (width: number, height: number) => jpegWith(frameOf(0xc1, 12, width, height, 1), [])

const losslessHeader = (width: number, height: number, alpha = 0) => {
  const bytes = Buffer.alloc(6)
  bytes[0] = 0x2f
  bytes.writeUInt32LE((alpha << 28) | ((height - 1) << 14) | (width - 1), 1)
  return webpChunk('VP8L', bytes)
}

interface Claim {
  width: number
  height: number
  bits?: number[]
  samples?: number
  compression?: number
  /** Of one tile that has it all, its side. */
  tile?: number
}

/** A page that is next to nothing in the file. */
function claiming({ width, height, bits = [8], samples = bits.length || 1, compression = 8, tile }: Claim): TiffPage[] {
  const tags: Tag[] = [
    { tag: 256, type: 4, values: [width] },
    { tag: 257, type: 4, values: [height] },
    ...(bits.length > 0 ? [{ tag: 258, type: 3, values: bits }] : []),
    { tag: 259, type: 3, values: [compression] },
    { tag: 277, type: 3, values: [samples] },
    ...(tile ? [322, 323].map((tag) => ({ tag, type: 4, values: [tile] })) : []),
  ]
  return [{ tags, strips: [Buffer.alloc(20, 1)] }]
}

/** What a lossless deflate makes of many zeros: about a thousandth. */
const bomb = (bytes: number) => deflateSync(Buffer.alloc(bytes))

describe('an image that unpacks to too much', () => {
  test.each([
    ['PNG', pngOf(30_000, 30_000)],
    ['PNG of 2^31', pngOf(2 ** 31 - 1, 2 ** 31 - 1)],
    ['JPEG', jpegOf(65_535, 65_535)],
    ['GIF', gif([gifFrame()], gifScreen(65_535, 65_535))],
    ['lossless WebP', webp(losslessHeader(16_384, 16_384))],
    ['WebP canvas', webp(canvasHeader(100_000, 40_000), bitstream())],
    ['TIFF', tiff([page(60_000, 2, 2, { tag: 257, type: 4, values: [60_000] })].map(sized))],
  ])('is refused: %s', async (_, bytes) => {
    expect(await reasonFor(bytes)).toBe(tooLarge)
  })

  const unpacked = expect.stringMatching(
    /^The image unpacks to at least [\d,]+ bytes; a file of [\d,]+ bytes may unpack to /,
  )

  test('may unpack to 50 MB, whatever its size', async () => {
    expect(await reasonFor(jpegOf(10_000, 5000))).toBe('accepted')
    const bytes = jpegOf(10_000, 5001)
    expect(await verdictOn(bytes)).toEqual({
      reason: tooLarge,
      message: `The image unpacks to at least 50,010,000 bytes; a file of ${bytes.length} bytes may unpack to 50,000,000. Save it smaller.`,
    })
  })

  test('may unpack to 500 times its size', async () => {
    const padding = Array.from({ length: 5 }, () => segment(0xe5, Buffer.alloc(65_000)))
    const rows = Math.floor((500 * jpegOf(8000, 8000, ...padding).length) / 10_000)

    expect(await reasonFor(jpegOf(10_000, rows, ...padding))).toBe('accepted')
    expect(await verdictOn(jpegOf(10_000, rows + 1, ...padding))).toEqual({ reason: tooLarge, message: unpacked })
  })

  test('may never unpack to more than 8 GB', async () => {
    const file = (width: number, height: number) =>
      lazySource([
        soi,
        { bytes: segment(0xe5, Buffer.alloc(65_000)), times: 600 },
        colourJpeg(width, height).subarray(2),
      ])

    expect(await inspectImage(file(60_000, 44_444))).toMatchObject({ width: 60_000 })
    await expect(inspectImage(file(60_000, 44_445))).rejects.toMatchObject({ reason: tooLarge })
  })

  test.each([
    ['a map of 6114 x 8564 in 375 KB', 375_000, claiming({ width: 6114, height: 8564, compression: 8 })],
    ['a scan of A0 of one bit', 13_000, claiming({ width: 9933, height: 14_043, bits: [1], compression: 4 })],
    [
      '60 scans of A4 in 4.5 MB',
      4_500_000,
      Array.from({ length: 60 }, () => claiming({ width: 2480, height: 3508, bits: [1], compression: 4 })[0]!),
    ],
    ['a poster of A0 in 2.9 MB', 2_900_000, claiming({ width: 9933, height: 14_043, bits: [8, 8, 8], compression: 5 })],
  ])('is none when it is %s', async (_, sizeBytes, pages) => {
    const directories = tiff(pages)

    expect(await reasonFor(Buffer.concat([directories, Buffer.alloc(sizeBytes - directories.length)]))).toBe('accepted')
  })

  test('is none when it is a poster of A0 as a JPEG of 2.2 MB', async () => {
    const padding = Array.from({ length: 33 }, () => segment(0xe5, Buffer.alloc(65_500)))

    expect(await reasonFor(colourJpeg(9933, 14_043, ...padding))).toBe('accepted')
  })

  test.each([
    ['JPEG of three colours', colourJpeg(5000, 3334)],
    ['JPEG of 12 bits', preciseJpeg(10_000, 3334)],
    ['PNG of 16 bits', pngOf(5000, 1250, { bitDepth: 16, colourType: 6 })],
    ['PNG of one pixel across, by its filters', pngOf(1, 25_000_001, { bitDepth: 1, colourType: 0 })],
    ['lossless WebP', webp(losslessHeader(5000, 3334))],
    ['lossless WebP with alpha', webp(losslessHeader(5000, 2501, 1))],
    ['WebP canvas with alpha', webp(canvasHeader(5000, 2501, 0x10), bitstream())],
    ['TIFF of 32 bits', tiff(claiming({ width: 5000, height: 2501, bits: [32] }))],
    ['TIFF of one depth for all samples', tiff(claiming({ width: 5000, height: 3334, samples: 3 }))],
    ['TIFF of one pixel across, by its rows', tiff(claiming({ width: 1, height: 50_000_001, bits: [1] }))],
    ['TIFF of a small image in a large tile', tiff(claiming({ width: 10, height: 10, tile: 7072 }))],
  ])('is measured by its own depth: %s', async (_, bytes) => {
    expect(await verdictOn(bytes)).toEqual({ reason: tooLarge, message: unpacked })
  })

  test.each([
    ['TIFF of one bit', tiff(claiming({ width: 20_000, height: 20_000, bits: [1], compression: 4 }))],
    ['TIFF that says nothing of its bits', tiff(claiming({ width: 20_000, height: 20_000, bits: [], compression: 4 }))],
    ['TIFF of 16 bits', tiff(claiming({ width: 5000, height: 5000, bits: [16] }))],
    ['TIFF of one depth for all samples', tiff(claiming({ width: 5000, height: 3333, samples: 3 }))],
    ['TIFF of a small image in a tile', tiff(claiming({ width: 10, height: 10, tile: 7071 }))],
  ])('is taken where its own depth is less: %s', async (_, bytes) => {
    expect(await reasonFor(bytes)).toBe('accepted')
  })

  test('is refused for zeros of 100 MB, with little of them inflated', async () => {
    const rows = deflateSync(Buffer.alloc(rowBytes(10_000, 10_000, 8)))
    const bytes = png({ width: 10_000, height: 10_000, bitDepth: 8, colourType: 0, compressed: rows })
    expect(bytes.length).toBeLessThan(100_000)
    let read = 0
    const { stream, ...source } = sourceOf(bytes, 100)

    const inspection = inspectImage({
      ...source,
      async *stream(start) {
        for await (const chunk of stream(start)) {
          read += chunk.length
          yield chunk
        }
      },
    })

    await expect(inspection).rejects.toMatchObject({ reason: tooLarge })
    expect(read).toBe(100)
  })

  test('is refused for all its frames together', async () => {
    const frames = (count: number) =>
      gif(
        Array.from({ length: count }, () => claim(gifFrame(), 5000, 1000)),
        gifScreen(5000, 10_000),
      )
    const claim = (bytes: Buffer, width: number, height: number) => {
      bytes.writeUInt16LE(width, 5)
      bytes.writeUInt16LE(height, 7)
      return bytes
    }
    const pages = (count: number) =>
      tiff(Array.from({ length: count }, () => claiming({ width: 5000, height: 1000 })[0]!))
    const followers = (count: number) => Buffer.concat(Array.from({ length: count }, () => jpegOf(5000, 1000)))

    for (const file of [frames, pages, followers]) {
      expect(await reasonFor(file(10))).toBe('accepted')
      expect(await verdictOn(file(11))).toEqual({ reason: tooLarge, message: unpacked })
    }
  })

  test('is refused for more than 10,000 frames', async () => {
    const still = (count: number) => gif(Array.from({ length: count }, () => gifFrame({ width: 1, height: 1 })))
    const frames = (count: number) =>
      webp(canvasHeader(12, 9, 2), animation, ...Array.from({ length: count }, () => oneFrame))
    const oneFrame = webpFrame()

    expect(await reasonFor(still(10_000))).toBe('accepted')
    expect(await reasonFor(still(10_001))).toBe(tooLarge)
    expect(await reasonFor(frames(10_001))).toBe(tooLarge)
  })

  test('is refused for a picture that follows it or lies below it', async () => {
    expect(await reasonFor(Buffer.concat([baselineJpeg(), jpegOf(65_535, 65_535)]))).toBe(tooLarge)
    expect(await reasonFor(tiff([page(), sized(page(60_000, 2, 2))]))).toBe(tooLarge)
    expect(await reasonFor(tiff([{ ...page(), below: { 330: [sized(page(60_000, 2, 2))] } }]))).toBe(tooLarge)
  })
})

/** Claims a height, in one strip. */
function sized(each: ReturnType<typeof page>, height = 60_000): ReturnType<typeof page> {
  const claims: Record<number, number> = { 257: height, 278: height }
  const tags = each.tags.map((tag) => (claims[tag.tag] ? { ...tag, type: 4, values: [claims[tag.tag]!] } : tag))
  return {
    tags: tags.filter(({ tag }, i) => tags.findLastIndex((other) => other.tag === tag) === i),
    strips: each.strips,
  }
}

function pngOf(width: number, height: number, format: { bitDepth?: number; colourType?: number } = {}): Buffer {
  return png({ width, height, ...format, rows: Buffer.alloc(400_000) })
}

describe('the pixel data of a PNG', () => {
  test('may not inflate to more than its header implies', async () => {
    expect(await reasonFor(png({ rows: Buffer.alloc(rowBytes(5, 4, 24) + 1) }))).toBe(tooLarge)
    expect(await reasonFor(png({ compressed: bomb(50_000_000) }))).toBe(tooLarge)
  })

  test('may not inflate to less', async () => {
    expect(await reasonFor(png({ rows: Buffer.alloc(rowBytes(5, 4, 24) - 1) }))).toBe('damaged')
    expect(await reasonFor(png({ compressed: Buffer.alloc(0) }))).toBe('damaged')
    // 3 x 5 interlaced: two passes have no pixels, and no filter bytes either.
    expect(await reasonFor(png({ width: 3, height: 5, interlace: 1, rows: Buffer.alloc(rowBytes(3, 5, 24)) }))).toBe(
      'damaged',
    )
  })

  test('may not hide anything behind it', async () => {
    const rows = deflateSync(Buffer.alloc(rowBytes(5, 4, 24)))
    const hidden = Buffer.concat([rows, Buffer.from('a secret')])

    expect(await reasonFor(png({ compressed: hidden }))).toBe('damaged')
    expect(await reasonFor(png({ compressed: hidden, idatBytes: rows.length }))).toBe('damaged')
    expect(await reasonFor(png({ compressed: Buffer.concat([rows, Buffer.alloc(300_000)]) }))).toBe('damaged')
  })

  test('has to be whole and sound', async () => {
    const rows = deflateSync(Buffer.alloc(rowBytes(5, 4, 24), 3))

    expect(await reasonFor(png({ compressed: rows.subarray(0, -1) }))).toBe('damaged')
    expect(
      await reasonFor(png({ compressed: Buffer.concat([rows.subarray(0, -1), Buffer.of(rows.at(-1)! ^ 1)]) })),
    ).toBe('damaged')
    expect(await reasonFor(png({ compressed: Buffer.from('no zlib stream at all') }))).toBe('damaged')
  })

  test('is held against the frame in an animation', async () => {
    const animated = (...after: Buffer[]) =>
      png({ before: [pngChunk('acTL', uint32(2, 0)), frameControl({ sequence: 0 })], after })

    expect(await reasonFor(animated(frameControl({ sequence: 1, height: 3 }), frameData(2)))).toBe(tooLarge)
    expect(await reasonFor(animated(frameControl({ sequence: 1 }), frameData(2, 5, 3)))).toBe('damaged')
  })
})

test('a PNG whose bytes are not given any more is not found damaged', async () => {
  const source = sourceOf(png({ rows: Buffer.alloc(rowBytes(5, 4, 24)) }), 50)
  const gone = new AbortController()
  gone.abort()
  async function* stream(start: number) {
    let chunks = 0
    for await (const chunk of source.stream(start)) {
      if (++chunks === 2) throw gone.signal.reason
      yield chunk
    }
  }

  await expect(inspectImage({ ...source, stream })).rejects.toBe(gone.signal.reason)
})

test('all pixel data of a PNG is counted over all frames, by their bytes', async () => {
  // 20 MB a frame, of 64 bits a pixel.
  const [width, height] = [2500, 1000]
  const pixels = deflateSync(Buffer.alloc(rowBytes(width, height, 64)))
  const frame = (i: number) => [
    frameControl({ sequence: 2 * i, width, height }),
    pngChunk('fdAT', Buffer.concat([uint32(2 * i + 1), pixels])),
  ]
  const header = pngHeader({ width, height, bitDepth: 16, colourType: 6 })
  const animated = (frames: number) =>
    Buffer.concat([
      ...[pngSignature, header, pngChunk('acTL', uint32(frames, 0)), pngChunk('IDAT', pixels)],
      ...Array.from({ length: frames }, (_, i) => frame(i)).flat(),
      pngChunk('IEND'),
    ])

  expect(await reasonFor(animated(1))).toBe('accepted')
  expect(await reasonFor(animated(2))).toBe(tooLarge)
})

describe('the metadata of a PNG', () => {
  const mebibyte = 1024 * 1024
  const text = (bytes: number) => pngChunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), bomb(bytes)]))

  test('may inflate to 8 MiB', async () => {
    expect(await reasonFor(png({ before: [text(8 * mebibyte)] }))).toBe('accepted')
    expect(await reasonFor(png({ before: [text(8 * mebibyte + 1)] }))).toBe(tooLarge)
    expect(await reasonFor(png({ before: [text(64 * mebibyte)] }))).toBe(tooLarge)
  })

  test.each(['iCCP', 'iTXt'])('may not, in %s either', async (type) => {
    const start = type === 'iTXt' ? 'Comment\0\x01\0en\0\0' : 'Profile\0\0'
    const chunk = pngChunk(type, Buffer.concat([Buffer.from(start), bomb(9 * mebibyte)]))

    expect(await reasonFor(png({ before: [chunk] }))).toBe(tooLarge)
  })

  test('may inflate to 32 MiB all together, and not in ever so many small pieces', async () => {
    const times = <T>(count: number, value: T) => Array.from({ length: count }, () => value)

    expect(await reasonFor(png({ before: times(4, text(8 * mebibyte)) }))).toBe('accepted')
    expect(await reasonFor(png({ before: times(5, text(8 * mebibyte)) }))).toBe(tooLarge)
    expect(await reasonFor(png({ before: times(1025, text(1)) }))).toBe(tooLarge)
  })

  test('is not read when it is longer than that as it stands', async () => {
    const chunk = (type: string) =>
      pngChunk(type, Buffer.concat([Buffer.from('Comment\0\0'), Buffer.alloc(8 * mebibyte, 'x')]))

    expect(await reasonFor(png({ before: [chunk('zTXt')] }))).toBe(tooLarge)
    expect(await reasonFor(png({ before: [chunk('tEXt')] }))).toBe('accepted')
  })

  test('has to inflate by the only method there is', async () => {
    const text = (start: string) => pngChunk('zTXt', Buffer.concat([Buffer.from(start), deflateSync('A reef')]))

    expect(await reasonFor(png({ before: [text('Comment\0\0')] }))).toBe('accepted')
    expect(await reasonFor(png({ before: [text('Comment\0\x01')] }))).toBe('damaged')
  })

  test('has to inflate', async () => {
    for (const data of ['Comment\0\0not deflated', 'Comment\0\x01', 'Comment without an end', ''])
      expect(await reasonFor(png({ before: [pngChunk('zTXt', data)] })), data).toBe('damaged')
    for (const data of [
      'Comment\0\x01\0en\0\0not deflated',
      'Comment\0\x02\0en\0\0text',
      'Comment\0\0\0en',
      'Comment',
      '',
    ])
      expect(await reasonFor(png({ before: [pngChunk('iTXt', data)] })), data).toBe('damaged')
  })
})

describe('a JPEG of many passes', () => {
  test('is refused beyond 200 scans', async () => {
    const scans = (count: number) =>
      Buffer.concat([
        ...[soi, quantization, frame(0xc2, 16, 16), huffman(0), huffman(1)],
        ...Array.from({ length: count }, () => Buffer.concat([scan(), Buffer.of(0)])),
        eoi,
      ])

    expect(await reasonFor(scans(200))).toBe('accepted')
    expect(await reasonFor(scans(201))).toBe(tooLarge)
  })
})

describe('a file that is made of next to nothing', () => {
  test.each([
    ['PNG', [pngSignature, pngHeader(), { bytes: pngChunk('prIv'), times: 60_000 }, png().subarray(33)]],
    ['JPEG', [soi, { bytes: segment(0xe5), times: 60_000 }, baselineJpeg().subarray(2)]],
    ['GIF', [gifScreen(), { bytes: Buffer.of(0x21, 0xfe, 0), times: 60_000 }, gif().subarray(19)]],
    ['WebP', [riffOf(8 * 60_000), canvasHeader(12, 9), bitstream(), { bytes: webpChunk('junk'), times: 60_000 }]],
  ] satisfies [string, Part[]][])('is refused: %s', async (_, parts) => {
    const joined = parts.map((part) =>
      part instanceof Uint8Array ? part : Buffer.alloc(part.bytes.length * part.times, part.bytes),
    )

    expect(await verdictOn(Buffer.concat(joined))).toMatchObject({
      reason: 'damaged',
      message: expect.stringContaining('ever so many'),
    })
  })
})

describe('sub-blocks of a GIF', () => {
  /** A comment of so many sub-blocks, each of them holding so many bytes. */
  const commented = (subBlocks: number, bytes: number): Part[] => [
    gifScreen(),
    Buffer.of(0x21, 0xfe),
    { bytes: Buffer.concat([Buffer.of(bytes), Buffer.alloc(bytes, 'x')]), times: subBlocks },
    Buffer.concat([Buffer.of(0), gif().subarray(19)]),
  ]
  const joined = (parts: Part[]) =>
    Buffer.concat(
      parts.map((part) =>
        part instanceof Uint8Array ? part : Buffer.alloc(part.bytes.length * part.times, part.bytes),
      ),
    )

  test('may be small while they are few', async () => {
    expect(await reasonFor(joined(commented(100_000, 1)))).toBe('accepted')
    expect(await verdictOn(joined(commented(200_000, 1)))).toMatchObject({
      reason: 'damaged',
      message: expect.stringContaining('ever so many'),
    })
  })

  test('may be many while they hold something', async () => {
    expect(await reasonFor(joined(commented(1_000_000, 8)))).toBe('accepted')
    expect(await reasonFor(joined(commented(1_000_000, 6)))).toBe('damaged')
  })

  test('of pixels are counted, too', async () => {
    const image = gifFrame().subarray(0, 11)
    const parts = [gifScreen(), image, { bytes: Buffer.of(1, 0x55), times: 200_000 }, Buffer.of(0, 0x3b)]

    expect(await reasonFor(joined(parts))).toBe('damaged')
  })
})

/** A PNG whose rows are stored and not deflated: blocks of 65,535 zeros, each in its own IDAT, all alike. */
function storedPng(blocks: number): { parts: Part[]; width: number; height: number } {
  const bytes = blocks * 65_535
  // Rows of 65,535 bytes: a filter byte and grey pixels.
  const [width, height] = [65_534, blocks]
  const stored = (isLast: number) => Buffer.concat([Buffer.of(isLast, 0xff, 0xff, 0, 0), Buffer.alloc(65_535)])
  const adler = uint32((bytes % 65_521) * 65_536 + 1)
  return {
    width,
    height,
    parts: [
      pngSignature,
      pngHeader({ width, height, colourType: 0 }),
      pngChunk('IDAT', Buffer.of(0x78, 0x01)),
      { bytes: pngChunk('IDAT', stored(0)), times: blocks - 1 },
      pngChunk('IDAT', Buffer.concat([stored(1), adler])),
      pngChunk('IEND'),
    ],
  }
}

describe('a file of 300 MB', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const heldBytes = () => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed

  /** The most that was held at any chunk, beyond what was held before. */
  async function growthOver(parts: Part[]) {
    collect()
    const before = heldBytes()
    let most = Number.NEGATIVE_INFINITY
    let chunks = 0
    const source = lazySource(parts, () => {
      if (++chunks % 64 === 0) most = Math.max(most, heldBytes() - before)
    })
    const facts = await inspectImage(source)
    return { facts, sizeBytes: source.sizeBytes, growthBytes: most }
  }

  const jpeg = jpegOf(20_000, 20_000)
  const pixels = { bytes: Buffer.alloc(65_536, 0x55), times: 4700 }
  const png = storedPng(4600)
  const block = Buffer.concat([Buffer.of(255), Buffer.alloc(255, 7)])
  const chunk = webpChunk('junk', Buffer.alloc(65_528))

  test.each<[string, Part[], number, number]>([
    ['PNG', png.parts, png.width, png.height],
    [
      'JPEG with metadata',
      [soi, { bytes: segment(0xe5, Buffer.alloc(65_500)), times: 4600 }, jpeg.subarray(2)],
      20_000,
      20_000,
    ],
    ['JPEG', [jpeg.subarray(0, -2), pixels, eoi], 20_000, 20_000],
    ['GIF', [gif().subarray(0, 30), { bytes: Buffer.alloc(65_536, block), times: 4600 }, Buffer.of(0, 0x3b)], 4, 3],
    ['WebP', [riffOf(4600 * chunk.length), canvasHeader(12, 9), bitstream(), { bytes: chunk, times: 4600 }], 12, 9],
  ])('takes few MB: %s', async (_, parts, width, height) => {
    const { facts, sizeBytes, growthBytes } = await growthOver(parts)

    expect(facts).toMatchObject({ width, height })
    expect(sizeBytes).toBeGreaterThan(300_000_000)
    expect(Number.isFinite(growthBytes)).toBe(true)
    expect(growthBytes).toBeLessThan(64 * 1024 * 1024)
  })
})

function riffOf(moreBytes: number): Buffer {
  const header = webp(canvasHeader(12, 9), bitstream()).subarray(0, 12)
  const bytes = Buffer.from(header)
  bytes.writeUInt32LE(bytes.readUInt32LE(4) + moreBytes, 4)
  return bytes
}
