import { describe, expect, test, vi } from 'vitest'
import type { Signals } from '../src/db/signals.ts'
import { JobChanges } from '../src/jobs/job-changes.ts'

/** Signals that stay within the test. */
function ownSignals(): Signals {
  const listeners: Parameters<Signals['subscribe']>[0][] = []
  return {
    publish: (topic) => {
      for (const { onTopic } of listeners) onTopic(topic)
    },
    subscribe: (listener) => void listeners.push(listener),
    close: async () => {},
  }
}

const never = new AbortController().signal

describe('following a job', () => {
  test('misses no change that happens while it looks', async () => {
    // Time stands still: only the word that came while it looked can make it look again.
    vi.useFakeTimers()
    const changes = new JobChanges(ownSignals())
    let looks = 0

    const found = await changes.follow('job', 60_000, never, async () => {
      looks += 1
      if (looks === 1) changes.announce('job')
      return looks === 2 ? 'changed' : undefined
    })

    expect(found).toBe('changed')
  })
})
