import { pause } from '../pause.ts'
import { backoffMs, isTransient } from '../retry.ts'
import type { LogEntries } from '../types.ts'

type Entry = LogEntries['entries'][number]

/** Lines wait so long for others to travel with. The first does not: it tells that the job has begun. */
const gatherMs = 500
/** The contract's bounds for one request, and a size that any proxy takes. */
const maxEntries = 500
const maxCharacters = 250_000
const maxMessageLength = 5_000
/** What a handler may pile up while the service is away. */
const maxWaiting = 20_000

export interface JobLogOptions {
  append: (entries: Entry[]) => Promise<void>
  /** Lines that could not be delivered. */
  onLost: (count: number, error: unknown) => void
}

/** A job's log on its way to the service: in order, in batches, one request at a time. */
export interface JobLog {
  add(entry: Entry): void
  /** Resolves when all lines so far are delivered, or given up because the signal aborted. */
  flush(signal: AbortSignal): Promise<void>
  /** Takes no more lines, and forgets those that wait. */
  close(): void
}

/**
 * A batch whose answer was lost is sent again: a line may appear twice, which does less harm than one that is missing when somebody wants to
 * know why a job failed.
 */
export function jobLog({ append, onLost }: JobLogOptions): JobLog {
  const waiting: Entry[] = []
  let dropped = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let sending: Promise<boolean> | undefined
  let failures = 0
  let isClosed = false
  let hasSpoken = false

  /** True where the next batch may follow at once. */
  async function sendBatch(): Promise<boolean> {
    const batch = nextBatch(waiting)
    try {
      await append(batch)
    } catch (error) {
      if (isTransient(error)) {
        failures += 1
        return false
      }
      onLost(batch.length, error)
    }
    waiting.splice(0, batch.length)
    failures = 0
    return true
  }

  const send = () => {
    sending ??= sendBatch().finally(() => {
      sending = undefined
    })
    return sending
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0 && (await send())) {}
    if (waiting.length > 0) schedule(backoffMs(failures, { capMs: 10_000 }))
  }

  const schedule = (ms: number) => {
    timer ??= setTimeout(() => {
      timer = undefined
      void sendAll()
    }, ms)
  }

  return {
    add({ level = 'INFO', message }) {
      if (isClosed || message === '') return
      if (waiting.length >= maxWaiting) {
        dropped += 1
        return
      }
      waiting.push({ level, message: shortened(message) })
      schedule(hasSpoken ? gatherMs : 0)
      hasSpoken = true
    },

    async flush(signal) {
      clearTimeout(timer)
      timer = undefined
      if (dropped > 0) waiting.push({ level: 'WARNING', message: `${dropped} lines were dropped here` })
      dropped = 0
      while (waiting.length > 0 && !signal.aborted) {
        if (!(await send())) await pause(backoffMs(failures, { capMs: 5_000 }), signal).catch(() => {})
      }
      if (waiting.length > 0) onLost(waiting.length, signal.reason)
      waiting.length = 0
    },

    close() {
      isClosed = true
      clearTimeout(timer)
      waiting.length = 0
    },
  }
}

function nextBatch(waiting: Entry[]): Entry[] {
  let characters = 0
  const end = waiting.slice(0, maxEntries).findIndex(({ message }) => {
    characters += message.length
    return characters > maxCharacters
  })
  return waiting.slice(0, end === -1 ? maxEntries : Math.max(1, end))
}

const shortened = (message: string) =>
  message.length <= maxMessageLength ? message : `${message.slice(0, maxMessageLength - 2).toWellFormed()} …`
