import { inTime } from './in-time.ts'

export type BodyReader = ReadableStreamDefaultReader<Uint8Array>

/** How long a sender may be silent in the middle of a body. The server drops the connection, without a word, after twice as long. */
export const usualSilenceMs = 30_000

/**
 * The pieces of a body as they come, no faster than they are taken. Calls `stalled`, which throws, when none has come for so long: how
 * long all of them take does not matter. Never cancels the body when it is left: that would break the connection off, and the answer
 * with it.
 */
export async function* piecesOf(body: BodyReader, silenceMs: number, stalled: () => never): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { done, value } = await inTime(body.read(), silenceMs, stalled)
    if (done) return
    yield value
  }
}

/**
 * Reads what nobody wants any more. A client that is still sending would not come to read why. How long that goes on is for the
 * server to say, which ends the connection soon after its answer.
 */
export async function discard(body: BodyReader): Promise<void> {
  try {
    while (!(await body.read()).done) {}
  } catch {
    // The client is gone.
  }
}
