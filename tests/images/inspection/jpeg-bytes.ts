export const soi = Buffer.of(0xff, 0xd8)
export const eoi = Buffer.of(0xff, 0xd9)

/** A segment with its length. */
export function segment(code: number, data: Uint8Array | string = ''): Buffer {
  const body = Buffer.from(data as string, 'latin1')
  return Buffer.concat([Buffer.of(0xff, code, (body.length + 2) >> 8, (body.length + 2) & 255), body])
}

export const quantization = segment(0xdb, Buffer.concat([Buffer.of(0), Buffer.alloc(64, 1)]))
/** One code of one bit for the symbol 0: "no difference" and "end of block". */
export const huffman = (tableClass: 0 | 1) =>
  segment(0xc4, Buffer.concat([Buffer.of(tableClass << 4, 1), Buffer.alloc(15), Buffer.of(0)]))

export const frame = (code: number, width: number, height: number) =>
  segment(code, Buffer.of(8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0))
export const scan = (first = 0, last = 63) => segment(0xda, Buffer.of(1, 1, 0, first, last, 0))
export const restartInterval = (mcus: number) => segment(0xdd, Buffer.of(mcus >> 8, mcus & 255))

/** Grey, 16 x 16: four blocks of two bits each. */
export const baselineJpeg = (...extra: Buffer[]) =>
  Buffer.concat([
    soi,
    ...extra,
    quantization,
    frame(0xc0, 16, 16),
    huffman(0),
    huffman(1),
    scan(),
    Buffer.of(0x00),
    eoi,
  ])

/** The same with a restart behind every block. */
export const restartJpeg = () =>
  Buffer.concat([
    ...[soi, quantization, frame(0xc0, 16, 16), huffman(0), huffman(1), restartInterval(1), scan()],
    Buffer.of(0x3f, 0xff, 0xd0, 0x3f, 0xff, 0xd1, 0x3f, 0xff, 0xd2, 0x3f),
    eoi,
  ])

/** The same in two scans, the second of which starts behind a fill byte. */
export const progressiveJpeg = () =>
  Buffer.concat([
    ...[soi, quantization, frame(0xc2, 16, 16), huffman(0), scan(0, 0), Buffer.of(0x0f)],
    ...[Buffer.of(0xff), huffman(1), scan(1, 63), Buffer.of(0x0f), eoi],
  ])

interface Block {
  type: number
  name: string
  data: string | Uint8Array
}

/** What Samsung's cameras append: blocks, a directory of them, its length, "SEFT". */
export function samsungTrailer(...blocks: Block[]): Buffer {
  const stored = blocks.map(({ type, name, data }) => {
    const head = Buffer.alloc(8)
    head.writeUInt16LE(type, 2)
    head.writeUInt32LE(name.length, 4)
    return Buffer.concat([head, Buffer.from(name), Buffer.from(data as string)])
  })
  const directory = Buffer.alloc(12 + 12 * blocks.length)
  directory.write('SEFH')
  directory.writeUInt32LE(106, 4)
  directory.writeUInt32LE(blocks.length, 8)
  let back = 0
  for (let i = blocks.length - 1; i >= 0; i--) {
    back += stored[i]!.length
    directory.writeUInt16LE(blocks[i]!.type, 12 + 12 * i + 2)
    directory.writeUInt32LE(back, 12 + 12 * i + 4)
    directory.writeUInt32LE(stored[i]!.length, 12 + 12 * i + 8)
  }
  const end = Buffer.from('\0\0\0\0SEFT')
  end.writeUInt32LE(directory.length)
  return Buffer.concat([...stored, directory, end])
}
