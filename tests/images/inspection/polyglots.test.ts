import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { comment, gif, gifFrame, gifScreen, subBlocks, xmpExtension } from './gif-bytes.ts'
import { baselineJpeg, samsungTrailer, segment } from './jpeg-bytes.ts'
import { png, pngChunk } from './png-bytes.ts'
import { samples } from './samples.ts'
import { reasonFor, verdictOn } from './support.ts'
import { page, type Tag, tiff } from './tiff-bytes.ts'
import { bitstream, canvasHeader, webp, webpChunk } from './webp-bytes.ts'

interface ArchiveEnd {
  directoryBytes?: number
  directoryOffset?: number
  comment?: string
}

/** What ends a ZIP archive of one file (APPNOTE.TXT 4.3.16). */
function archiveEnd({ directoryBytes = 4, directoryOffset = 0, comment = '' }: ArchiveEnd = {}): Buffer {
  const record = Buffer.alloc(22)
  record.write('PK\x05\x06')
  record.writeUInt16LE(1, 8)
  record.writeUInt16LE(1, 10)
  record.writeUInt32LE(directoryBytes, 12)
  record.writeUInt32LE(directoryOffset, 16)
  record.writeUInt16LE(comment.length, 20)
  return Buffer.concat([record, Buffer.from(comment)])
}

const ascii = (text: string): Tag => ({ tag: 270, type: 2, values: text })
const asBytes = (tag: number, text: string): Tag => ({ tag, type: 7, values: [...Buffer.from(text, 'latin1')] })

/** Each place of each format where text may stand. */
const places: Record<string, (text: string) => Buffer> = {
  'a PNG text': (text) => png({ before: [pngChunk('tEXt', `Comment\0${text}`)] }),
  'a PNG text behind the pixels': (text) => png({ after: [pngChunk('tEXt', `Comment\0${text}`)] }),
  'a compressed PNG text': (text) =>
    png({ before: [pngChunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(text)]))] }),
  'an international PNG text': (text) => png({ before: [pngChunk('iTXt', `Comment\0\0\0en\0Comment\0${text}`)] }),
  'a compressed international PNG text': (text) =>
    png({ before: [pngChunk('iTXt', Buffer.concat([Buffer.from('Comment\0\x01\0en\0\0'), deflateSync(text)]))] }),
  'a PNG colour profile': (text) =>
    png({ before: [pngChunk('iCCP', Buffer.concat([Buffer.from('Profile\0\0'), deflateSync(text)]))] }),
  'a private PNG chunk': (text) => png({ before: [pngChunk('prIv', text)] }),
  'a JPEG comment': (text) => baselineJpeg(segment(0xfe, text)),
  'JPEG application data': (text) => baselineJpeg(segment(0xe1, `Exif\0\0${text}`)),
  'a Samsung trailer': (text) =>
    Buffer.concat([baselineJpeg(), samsungTrailer({ type: 0xa01, name: 'Image_UTC_Data', data: text })]),
  'a GIF comment': (text) => gif([comment(text), gifFrame()]),
  'a GIF comment in short blocks': (text) => gif([comment(text, 3), gifFrame()]),
  'a GIF application extension': (text) =>
    gif([Buffer.concat([Buffer.of(0x21, 0xff, 11), Buffer.from('ANYTHING1.0'), subBlocks(text)]), gifFrame()]),
  'GIF XMP': (text) => gif([xmpExtension(text), gifFrame()]),
  'WebP XMP': (text) => webp(canvasHeader(12, 9, 0x04), bitstream(), webpChunk('XMP ', text)),
  'WebP EXIF': (text) => webp(canvasHeader(12, 9, 0x08), bitstream(), webpChunk('EXIF', text)),
  'a TIFF description': (text) => tiff([page(6, 4, 2, ascii(text))]),
  'TIFF XMP': (text) => tiff([page(6, 4, 2, asBytes(700, text))]),
  'TIFF IPTC': (text) => tiff([page(6, 4, 2, asBytes(33723, text))]),
  'a description of a second TIFF page': (text) => tiff([page(), page(6, 4, 2, ascii(text))]),
  'TIFF EXIF': (text) => tiff([{ ...page(), below: { 34665: [{ tags: [ascii(text)], strips: [] }] } }]),
}
const placeNames = Object.keys(places)

const xmp = `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
  xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description dc:title="A reef &lt;html&gt; at noon"/></rdf:RDF>
  </x:xmpmeta><?xpacket end="w"?>`

describe('an image with a page or a program in its metadata', () => {
  test.each(placeNames)('is refused: %s', async (place) => {
    for (const text of [
      '<script>alert(1)</script>',
      'x <ScRiPt src=//x>',
      '<?php system($_GET[0])',
      '<HTML>',
      '<!DOCTYPE html>',
    ])
      expect(await reasonFor(places[place]!(text)), text).toBe('polyglot')
  })

  test.each(placeNames)('is not what XMP and plain words are: %s', async (place) => {
    for (const text of [xmp, 'A reef at noon', '<3 scripts & html', '<', '*/'])
      expect(await verdictOn(places[place]!(text)), text).not.toHaveProperty('reason')
  })

  test('is refused wherever the text is cut by the reader', async () => {
    for (const at of [32 * 1024, 64 * 1024, 96 * 1024]) {
      for (let before = 0; before <= 20; before += 4) {
        const text = `${' '.repeat(at - before)}<!doctype html>${' '.repeat(1000)}`
        for (const place of ['a PNG text', 'GIF XMP', 'WebP XMP', 'TIFF XMP', 'a TIFF description'])
          expect(await reasonFor(places[place]!(text)), `${place}, ${at} - ${before}`).toBe('polyglot')
      }
    }
  })

  test('does not join what stands in two texts', async () => {
    const apart = png({ before: [pngChunk('tEXt', 'Comment\0<scr'), pngChunk('tEXt', 'ipt>\0is nothing')] })

    expect(await reasonFor(apart)).toBe('accepted')
  })

  test.each([
    ['GIF', gif([comment('*/=1;alert(1)//'), gifFrame()], gifScreen(0x2a2f, 3))],
    ['JPEG', baselineJpeg(segment(0xe0, 'JFIF\0'.padEnd(0x2f2a - 2)), segment(0xfe, '*/=alert(1)/*'))],
    ['WebP', commentedWebp()],
  ])('is refused where it is a script to be run as %s', async (_, bytes) => {
    expect(bytes.subarray(0, 16).includes('/*')).toBe(true)
    expect(await reasonFor(bytes)).toBe('polyglot')
  })
})

/** Padded until its size begins with a comment. */
function commentedWebp(): Buffer {
  const parts = [canvasHeader(12, 9, 0x04), bitstream(), webpChunk('XMP ', '*/=1;alert(1)//')]
  return webp(...parts, webpChunk('pad ', Buffer.alloc(0x2a2f20 - webp(...parts).length)))
}

describe('an archive', () => {
  const end = archiveEnd()

  test.each([
    ['a PNG text', png({ before: [pngChunk('tEXt', Buffer.concat([Buffer.from('Comment\0'), end]))] })],
    ['a JPEG comment', baselineJpeg(segment(0xfe, end))],
    ['a GIF comment', gif([comment(end.toString('latin1')), gifFrame()])],
    ['a WebP chunk', webp(canvasHeader(12, 9), bitstream(), webpChunk('junk', end))],
    ['a TIFF strip', tiff([{ ...page(22, 4), strips: [Buffer.concat([end, end]), Buffer.alloc(44)] }])],
  ])('is refused in %s', async (_, bytes) => {
    expect(await reasonFor(bytes)).toBe('polyglot')
  })

  test.each(samples)('is refused behind $name', async ({ bytes }) => {
    expect(await reasonFor(Buffer.concat([bytes, archiveEnd({ comment: 'appended' })]))).toBe('polyglot')
  })

  test('is refused with the longest comment there is, and is then no archive any more', async () => {
    const bytes = tiff([page()])
    const longest = archiveEnd({ comment: 'x'.repeat(65_535) })

    const before = Buffer.from('left behind')

    expect(await reasonFor(Buffer.concat([bytes, before, longest]))).toBe('polyglot')
    expect(await reasonFor(Buffer.concat([bytes, before, longest, Buffer.of(0)]))).toBe('accepted')
  })

  test('is refused when its numbers stand in a ZIP64 record', async () => {
    const locator = Buffer.alloc(20)
    locator.write('PK\x06\x07')
    const zip64 = archiveEnd({ directoryBytes: 0xffffffff, directoryOffset: 0xffffffff })

    expect(await reasonFor(baselineJpeg(segment(0xfe, Buffer.concat([locator, zip64]))))).toBe('polyglot')
    expect(await reasonFor(baselineJpeg(segment(0xfe, zip64)))).toBe('accepted')
  })

  test('is found behind bytes that only look like its end', async () => {
    const decoys = [Buffer.from('PK\x05\x06'), archiveEnd({ directoryOffset: 0x7fffffff })]

    expect(await reasonFor(baselineJpeg(segment(0xfe, Buffer.concat(decoys))))).toBe('accepted')
    expect(await reasonFor(baselineJpeg(segment(0xfe, Buffer.concat([...decoys, end]))))).toBe('polyglot')
  })
})

describe('a PDF', () => {
  test.each(['a PNG text', 'a JPEG comment', 'a GIF comment', 'TIFF XMP'])('is refused in %s', async (place) => {
    expect(await reasonFor(places[place]!('%PDF-1.7\n1 0 obj'))).toBe('polyglot')
  })

  test('is none when it starts later than readers look', async () => {
    const late = (padding: number) => baselineJpeg(segment(0xfe, `${' '.repeat(padding)}%PDF-1.7`))
    const start = 6

    expect(await reasonFor(late(1024 - start - 5))).toBe('polyglot')
    expect(await reasonFor(late(1024 - start))).toBe('accepted')
  })
})
