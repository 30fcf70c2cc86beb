import { setTimeout as sleep } from 'node:timers/promises'
import type { JobHandler } from '../../../sdk/node.ts'

const stepMs = 250

/** Sleeps as long as asked, tells how far it is, and gives back what it was given. */
export const runTest: JobHandler<'TEST'> = async ({ input }, { signal, progress, log }) => {
  const { id, sleepSeconds = 0, fail = false } = input
  log(`Test ${id} sleeps for ${sleepSeconds} s`)
  const steps = Math.ceil((sleepSeconds * 1000) / stepMs)
  for (let step = 1; step <= steps; step++) {
    await sleep((sleepSeconds * 1000) / steps, undefined, { signal })
    progress(step / steps)
  }
  if (fail) throw new Error(`Test ${id} fails, as it was asked to.`)
  return { id }
}
