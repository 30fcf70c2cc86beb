import { deadline } from './deadline.ts'
import { abortable } from './pause.ts'

export type Bytes = Uint8Array<ArrayBuffer>

/** The chunks of a body. Throws `TimeoutError` when nothing comes for `silenceMs`. Stopping early closes the body. */
export async function* chunks(
  body: ReadableStream<Bytes>,
  what: string,
  silenceMs: number,
  signal?: AbortSignal,
): AsyncGenerator<Bytes, void, undefined> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await readWithin(reader, what, silenceMs, signal)
      if (done) return
      yield value
    }
  } finally {
    // Not awaited: a body whose connection hangs would hang here.
    reader.cancel().catch(() => {})
  }
}

async function readWithin(
  reader: ReadableStreamDefaultReader<Bytes>,
  what: string,
  silenceMs: number,
  signal?: AbortSignal,
) {
  const limit = deadline(what, silenceMs, signal)
  try {
    return await abortable(reader.read(), limit.signal)
  } finally {
    limit.dispose()
  }
}
