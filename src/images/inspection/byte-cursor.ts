import { damaged } from './image-refused.ts'
import type { ImageSource } from './inspection.ts'

/**
 * One pass over a file from its start. Every method that would pass the file's end throws `ImageRefused`; bytes given
 * out are good until the next call. It holds one chunk of the source at a time.
 */
export interface ByteCursor extends AsyncDisposable {
  /** Where the next byte is. */
  position(): number
  /** The bytes at hand, at least one. They stay ahead of the cursor until skipped. */
  ahead(): Promise<Uint8Array>
  skip(length: number): Promise<void>
  /** Past all bytes of a set (1 for each value that is in it), but not past `end`. */
  skipRun(set: Uint8Array, end: number): Promise<void>
  take(length: number): Promise<Buffer>
  /** The next bytes as they come. */
  pieces(length: number): AsyncGenerator<Uint8Array>
}

/** From here on it is cheaper to ask for the stream anew than to read through it. */
const reopenBytes = 1024 * 1024

export function openCursor(source: ImageSource): ByteCursor {
  const { sizeBytes } = source
  let chunks: AsyncIterator<Uint8Array> | undefined
  let bytes: Uint8Array = new Uint8Array()
  let position = 0

  function assertLeft(length: number) {
    if (position + length > sizeBytes) throw damaged('file', 'it ends too early')
  }

  async function close() {
    await chunks?.return?.()
    chunks = undefined
  }

  async function ahead(): Promise<Uint8Array> {
    assertLeft(1)
    while (bytes.length === 0) {
      chunks ??= source.stream(position)[Symbol.asyncIterator]()
      const next = await chunks.next()
      if (next.done) throw new Error(`the source ended at ${position} of ${sizeBytes} bytes`)
      bytes = next.value.subarray(0, sizeBytes - position)
    }
    return bytes
  }

  function advance(length: number): Uint8Array {
    const passed = bytes.subarray(0, length)
    bytes = bytes.subarray(length)
    position += passed.length
    return passed
  }

  async function* pieces(length: number): AsyncGenerator<Uint8Array> {
    assertLeft(length)
    for (let left = length; left > 0; ) {
      await ahead()
      const piece = advance(left)
      left -= piece.length
      yield piece
    }
  }

  return {
    position: () => position,
    ahead,
    pieces,

    async skip(length) {
      assertLeft(length)
      if (length <= bytes.length) {
        advance(length)
      } else if (length > bytes.length + reopenBytes) {
        await close()
        position += length
        bytes = new Uint8Array()
      } else {
        for await (const _ of pieces(length));
      }
    },

    async skipRun(set, end) {
      while (position < end) {
        const within = (await ahead()).subarray(0, end - position)
        let at = 0
        while (at < within.length && set[within[at]!] === 1) at++
        advance(at)
        if (at < within.length) return
      }
    },

    async take(length) {
      assertLeft(length)
      if (length <= bytes.length) return asBuffer(advance(length))
      const taken = Buffer.alloc(length)
      let filled = 0
      for await (const piece of pieces(length)) {
        taken.set(piece, filled)
        filled += piece.length
      }
      return taken
    },

    [Symbol.asyncDispose]: close,
  }
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
