import { pngChunk, pngHeader, pngSignature } from './inspection/png-bytes.ts'

/** Adler-32 (RFC 1950) of so many zeros: the first sum stays 1, the second counts them. */
const adlerOfZeros = (count: number) => ((count % 65_521) << 16) | 1

const blockBytes = 65_535

/** A black, grey PNG of 8 bits, deflated without being any smaller for it, one block at a time. */
export function* pngOf(width: number, height: number): Generator<Buffer> {
  yield Buffer.concat([pngSignature, pngHeader({ width, height, bitDepth: 8, colourType: 0 })])
  const total = height * (width + 1)
  for (let at = 0; at < total; at += blockBytes) {
    const length = Math.min(blockBytes, total - at)
    const isLast = at + length === total
    const head = Buffer.from([isLast ? 1 : 0, length & 255, length >> 8, ~length & 255, (~length >> 8) & 255])
    const checksum = Buffer.alloc(4)
    checksum.writeUInt32BE(adlerOfZeros(total) >>> 0)
    yield pngChunk(
      'IDAT',
      Buffer.concat([
        ...(at === 0 ? [Buffer.of(0x78, 0x01)] : []),
        head,
        Buffer.alloc(length),
        ...(isLast ? [checksum] : []),
      ]),
    )
  }
  yield pngChunk('IEND')
}

export function sizeOfPng(width: number, height: number): number {
  const total = height * (width + 1)
  const blocks = Math.ceil(total / blockBytes)
  const fixed = pngSignature.length + pngHeader().length + pngChunk('IEND').length
  return fixed + 2 + 4 + total + blocks * (5 + 12)
}

/** A sound image of exactly so many bytes: the rest is text, which a PNG may have. */
export function pngOfSize(sizeBytes: number): Buffer {
  const bare = Buffer.concat([...pngOf(1, 1)])
  const text = Buffer.concat([Buffer.from('Comment\0'), Buffer.alloc(sizeBytes - bare.length - 20, 'x')])
  const end = bare.subarray(bare.length - 12)
  return Buffer.concat([bare.subarray(0, -12), pngChunk('tEXt', text), end])
}
