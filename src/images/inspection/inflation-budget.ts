import { ImageRefused } from './image-refused.ts'

/**
 * What all pixel data of a file may inflate to, which costs time where pixels cost none: frames of 64 bits a pixel are as many as
 * frames of one. A photograph inflates to a few times its bytes, a drawing to ten or twenty times.
 * @returns what counts some more bytes, before they are inflated. It throws `ImageRefused`
 */
export function inflationBudget(sizeBytes: number): (bytes: number) => void {
  let left = Math.max(1024 ** 3, 30 * sizeBytes)
  return (bytes) => {
    left -= bytes
    if (left < 0) {
      throw new ImageRefused(
        'too_large_decoded',
        'The PNG has more pixel data than may be kept; save it with fewer or smaller frames, or fewer bits for each pixel.',
      )
    }
  }
}
