import { afterAll, describe, expect, test } from 'vitest'
import { createSignals, type Signals } from '../../src/db/signals.ts'
import { connect, connectForSignals } from '../../src/db/sql.ts'
import { ReadyJobs } from '../../src/jobs/ready-jobs.ts'
import { createDatabase, memoryLog } from '../support/service.ts'

const databaseUrl = await createDatabase()
const sql = connect(databaseUrl)
const log = memoryLog()
const open = () => createSignals({ wire: connectForSignals(databaseUrl), log })
const [here, there] = [await open(), await open()]
afterAll(async () => {
  await Promise.all([here.close(), there.close()])
  await sql.end()
})

/** The next words, as they are heard. */
function ear(signals: Signals) {
  const heard: string[] = []
  let wake = () => {}
  let gaps = 0
  signals.subscribe({
    onTopic: (topic) => {
      heard.push(topic)
      wake()
    },
    onGap: () => {
      gaps += 1
      wake()
    },
  })
  return {
    heard,
    gaps: () => gaps,
    async until(isDone: () => boolean) {
      while (!isDone()) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}

describe('publish', () => {
  test('is heard here at once, elsewhere soon, and nowhere twice', async () => {
    const [mine, theirs] = [ear(here), ear(there)]

    here.publish('job:1')
    expect(mine.heard).toEqual(['job:1'])
    await theirs.until(() => theirs.heard.length > 0)
    there.publish('job:2')
    await mine.until(() => mine.heard.includes('job:2'))

    expect(mine.heard).toEqual(['job:1', 'job:2'])
    expect(theirs.heard).toEqual(['job:1', 'job:2'])
  })

  test('takes more at once than one notification holds', async () => {
    const theirs = ear(there)
    const topics = Array.from({ length: 300 }, (_, n) => `job:${n}-${'x'.repeat(36)}`)

    for (const topic of topics) here.publish(topic)
    await theirs.until(() => theirs.heard.length === topics.length)

    expect(theirs.heard).toEqual(topics)
  })
})

describe('an ear that was cut off', () => {
  test('listens again, and tells that words may have been missed', async () => {
    const theirs = ear(there)

    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen%'`
    await theirs.until(() => theirs.gaps() > 0)
    here.publish('job:after')

    await theirs.until(() => theirs.heard.includes('job:after'))
  })

  test('makes who waits for jobs look for themselves', async () => {
    const listeners: Parameters<Signals['subscribe']>[0][] = []
    const signals: Signals = {
      publish() {},
      subscribe: (listener) => void listeners.push(listener),
      close: async () => {},
    }
    const ready = new ReadyJobs({ signals, log, findDueTypes: async (types) => types, pollMs: 3_600_000 })
    using place = ready.enter(['TEST'])
    const waiting = place.wait(3_600_000, new AbortController().signal)

    for (const { onGap } of listeners) onGap()

    await waiting
  })
})

describe('a call in line that was not followed', () => {
  test('goes to the next', async () => {
    const ready = new ReadyJobs({ signals: here, log, findDueTypes: async () => [], pollMs: 3_600_000 })
    const first = ready.enter(['TEST'])
    using second = ready.enter(['TEST'])
    const waiting = second.wait(3_600_000, new AbortController().signal)
    ready.announce('TEST')

    first[Symbol.dispose]()

    await waiting
  })
})
