import { inspectGif } from './gif.ts'
import { ImageRefused } from './image-refused.ts'
import type { ImageSize, ImageSource, Inspection } from './inspection.ts'
import { inspectJpeg } from './jpeg.ts'
import { headBytes } from './other-kind.ts'
import { inspectPng } from './png.ts'
import { assertNoOtherFormat, tailBytes } from './polyglot.ts'
import { inspectTiff } from './tiff.ts'
import { unpackedBudget } from './unpacked-budget.ts'
import { inspectWebp } from './webp.ts'

export { ImageRefused } from './image-refused.ts'
export type { ImageSource } from './inspection.ts'

export type ImageType = 'image/png' | 'image/jpeg' | 'image/webp' | 'image/gif' | 'image/tiff'

/** In pixels. JPEG and TIFF: as stored, before any EXIF orientation. Animations: the canvas; pages: the first. */
export interface ImageFacts extends ImageSize {
  type: ImageType
}

/** How the files of each type start, as Latin-1. */
const signatures: Record<ImageType, (start: string) => boolean> = {
  'image/png': (start) => start.startsWith('\x89PNG\r\n\x1a\n'),
  'image/jpeg': (start) => start.startsWith('\xff\xd8\xff'),
  'image/gif': (start) => start.startsWith('GIF87a') || start.startsWith('GIF89a'),
  'image/webp': (start) => start.startsWith('RIFF') && start.startsWith('WEBP', 8),
  'image/tiff': (start) => ['II*\0', 'II+\0', 'MM\0*', 'MM\0+'].some((signature) => start.startsWith(signature)),
}

const imageTypes = Object.keys(signatures) as ImageType[]

/** So many first bytes of a file are enough for `sniffImage`. */
export const sniffBytes = 16

/** By its first bytes, so that what is no image is refused before it is stored. */
export function sniffImage(head: Uint8Array): ImageType | undefined {
  const start = Buffer.from(head.subarray(0, sniffBytes)).toString('latin1')
  return imageTypes.find((type) => signatures[type](start))
}

const walks: Record<ImageType, (inspection: Inspection) => Promise<ImageSize>> = {
  'image/png': inspectPng,
  'image/jpeg': inspectJpeg,
  'image/gif': inspectGif,
  'image/webp': inspectWebp,
  'image/tiff': inspectTiff,
}

const notAnImage = () => new ImageRefused('not_an_image', 'The file is not a PNG, JPEG, WebP, GIF or TIFF image.')

/**
 * Decides by its content whether a file is an image that is kept, and reads its size. The structure is walked to its
 * end: it has to be whole, bounded in what it unpacks to, and nothing besides an image. Pixels are not decoded; a PNG's
 * are inflated and counted. It holds a few MB at a time, whatever the file is or claims, and reads it about once.
 * @throws ImageRefused
 */
export async function inspectImage(source: ImageSource): Promise<ImageFacts> {
  const { sizeBytes } = source
  if (sizeBytes < sniffBytes) throw notAnImage()
  const head = await source.read(0, Math.min(headBytes, sizeBytes))
  const type = sniffImage(head)
  if (!type) throw notAnImage()
  const length = Math.min(tailBytes, sizeBytes)
  const tail = await source.read(sizeBytes - length, length)
  assertNoOtherFormat(head, tail, sizeBytes)
  const { width, height } = await walks[type]({ source, head, tail, budget: unpackedBudget(sizeBytes) })
  return { type, width, height }
}
