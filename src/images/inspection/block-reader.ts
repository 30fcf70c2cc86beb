import { damaged } from './image-refused.ts'
import type { ImageSource } from './inspection.ts'

export interface BlockReader {
  /** A copy of some bytes, of a length that the caller bounds. @throws ImageRefused when they are not in the file */
  read(offset: number, length: number): Promise<Buffer>
}

const blockBytes = 64 * 1024
const keptBlocks = 16

/**
 * Random reads in blocks, of which the last used are kept. A sound file is read about once; one whose directories would
 * have us read it many times over, or hop through it for ever, is refused.
 */
export function blockReader(source: ImageSource): BlockReader {
  const { sizeBytes } = source
  const blocks = new Map<number, Uint8Array>()
  let bytesLeft = 2 * sizeBytes + 1024 * 1024
  let loadsLeft = 2 * Math.ceil(sizeBytes / blockBytes) + 2000

  async function block(index: number): Promise<Uint8Array> {
    const kept = blocks.get(index)
    if (!kept && --loadsLeft < 0) throw damaged('TIFF', 'its directories are scattered all over it')
    const start = index * blockBytes
    const bytes = kept ?? (await source.read(start, Math.min(blockBytes, sizeBytes - start)))
    blocks.delete(index)
    blocks.set(index, bytes)
    if (blocks.size > keptBlocks) blocks.delete(blocks.keys().next().value!)
    return bytes
  }

  return {
    async read(offset, length) {
      if (offset + length > sizeBytes) throw damaged('TIFF', 'it points past its end')
      bytesLeft -= length
      if (bytesLeft < 0) throw damaged('TIFF', 'its directories point at the same bytes again and again')
      const bytes = Buffer.alloc(length)
      for (let at = 0; at < length; ) {
        const index = Math.floor((offset + at) / blockBytes)
        const from = offset + at - index * blockBytes
        const part = (await block(index)).subarray(from, from + length - at)
        bytes.set(part, at)
        at += part.length
      }
      return bytes
    },
  }
}
