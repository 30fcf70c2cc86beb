import type { Bytes } from './chunks.ts'

/** A body that is made when it is needed, and again for another try. */
export interface StreamSource {
  /** The exact size. */
  sizeBytes: number
  /** Called once for each try. */
  stream: () => ReadableStream<Bytes>
}

/** What can be uploaded. */
export type UploadBody = Blob | Uint8Array<ArrayBuffer> | ArrayBuffer | StreamSource

/** A body of known size, and the whole of it where it is at hand. */
export interface Source {
  sizeBytes: number
  stream: () => ReadableStream<Bytes>
  whole: Blob | undefined
}

export function sourceOf(body: UploadBody): Source {
  if ('sizeBytes' in body) return { sizeBytes: body.sizeBytes, stream: body.stream, whole: undefined }
  const whole = body instanceof Blob ? body : new Blob([body])
  return { sizeBytes: whole.size, stream: () => whole.stream() as ReadableStream<Bytes>, whole }
}

/** A stream of what a generator yields. Cancelling it ends the generator, or, where that has not begun, does what that would. */
export function streamOf(
  source: AsyncGenerator<Bytes, void, undefined>,
  onUnread?: () => Promise<void>,
): ReadableStream<Bytes> {
  let isBegun = false
  return new ReadableStream<Bytes>(
    {
      async pull(controller) {
        isBegun = true
        const { done, value } = await source.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await source.return()
        if (!isBegun) await onUnread?.()
      },
    },
    // Nothing is read ahead, so that what was counted was also asked for.
    { highWaterMark: 0 },
  )
}
