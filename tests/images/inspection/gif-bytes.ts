const uint16 = (...values: number[]) => Buffer.from(Uint16Array.from(values).buffer)

/** Data in sub-blocks with their terminator. */
export function subBlocks(data: Uint8Array | string, blockBytes = 255): Buffer {
  const bytes = Buffer.from(data as string, 'latin1')
  const blocks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes)
    blocks.push(Buffer.of(block.length), block)
  }
  return Buffer.concat([...blocks, Buffer.of(0)])
}

export interface GifFrame {
  left?: number
  top?: number
  width?: number
  height?: number
  localColours?: boolean
}

/** A frame of black pixels, its codes of 3 bits each with a clear before every pixel, so that they never grow. */
export function gifFrame({ left = 0, top = 0, width = 4, height = 3, localColours = false }: GifFrame = {}): Buffer {
  const [clear, end] = [4, 5]
  const codes = [...Array.from({ length: width * height }, () => [clear, 0]).flat(), end]
  const data = Buffer.alloc(Math.ceil((codes.length * 3) / 8))
  for (const [i, code] of codes.entries()) {
    for (let bit = 0; bit < 3; bit++) {
      const at = 3 * i + bit
      data[at >> 3]! |= ((code >> bit) & 1) << (at & 7)
    }
  }
  const colours = localColours ? Buffer.alloc(6) : Buffer.alloc(0)
  const packed = localColours ? 0x80 : 0
  const place = uint16(left, top, width, height)
  return Buffer.concat([Buffer.of(0x2c), place, Buffer.of(packed), colours, Buffer.of(2), subBlocks(data, 7)])
}

export const comment = (text: string, blockBytes?: number) =>
  Buffer.concat([Buffer.of(0x21, 0xfe), subBlocks(text, blockBytes)])
export const loop = () =>
  Buffer.concat([Buffer.of(0x21, 0xff, 11), Buffer.from('NETSCAPE2.0'), subBlocks(Buffer.of(1, 0, 0))])
export const delay = () => Buffer.of(0x21, 0xf9, 4, 0, 10, 0, 0, 0)

/** XMP is written through the sub-blocks; 258 bytes at its end lead any reader out of them. */
export function xmpExtension(xml: string): Buffer {
  const trailer = Buffer.from([1, ...Array.from({ length: 256 }, (_, i) => 255 - i), 0])
  return Buffer.concat([Buffer.of(0x21, 0xff, 11), Buffer.from('XMP DataXMP'), Buffer.from(xml), trailer])
}

export function gifScreen(width = 4, height = 3): Buffer {
  return Buffer.concat([Buffer.from('GIF89a'), uint16(width, height), Buffer.of(0x80, 0, 0), Buffer.alloc(6)])
}

export const gif = (blocks: Buffer[] = [gifFrame()], screen = gifScreen()) =>
  Buffer.concat([screen, ...blocks, Buffer.of(0x3b)])

export const animatedGif = () =>
  gif([
    loop(),
    ...[delay(), gifFrame()],
    ...[delay(), gifFrame({ left: 1, top: 1, width: 2, height: 2, localColours: true })],
    comment('two frames'),
  ])
