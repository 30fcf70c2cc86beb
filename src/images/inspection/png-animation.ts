import { damaged } from './image-refused.ts'
import type { ImageSize } from './inspection.ts'

/**
 * The control chunks of an animated PNG (PNG third edition, 11.3.6), in the order in which they come. Throws
 * `ImageRefused`.
 */
export interface PngAnimation {
  /** acTL */
  start(control: Buffer, isBeforePixels: boolean): void
  /** fcTL */
  frame(control: Buffer, isBeforePixels: boolean): void
  /** The first four bytes of each fdAT. */
  sequence(number: Buffer): void
  /** The size of the frame whose pixels come now. */
  takeFrame(): ImageSize
  finish(): void
}

/** @param addFrame told of each frame besides the image itself, before its pixels come */
export function pngAnimation(canvas: ImageSize, addFrame: (size: ImageSize) => void): PngAnimation {
  let claimedFrames = 0
  let frames = 0
  let nextSequence = 0
  let awaited: ImageSize | undefined

  function sequence(number: Buffer) {
    if (number.readUInt32BE() !== nextSequence++) throw damaged('PNG', 'its animation is out of order')
  }

  function assertComplete() {
    if (awaited) throw damaged('PNG', 'a frame of its animation has no pixels')
  }

  return {
    sequence,
    start(control, isBeforePixels) {
      if (claimedFrames > 0 || !isBeforePixels) throw damaged('PNG', 'its animation is out of order')
      claimedFrames = control.readUInt32BE()
    },
    frame(control, isBeforePixels) {
      sequence(control)
      assertComplete()
      const [width, height, x, y] = [4, 8, 12, 16].map((at) => control.readUInt32BE(at)) as [
        number,
        number,
        number,
        number,
      ]
      if (x + width > canvas.width || y + height > canvas.height) throw damaged('PNG', 'a frame lies outside of it')
      frames++
      if (!isBeforePixels) {
        awaited = { width, height }
        addFrame(awaited)
      } else if (frames > 1 || width !== canvas.width || height !== canvas.height) {
        throw damaged('PNG', 'the first frame of its animation is not its image')
      }
    },
    takeFrame() {
      if (!awaited) throw damaged('PNG', 'its animation has pixels without a frame')
      const frame = awaited
      awaited = undefined
      return frame
    },
    finish() {
      assertComplete()
      if (frames !== claimedFrames) throw damaged('PNG', 'it has other frames than it says')
    },
  }
}
