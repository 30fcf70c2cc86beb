import type { ByteCursor } from './byte-cursor.ts'
import { damaged } from './image-refused.ts'
import { inflateThrough } from './inflation.ts'
import type { ImageSize } from './inspection.ts'

const offsetBytes = 4

/**
 * Whether a JPEG that has come to its end is followed by the mask with which GDAL says which pixels have data: a zlib
 * stream to the end of the file, and then where it began, little-endian (`JPGAppendMask` of GDAL's jpgdataset.cpp).
 * @param tail the last bytes of the file
 */
export function isMaskNext(position: number, tail: Uint8Array, sizeBytes: number): boolean {
  const bytes = Buffer.from(tail.buffer, tail.byteOffset, tail.length)
  return position + offsetBytes < sizeBytes && bytes.readUInt32LE(bytes.length - offsetBytes) === position
}

/** Past the mask and what follows it. @throws ImageRefused when it is none of an image of this size */
export async function passMask(cursor: ByteCursor, { width, height }: ImageSize, end: number): Promise<void> {
  let left = height * Math.ceil(width / 8)
  await inflateThrough(cursor.pieces(end - offsetBytes - cursor.position()), {
    format: 'JPEG',
    what: 'mask',
    take({ length }) {
      left -= length
      if (left < 0) throw damaged('JPEG', 'its mask has more bits than it has pixels')
    },
  })
  await cursor.skip(offsetBytes)
}
