import { deflateSync } from 'node:zlib'
import { baselineJpeg } from './inspection/jpeg-bytes.ts'
import { png, pngChunk, pngHeader, pngSignature } from './inspection/png-bytes.ts'

export const jpegOf = (): Buffer => baselineJpeg()

const text = (content: string) => Buffer.from(content)
const sound = png()

/** A PNG of a few kilobytes that unpacks to a gigabyte. */
function bomb(): Buffer {
  const [width, height] = [32_000, 32_000]
  const rows = deflateSync(Buffer.alloc(8 * 1024 * 1024))
  return Buffer.concat([
    pngSignature,
    pngHeader({ width, height, bitDepth: 8, colourType: 0 }),
    pngChunk('IDAT', rows),
    pngChunk('IEND'),
  ])
}

/** What is refused, and how. */
export const faulty = [
  { name: 'text', bytes: text('The reef is bleached.'), status: 415, code: 'unsupported_media_type' },
  {
    name: 'a page',
    bytes: text('<!doctype html><script>alert(1)</script>'),
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'SVG',
    bytes: text('<svg xmlns="http://www.w3.org/2000/svg"/>'),
    status: 415,
    code: 'unsupported_media_type',
  },
  { name: 'PDF', bytes: text('%PDF-1.7\n%âãÏÓ\n1 0 obj\n'), status: 415, code: 'unsupported_media_type' },
  { name: 'nothing', bytes: text(''), status: 415, code: 'unsupported_media_type' },
  { name: 'the beginning of a signature', bytes: sound.subarray(0, 5), status: 415, code: 'unsupported_media_type' },
  { name: 'a signature alone', bytes: sound.subarray(0, 8), status: 415, code: 'unsupported_media_type' },
  { name: 'half an image', bytes: sound.subarray(0, sound.length / 2), status: 422, code: 'image_refused' },
  { name: 'an image with a bit flipped', bytes: flipped(sound), status: 422, code: 'image_refused' },
  {
    name: 'an image with a page behind it',
    bytes: Buffer.concat([sound, text('<script>')]),
    status: 422,
    code: 'image_refused',
  },
  { name: 'a bomb', bytes: bomb(), status: 422, code: 'image_refused' },
]

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy[Math.floor(copy.length / 2)]! ^= 1
  return copy
}
