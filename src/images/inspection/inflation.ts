import { pipeline } from 'node:stream/promises'
import { createInflate } from 'node:zlib'
import { damaged } from './image-refused.ts'

const blockBytes = 64 * 1024

/**
 * Inflates a zlib stream and keeps none of it.
 * @param take is given what comes out, piece by piece, and ends the inflation by throwing
 * @throws ImageRefused when the stream is not whole or something follows it
 */
export async function inflateThrough(
  compressed: AsyncIterable<Uint8Array>,
  { format, what, take }: { format: string; what: string; take: (inflated: Uint8Array) => void },
): Promise<void> {
  const inflate = createInflate({ chunkSize: blockBytes })
  let givenBytes = 0

  async function* given() {
    for await (const block of inBlocks(compressed)) {
      givenBytes += block.length
      yield block
    }
  }

  async function takeAll(inflated: AsyncIterable<Uint8Array>) {
    for await (const piece of inflated) take(piece)
  }

  try {
    await pipeline(given, inflate, takeAll)
  } catch (error) {
    // What follows the stream is not taken, and where some is still to come that counts as an end too soon.
    if (inflate.readableEnded && inflate.bytesWritten < givenBytes)
      throw damaged(format, `something follows its ${what}`)
    // The code of an `AbortError` is a number.
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error
    throw damaged(format, `its ${what} cannot be inflated`)
  }
  if (inflate.bytesWritten < givenBytes) throw damaged(format, `something follows its ${what}`)
}

/** Joins small pieces, each of which would otherwise cost a turn of the inflating thread. */
async function* inBlocks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let block = new Uint8Array(blockBytes)
  let used = 0
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + blockBytes - used)
      block.set(part, used)
      used += part.length
      at += part.length
      if (used < blockBytes) continue
      yield block
      block = new Uint8Array(blockBytes)
      used = 0
    }
  }
  if (used > 0) yield block.subarray(0, used)
}
