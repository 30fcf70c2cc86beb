import { damaged, ImageRefused } from './image-refused.ts'

/** What a file may decode to. All methods throw `ImageRefused`. */
export interface PixelBudget {
  /** For a canvas that frames are drawn on. */
  assertFits(width: number, height: number): void
  /** For every image, frame and page. `layers` is 1 for up to four samples per pixel. */
  add(width: number, height: number, layers?: number): void
}

const maxImages = 10_000

/**
 * A picture of any size may have 50 million pixels, and a large file 20 for each of its bytes: photographs and
 * orthomosaics have fewer than 10, decompression bombs thousands. No viewer takes more than 4 billion.
 */
export function pixelBudget(sizeBytes: number): PixelBudget {
  const perImage = Math.min(4_000_000_000, Math.max(50_000_000, 20 * sizeBytes))
  let left = Math.max(500_000_000, 100 * sizeBytes)
  let images = 0

  function assertFits(width: number, height: number, layers = 1) {
    if (width === 0 || height === 0) throw damaged('image', 'it is empty, with a width or a height of zero')
    if (width * height * layers > perImage) {
      throw new ImageRefused(
        'too_large_decoded',
        `The image claims ${width} × ${height} pixels, too many for a file of ${sizeBytes} bytes; save it smaller.`,
      )
    }
  }

  return {
    assertFits,
    add(width, height, layers = 1) {
      assertFits(width, height, layers)
      left -= width * height * layers
      if (++images > maxImages || left < 0) {
        throw new ImageRefused(
          'too_large_decoded',
          'The image has more frames or pages than may be kept; save fewer or smaller ones.',
        )
      }
    },
  }
}
