import type { components } from '../../generated/types.ts'
import type { Caller } from '../auth/caller.ts'
import { type Page, type PageQuery, pageOf, startMatching } from '../page.ts'
import type { EventRow, EventStore } from './event-store.ts'
import type { JobChanges } from './job-changes.ts'
import { isFinal, type JobStatus } from './job-rows.ts'
import type { JobService } from './job-service.ts'

type Schemas = components['schemas']

export interface JobEventsDeps {
  jobs: Pick<JobService, 'requested'>
  events: EventStore
  changes: JobChanges
  /** How often a comment tells that the stream is alive. */
  commentMs?: number
}

const batchSize = 200
/** A stream is ended after this long; the client comes back with the last id, and its right to look is asked again. */
const maxStreamMs = 10 * 60 * 1000

export const jobEvents = ({ jobs, events, changes, commentMs = 15_000 }: JobEventsDeps) => ({
  async logs(caller: Caller, jobId: string, query: PageQuery): Promise<Page<Schemas['JobLogEntry']>> {
    await jobs.requested(jobId, caller)
    const start = Number(startMatching(query, /^\d{1,9}$/) ?? 0)
    const rows = await events.logsAfter(jobId, start, query.limit + 1)
    return pageOf(rows, query.limit, toLogEntry, ({ id }) => String(id))
  },

  /** Every event after `lastEventId` as server-sent events, until the job is final. `undefined` if that is over already. */
  async stream(
    caller: Caller,
    jobId: string,
    lastEventId: number,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    const job = await jobs.requested(jobId, caller)
    if (isFinal(job.status) && job.lastEventId <= lastEventId) return undefined
    const encoder = new TextEncoder()
    const closed = new AbortController()
    const stop = AbortSignal.any([signal, closed.signal])
    const end = performance.now() + maxStreamMs
    let seen = lastEventId

    const next = async () => {
      const rows = await events.after(jobId, seen, batchSize)
      return rows.length > 0 ? rows : undefined
    }
    return new ReadableStream({
      async pull(controller) {
        const rows = await changes.follow(jobId, commentMs, stop, next)
        if (stop.aborted && !rows) return controller.close()
        controller.enqueue(encoder.encode(rows ? rows.map(toServerSentEvent).join('') : ': still here\n\n'))
        const last = rows?.at(-1)
        seen = last?.id ?? seen
        if ((last && isLast(last)) || performance.now() > end) controller.close()
      },
      cancel: () => closed.abort(),
    })
  },
})

export type JobEvents = ReturnType<typeof jobEvents>

/** Nothing follows the event that makes a job final. */
const isLast = ({ kind, data }: EventRow) => kind === 'status' && isFinal(data.status as JobStatus)

function toServerSentEvent(row: EventRow): string {
  const event = { id: row.id, kind: row.kind, at: row.at.toISOString(), ...row.data }
  return `id: ${row.id}\nevent: ${row.kind}\ndata: ${JSON.stringify(event)}\n\n`
}

const toLogEntry = ({ id, at, data }: EventRow): Schemas['JobLogEntry'] => ({
  id,
  at: at.toISOString(),
  level: data.level as Schemas['LogLevel'],
  message: String(data.message),
})
