import type { Log } from '../log.ts'

export interface MaintenanceDeps {
  /** Ends leases that have run out. */
  sweep(): Promise<void>
  /** What is done rarely, by name: purging what has outlived its use. */
  chores: Record<string, () => Promise<unknown>>
  log: Log
  sweepMs?: number
  choreMs?: number
}

/** Sweeps once a second, and does the chores every ten minutes. Every process runs this; the work itself bears company. */
export function startMaintenance({ sweep, chores, log, sweepMs = 1000, choreMs = 600_000 }: MaintenanceDeps) {
  let isStopped = false
  let running = Promise.resolve()
  const every = (ms: number, name: string, work: () => Promise<unknown>) =>
    setInterval(() => {
      running = running
        .then(async () => {
          if (!isStopped) await work()
        })
        .catch((error: unknown) => log.warn('chore failed', { error, chore: name }))
    }, ms)

  const timers = [
    every(sweepMs, 'sweep', sweep),
    ...Object.entries(chores).map(([name, chore]) => every(choreMs, name, chore)),
  ]
  return {
    async stop() {
      isStopped = true
      for (const timer of timers) clearInterval(timer)
      await running
    },
  }
}
