import { crc32 } from 'node:zlib'
import type { ByteCursor } from './byte-cursor.ts'
import { damaged } from './image-refused.ts'

/** A chunk whose data is still ahead (PNG 5.3). It has to be read to its end before the next one. */
export interface PngChunk {
  type: string
  /** Of its data, in bytes. */
  length: number
  /** The next bytes of its data. */
  take(length: number): Promise<Buffer>
  /** What is left of its data, as it comes. The checksum is checked behind it. */
  rest(): AsyncGenerator<Uint8Array>
}

/** @returns what reads the next chunk. @throws ImageRefused */
export function pngChunks(cursor: ByteCursor, countPart: () => void): () => Promise<PngChunk> {
  return async () => {
    countPart()
    const header = await cursor.take(8)
    const length = header.readUInt32BE(0)
    const type = header.toString('latin1', 4)
    if (!/^[A-Za-z]{4}$/.test(type) || length >= 2 ** 31) throw damaged('PNG', 'what should be a chunk is none')
    let checksum = crc32(header.subarray(4))
    let left = length

    return {
      type,
      length,
      async take(count) {
        if (count > left) throw damaged('PNG', `its chunk ${type} is too short`)
        left -= count
        const bytes = await cursor.take(count)
        checksum = crc32(bytes, checksum)
        return bytes
      },
      async *rest() {
        for await (const piece of cursor.pieces(left)) {
          checksum = crc32(piece, checksum)
          yield piece
        }
        const expected = (await cursor.take(4)).readUInt32BE()
        if (expected !== checksum) throw damaged('PNG', `its chunk ${type} does not match its checksum`)
      },
    }
  }
}

/** All data of a short chunk; `length` where it has to be exactly so long. */
export async function chunkBytes(chunk: PngChunk, length = chunk.length): Promise<Buffer> {
  if (chunk.length !== length) throw damaged('PNG', `its chunk ${chunk.type} has a wrong length`)
  const bytes = Buffer.from(await chunk.take(length))
  for await (const _ of chunk.rest());
  return bytes
}
