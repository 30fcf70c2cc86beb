import type { JobEvent } from '../../../sdk/index.ts'

/** A body that the test writes to, and that knows whether it was closed. */
export function liveBody() {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const state = { isCancelled: false }
  const stream = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given
    },
    cancel: () => {
      state.isCancelled = true
    },
  })
  return {
    response: () => new Response(stream, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } }),
    write: (text: string) => controller.enqueue(new TextEncoder().encode(text)),
    writeBytes: (bytes: Uint8Array) => controller.enqueue(bytes),
    close: () => controller.close(),
    break: () => controller.error(new TypeError('terminated')),
    isCancelled: () => state.isCancelled,
  }
}

/** A whole answer that is there at once. */
export function eventsAnswer(...parts: (JobEvent | string)[]): Response {
  const text = parts.map((part) => (typeof part === 'string' ? part : frame(part))).join('')
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } })
}

export const frame = (event: JobEvent) => `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`

const at = '2026-03-02T21:40:00.000Z'
type Status = Extract<JobEvent, { kind: 'status' }>['status']
export const status = (id: number, status: Status): JobEvent => ({ id, kind: 'status', at, status })
export const progress = (id: number, progress: number): JobEvent => ({ id, kind: 'progress', at, progress })
export const logged = (id: number, message: string): JobEvent => ({ id, kind: 'log', at, level: 'INFO', message })
