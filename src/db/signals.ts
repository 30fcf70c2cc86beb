import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../log.ts'
import type { Sql, Tx } from './sql.ts'

/** A word to every process of the service: that something has changed, never what it is now. */
export interface Signals {
  /** Says it here at once and elsewhere soon. Call it after the commit: inside a transaction it would serialise all commits. */
  publish(topic: string): void
  /** `onGap` is called when words may have been missed, for a look at everything. */
  subscribe(listener: { onTopic(topic: string): void; onGap(): void }): void
  close(): Promise<void>
}

/** Signals within this process alone, for one that cannot listen: what others do it finds by looking. */
export function localSignals(): Signals {
  const listeners: Parameters<Signals['subscribe']>[0][] = []
  return {
    publish(topic) {
      for (const { onTopic } of listeners) onTopic(topic)
    },
    subscribe: (entry) => void listeners.push(entry),
    close: async () => {},
  }
}

const channel = 'fieldstation'
/** Says it here and elsewhere when the transaction commits, and never if it does not. For what is rare: such commits go one by one. */
export const publishAtCommit = (topic: string, tx: Tx) => tx`select pg_notify(${channel}, ${`- ${topic}`})`

/** PostgreSQL takes 8,000 bytes a notification. */
const batchSize = 90
const gatherMs = 4

/**
 * Signals over LISTEN and NOTIFY, on connections of their own. What is published within a few milliseconds goes out together: each
 * notification is a commit, and a busy service would commit more of them than jobs. This process hears at once all the same.
 */
export async function createSignals({ wire, log }: { wire: Sql; log: Log }): Promise<Signals> {
  const self = randomUUID()
  const listeners: Parameters<Signals['subscribe']>[0][] = []
  const waiting = new Set<string>()
  let sending: Promise<void> | undefined

  const tell = (topics: string[]) => {
    for (const topic of topics) for (const { onTopic } of listeners) onTopic(topic)
  }

  await wire.listen(
    channel,
    (payload) => {
      const [origin, ...topics] = payload.split(' ')
      if (origin !== self) tell(topics)
    },
    () => {
      for (const { onGap } of listeners) onGap()
    },
  )

  async function send() {
    while (waiting.size > 0) {
      await sleep(gatherMs)
      const topics = [...waiting].slice(0, batchSize)
      for (const topic of topics) waiting.delete(topic)
      try {
        await wire`select pg_notify(${channel}, ${[self, ...topics].join(' ')})`
      } catch (error) {
        // Those who wait look for themselves from time to time.
        log.warn('notification lost', { error })
      }
    }
    sending = undefined
  }

  return {
    publish(topic) {
      tell([topic])
      waiting.add(topic)
      sending ??= send()
    },
    subscribe: (entry) => void listeners.push(entry),
    async close() {
      await sending
      await wire.end({ timeout: 1 })
    },
  }
}
