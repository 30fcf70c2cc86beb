import { damaged } from './image-refused.ts'

interface PartLimits {
  /** So many parts are nobody's concern. */
  free: number
  /** What each of the others has of the file, on average. */
  bytesEach: number
}

/**
 * Counts a file's chunks, segments or blocks, each of which costs time even where it holds nothing. A writer needs a
 * few for each frame and one for some KB of pixels, unless the format cuts its data into smaller ones.
 * @returns what counts one more. It throws `ImageRefused`
 */
export function partCounter(
  format: string,
  sizeBytes: number,
  { free, bytesEach }: PartLimits = { free: 50_000, bytesEach: 1024 },
): () => void {
  let left = free + sizeBytes / bytesEach
  return () => {
    if (--left < 0) throw damaged(format, 'it is made of ever so many parts that hold next to nothing')
  }
}
