import { createCanvas } from '@napi-rs/canvas'

function uint24(...values: number[]): Buffer {
  const bytes = Buffer.alloc(3 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUIntLE(value, 3 * i, 3)
  return bytes
}

export function webpChunk(type: string, data: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(data as string, 'latin1')
  const header = Buffer.from(`${type}\0\0\0\0`)
  header.writeUInt32LE(bytes.length, 4)
  return Buffer.concat([header, bytes, Buffer.alloc(bytes.length % 2)])
}

export function webp(...chunks: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks])
  const header = Buffer.from('RIFF\0\0\0\0')
  header.writeUInt32LE(body.length, 4)
  return Buffer.concat([header, body])
}

export const canvasHeader = (width: number, height: number, flags = 0) =>
  webpChunk('VP8X', Buffer.concat([Buffer.of(flags, 0, 0, 0), uint24(width - 1, height - 1)]))

/** A drawn picture, in which no two pixels need be alike. */
export function drawn(width = 12, height = 9, alpha = 1) {
  const canvas = createCanvas(width, height)
  const context = canvas.getContext('2d')
  const gradient = context.createLinearGradient(0, 0, width, height)
  gradient.addColorStop(0, `rgba(200, 30, 60, ${alpha})`)
  gradient.addColorStop(1, 'rgb(10, 120, 220)')
  context.fillStyle = gradient
  context.fillRect(0, 0, width, height)
  return canvas
}

/** The chunks of an encoded WebP, without its container. */
export function chunksOf(file: Buffer): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 12; at < file.length; ) {
    const length = 8 + file.readUInt32LE(at + 4)
    chunks.push(file.subarray(at, at + length + (length % 2)))
    at += length + (length % 2)
  }
  return chunks
}

export const lossyWebp = () => drawn().encodeSync('webp', 60)
export const losslessWebp = () => drawn().encodeSync('webp', 100)
export const transparentWebp = () => drawn(12, 9, 0.3).encodeSync('webp', 60)

/** The bitstream of a 12 x 9 picture. */
export const bitstream = () => chunksOf(lossyWebp()).find((chunk) => chunk.toString('latin1', 0, 4) === 'VP8 ')!

export const webpFrame = (x = 0, y = 0, width = 12, height = 9, chunks = [bitstream()]) =>
  webpChunk('ANMF', Buffer.concat([uint24(x / 2, y / 2, width - 1, height - 1, 100), Buffer.of(0), ...chunks]))

export const animation = webpChunk('ANIM', Buffer.alloc(6))

export const animatedWebp = () => webp(canvasHeader(20, 10, 0x02), animation, webpFrame(), webpFrame(8, 0))
