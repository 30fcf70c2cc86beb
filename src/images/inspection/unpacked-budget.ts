import { damaged, ImageRefused } from './image-refused.ts'
import type { ImageSize } from './inspection.ts'

/** What a file may unpack to, in bytes. Both methods throw `ImageRefused`. */
export interface UnpackedBudget {
  /** For a canvas that frames are drawn on. */
  assertFits(bytes: number): void
  /** For every image, frame and page. They count together. */
  add(bytes: number): void
}

/** This much is nobody's concern, whatever it comes from: a bilevel scan of A0 has a third of it. */
const freeBytes = 50_000_000
/** Plain maps and posters reach 300 of their own bytes, decompression bombs a thousand and more. */
const timesItsSize = 500
/** Few viewers take more; and a PNG is inflated, a GB in about a second. */
const mostBytes = 8_000_000_000
const maxImages = 10_000

export function unpackedBudget(sizeBytes: number): UnpackedBudget {
  const limitBytes = Math.min(mostBytes, Math.max(freeBytes, timesItsSize * sizeBytes))
  let usedBytes = 0
  let images = 0

  function assertFits(bytes: number) {
    if (bytes <= limitBytes) return
    const [unpacked, size, limit] = [bytes, sizeBytes, limitBytes].map((count) => count.toLocaleString('en'))
    throw new ImageRefused(
      'too_large_decoded',
      `The image unpacks to at least ${unpacked} bytes; a file of ${size} bytes may unpack to ${limit}. Save it smaller.`,
    )
  }

  return {
    assertFits,
    add(bytes) {
      usedBytes += bytes
      assertFits(usedBytes)
      if (++images > maxImages) {
        const most = maxImages.toLocaleString('en')
        throw new ImageRefused('too_large_decoded', `The image has more than ${most} frames or pages; save fewer.`)
      }
    },
  }
}

/** Of an image as its decoder gives it, rows being whole bytes. @throws ImageRefused for one without pixels */
export function unpackedBytes({ width, height }: ImageSize, bitsPerPixel: number): number {
  if (width === 0 || height === 0) throw damaged('image', 'it is empty, with a width or a height of zero')
  return height * Math.ceil((width * bitsPerPixel) / 8)
}
