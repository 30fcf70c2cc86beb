import { success } from './answer.ts'
import type { Api } from './api.ts'
import { type Bytes, chunks } from './chunks.ts'
import { ConnectionError } from './errors.ts'
import { eventStreamParser } from './event-stream.ts'
import { isFinalStatus } from './job-wait.ts'
import { patience } from './patience.ts'
import type { JobEvent } from './types.ts'

/** What following a job takes. */
export interface EventsOptions {
  /** Ends the following; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** The id of the last event that was seen. 0, which is before the first, unless told otherwise. */
  lastEventId?: number | undefined
}

/** The service sends a comment every 15 seconds. Three missed, and nobody is there any more. */
const silenceMs = 45_000

export async function* jobEvents(
  api: Api,
  jobId: string,
  { signal, lastEventId = 0 }: EventsOptions = {},
): AsyncGenerator<JobEvent, void, undefined> {
  const outages = patience(signal)
  let seen = lastEventId
  let isOver = false
  while (!isOver) {
    try {
      for await (const event of connection(api, jobId, seen, outages.isOver, signal)) {
        // A connection may repeat what came before it; an id that was seen was delivered.
        if (event.id <= seen) continue
        seen = event.id
        yield event
        if (event.kind === 'status') isOver = isFinalStatus(event.status)
      }
      if (!isOver) await outages.endure(new ConnectionError(`The events of job ${jobId} broke off`))
    } catch (error) {
      if (error instanceof JobIsOver || isOver) return
      await outages.endure(error)
    }
  }
}

/** The service answered 204: nothing comes after what was seen. */
class JobIsOver extends Error {}

/** The events of one connection. Ends with it; closes it when the reader stops early. */
async function* connection(
  api: Api,
  jobId: string,
  seen: number,
  onAlive: () => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<JobEvent, void, undefined> {
  const closing = new AbortController()
  const close = () => closing.abort(signal?.reason)
  signal?.addEventListener('abort', close, { once: true })
  try {
    if (signal?.aborted) throw signal.reason
    yield* parsed(await open(api, jobId, seen, closing.signal), jobId, onAlive, closing.signal)
  } finally {
    signal?.removeEventListener('abort', close)
    closing.abort()
  }
}

async function open(api: Api, jobId: string, seen: number, signal: AbortSignal) {
  const { response } = await success(
    api.http.GET('/api/jobs/{jobId}/events', {
      params: { path: { jobId }, header: { 'Last-Event-ID': seen } },
      headers: { Accept: 'text/event-stream' },
      parseAs: 'stream',
      ...api.with({ signal }),
    }),
  )
  if (response.status === 204 || !response.body) throw new JobIsOver()
  return response.body
}

async function* parsed(body: ReadableStream<Bytes>, jobId: string, onAlive: () => void, signal: AbortSignal) {
  const decoder = new TextDecoder()
  const parse = eventStreamParser()
  for await (const chunk of brokenIsConnection(chunks(body, `The events of job ${jobId}`, silenceMs, signal), signal)) {
    // A comment is a sign of life too: a quiet job must not count as one that cannot be followed.
    onAlive()
    for (const data of parse(decoder.decode(chunk, { stream: true }))) yield JSON.parse(data) as JobEvent
  }
}

/** What goes wrong while reading is the connection's fault, unless the caller ended it. */
async function* brokenIsConnection<T>(source: AsyncGenerator<T, void, undefined>, signal: AbortSignal) {
  try {
    yield* source
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    throw new ConnectionError('The connection broke', { cause })
  }
}
