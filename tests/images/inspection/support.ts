import {
  type ImageFacts,
  ImageRefused,
  type ImageSource,
  inspectImage,
} from '../../../src/images/inspection/image-inspection.ts'

/** A file in memory that is as strict as a range request, and streams in chunks of any size. */
export function sourceOf(bytes: Uint8Array, chunkBytes = bytes.length): ImageSource {
  return {
    sizeBytes: bytes.length,
    async read(start, length) {
      if (start < 0 || length <= 0 || start + length > bytes.length) throw new RangeError(`${start}+${length}`)
      return bytes.slice(start, start + length)
    },
    async *stream(start) {
      if (start < 0 || start >= bytes.length) throw new RangeError(`from ${start}`)
      for (let at = start; at < bytes.length; at += chunkBytes) yield bytes.slice(at, at + chunkBytes)
    },
  }
}

export const inspect = (bytes: Uint8Array, chunkBytes?: number) => inspectImage(sourceOf(bytes, chunkBytes))

export type Verdict = ImageFacts | { reason: string; message: string }

/** What the person gets to know: facts or a reason. Any other error is a bug, and thrown. */
export async function verdictOf(source: ImageSource): Promise<Verdict> {
  try {
    return await inspectImage(source)
  } catch (error) {
    if (!(error instanceof ImageRefused)) throw error
    return { reason: error.reason, message: error.message }
  }
}

export const verdictOn = (bytes: Uint8Array, chunkBytes?: number) => verdictOf(sourceOf(bytes, chunkBytes))

export const reasonFor = async (bytes: Uint8Array) => {
  const verdict = await verdictOn(bytes)
  return 'reason' in verdict ? verdict.reason : 'accepted'
}

/** Bytes, or the same bytes many times over. */
export type Part = Uint8Array | { bytes: Uint8Array; times: number }

const inFull = (part: Part) => (part instanceof Uint8Array ? { bytes: part, times: 1 } : part)

/** A file that is far larger than what it takes in memory. */
export function lazySource(parts: Part[], onChunk: () => void = () => {}): ImageSource {
  const sizeBytes = parts.map(inFull).reduce((sum, { bytes, times }) => sum + bytes.length * times, 0)

  async function* stream(start: number) {
    let position = 0
    for (const { bytes, times } of parts.map(inFull)) {
      const skipped = Math.min(times, Math.max(0, Math.floor((start - position) / bytes.length)))
      position += skipped * bytes.length
      for (let i = skipped; i < times; i++, position += bytes.length) {
        const from = Math.max(0, start - position)
        onChunk()
        if (from < bytes.length) yield bytes.subarray(from)
      }
    }
  }

  return {
    sizeBytes,
    stream,
    async read(start, length) {
      const read = Buffer.alloc(length)
      let filled = 0
      for await (const chunk of stream(start)) {
        filled += Buffer.from(chunk).copy(read, filled)
        if (filled === length) break
      }
      return read
    },
  }
}
