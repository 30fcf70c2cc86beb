import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { baselineJpeg, eoi, samsungTrailer } from './jpeg-bytes.ts'
import { samples } from './samples.ts'
import { reasonFor, verdictOn } from './support.ts'

describe('bytes behind the end', () => {
  const isOneFile = samples.filter(({ facts }) => facts.type !== 'image/tiff')
  const blank = Buffer.from('\0\0 \t\r\n\0')

  test.each(isOneFile)('are accepted behind $name where they are padding', async ({ bytes, facts }) => {
    for (const chunkBytes of [undefined, 1]) {
      expect(await verdictOn(Buffer.concat([bytes, blank]), chunkBytes)).toEqual(facts)
      expect(await verdictOn(Buffer.concat([bytes, Buffer.alloc(200_000)]))).toEqual(facts)
    }
  })

  test.each(isOneFile)('are refused behind $name where they are anything else', async ({ bytes, facts }) => {
    const format = { 'image/png': 'PNG', 'image/jpeg': 'JPEG', 'image/gif': 'GIF', 'image/webp': 'WebP' }[
      facts.type as string
    ]
    for (const [more, what] of [
      ['x', 'something that is no part of it'],
      ['7z\xbc\xaf\x27\x1c', 'an archive'],
      ['\0\0\0\x18ftypmp42', 'a film'],
      ['<HTML><body>', 'a web page or a script'],
      ['#!/bin/sh\nid', 'a program'],
    ] as const) {
      for (const before of [Buffer.alloc(0), blank]) {
        expect(await verdictOn(Buffer.concat([bytes, before, Buffer.from(more, 'latin1')])), more).toEqual({
          reason: 'polyglot',
          message: `The ${format} is followed by ${what}; export it as a plain ${format}.`,
        })
      }
    }
  })

  test.each(isOneFile.filter(({ facts }) => facts.type !== 'image/jpeg'))(
    'are refused behind $name where a JPEG might have them',
    async ({ bytes }) => {
      for (const more of [Buffer.of(0xff), Buffer.of(0xff, 0xd9)]) {
        expect(await reasonFor(Buffer.concat([bytes, more]))).toBe('polyglot')
      }
    },
  )

  const trailer = samsungTrailer(
    { type: 0xa01, name: 'Image_UTC_Data', data: '1613000000000' },
    { type: 0xaa1, name: 'MCC_Data', data: '505' },
  )

  test.each([
    ['zeros', Buffer.alloc(5000)],
    ['a fill byte', Buffer.of(0xff)],
    ['fill bytes', Buffer.alloc(5000, 0xff)],
    ['its end once more', eoi],
    ['its end and padding, again and again', Buffer.alloc(5000, '\0\xff\xff\xd9 \n\xff\r\t\xff\0\xff\xd9', 'latin1')],
    ['padding and another JPEG', Buffer.concat([Buffer.of(0xff), eoi, Buffer.alloc(9, 0xff), baselineJpeg(), eoi])],
    ['fill bytes and a Samsung trailer', Buffer.concat([Buffer.alloc(9, 0xff), trailer])],
    ['another JPEG', baselineJpeg()],
    [
      'JPEGs and zeros',
      Buffer.concat([Buffer.alloc(3), baselineJpeg(), Buffer.alloc(99), baselineJpeg(), Buffer.alloc(1)]),
    ],
    ['a Samsung trailer', trailer],
    ['a JPEG and a Samsung trailer', Buffer.concat([Buffer.alloc(7), baselineJpeg(), trailer])],
    ['the longest Samsung trailer', samsungTrailer({ type: 1, name: 'x', data: Buffer.alloc(65_536 - 41, 1) })],
  ])('are accepted behind a JPEG: %s', async (_, more) => {
    for (const chunkBytes of [undefined, 1])
      expect(await verdictOn(Buffer.concat([baselineJpeg(), more]), chunkBytes)).toMatchObject({ width: 16 })
  })

  const broken = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(trailer)
    change(bytes)
    return bytes
  }
  const directory = trailer.indexOf('SEFH')

  test.each([
    ['a film', Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0isommp42', 'latin1')],
    ['a film behind another JPEG', Buffer.concat([baselineJpeg(), Buffer.from('\0\0\0\x18ftypmp42')])],
    ['a byte', Buffer.of(1)],
    ['a JPEG without its first byte', baselineJpeg().subarray(1)],
    ['the second half of its end', Buffer.of(0xd9)],
    ['a marker', Buffer.of(0xff, 0xfe)],
    ['fill bytes and a byte', Buffer.of(0xff, 0xff, 1)],
    ['padding and a byte', Buffer.from('\0\xff\xd9\xff\nx', 'latin1')],
    ['a longer Samsung trailer', samsungTrailer({ type: 1, name: 'x', data: Buffer.alloc(65_536 - 40, 1) })],
    ['a Samsung trailer and a byte', Buffer.concat([trailer, Buffer.of(1)])],
    ['a Samsung trailer behind something', Buffer.concat([Buffer.from('x'), trailer])],
    ['"SEFT" alone', Buffer.from('anything\x0c\0\0\0SEFT')],
    ['a Samsung trailer of a wrong length', broken((bytes) => bytes.writeUInt32LE(37, bytes.length - 8))],
    ['a Samsung trailer longer than the file', broken((bytes) => bytes.writeUInt32LE(0xffffffff, bytes.length - 8))],
    ['a Samsung trailer without a directory', broken((bytes) => bytes.write('SEFX', directory))],
    ['a Samsung trailer with more blocks', broken((bytes) => bytes.writeUInt32LE(3, directory + 8))],
    ['a Samsung block that is nowhere', broken((bytes) => bytes.writeUInt32LE(1 << 20, directory + 16))],
    ['a Samsung block in the directory', broken((bytes) => bytes.writeUInt32LE(4000, directory + 20))],
    ['a Samsung block without a header', broken((bytes) => bytes.writeUInt32LE(7, directory + 20))],
    ['a Samsung block of another type', broken((bytes) => bytes.writeUInt32LE(7, directory + 12))],
    ['a Samsung block with a long name', broken((bytes) => bytes.writeUInt32LE(5000, 4))],
  ])('are refused behind a JPEG: %s', async (_, more) => {
    expect(await verdictOn(Buffer.concat([baselineJpeg(), more]))).toEqual({
      reason: 'polyglot',
      message: expect.stringContaining('export it as a plain JPEG'),
    })
  })

  test('are damaged when they start as a JPEG and do not end as one', async () => {
    expect(await reasonFor(Buffer.concat([baselineJpeg(), baselineJpeg().subarray(0, -2)]))).toBe('damaged')
  })

  test('are damaged when the image reaches into them', async () => {
    const open = baselineJpeg().subarray(0, -2)
    const closing = samsungTrailer({ type: 0xa01, name: 'Image_UTC_Data', data: Buffer.of(1, 0xff, 0xd9, 1) })

    expect(await reasonFor(Buffer.concat([open, closing]))).toBe('damaged')
    expect(await reasonFor(Buffer.concat([baselineJpeg(), open, closing]))).toBe('damaged')
  })
})

/** The mask that GDAL appends: a bit for each pixel, deflated, and where it begins. */
function masked(jpeg: Buffer, deflated: Uint8Array, start = jpeg.length): Buffer {
  const offset = Buffer.alloc(4)
  offset.writeUInt32LE(start)
  return Buffer.concat([jpeg, deflated, offset])
}

describe('the mask of a JPEG', () => {
  const jpeg = baselineJpeg()
  /** 16 rows of 16 bits. */
  const bits = Buffer.alloc(32, 0x5a)
  const mask = deflateSync(bits)

  test('is accepted, however it is streamed', async () => {
    for (const chunkBytes of [undefined, 1, 7]) {
      expect(await verdictOn(masked(jpeg, mask), chunkBytes)).toEqual({ type: 'image/jpeg', width: 16, height: 16 })
    }
    expect(await reasonFor(masked(jpeg, deflateSync(bits.subarray(0, 20))))).toBe('accepted')
  })

  test.each([
    ['of more bits than there are pixels', masked(jpeg, deflateSync(Buffer.alloc(33))), 'more bits'],
    ['that is a bomb', masked(jpeg, deflateSync(Buffer.alloc(50_000_000))), 'more bits'],
    ['that is cut short', masked(jpeg, mask.subarray(0, -1)), 'cannot be inflated'],
    ['that is spoilt', masked(jpeg, Buffer.concat([mask.subarray(0, -1), Buffer.of(mask.at(-1)! ^ 1)])), 'cannot be'],
    ['with something behind it', masked(jpeg, Buffer.concat([mask, Buffer.from('x')])), 'something follows'],
    ['with much behind it', masked(jpeg, Buffer.concat([mask, Buffer.alloc(70_000, 'A')])), 'something follows'],
    ['that is none', masked(jpeg, Buffer.from('<html>')), 'cannot be inflated'],
  ])('is damaged %s', async (_, bytes, what) => {
    expect(await verdictOn(bytes)).toEqual({ reason: 'damaged', message: expect.stringContaining(what) })
  })

  test('is none where it does not begin right behind the image, or ends with something else', async () => {
    for (const start of [0, jpeg.length - 1, jpeg.length + 1, 2 ** 32 - 1])
      expect(await reasonFor(masked(jpeg, mask, start)), String(start)).toBe('polyglot')
    expect(await reasonFor(Buffer.concat([masked(jpeg, mask), Buffer.of(0)]))).toBe('polyglot')
    expect(await reasonFor(Buffer.concat([jpeg, mask]))).toBe('polyglot')
    expect(await reasonFor(masked(jpeg, Buffer.alloc(0)))).toBe('polyglot')
  })
})
