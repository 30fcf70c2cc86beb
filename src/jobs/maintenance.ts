import type { Log } from '../log.ts'

export interface MaintenanceDeps {
  /** Ends leases that have run out. */
  sweep(): Promise<void>
  /** What is done rarely, by name: purging what has outlived its use. One batch a call; `true` means that there is more of it. */
  chores: Record<string, () => Promise<unknown>>
  log: Log
  sweepMs?: number
  choreMs?: number
  /** Until a chore is done for the first time; asked for each. */
  firstChoreMs?: (() => number) | undefined
}

/** Soon, since a process may not last as long as the pause; not at once, and not all together, since many processes may start together. */
const soon = () => 5000 + Math.random() * 10_000

/**
 * Sweeps once a second, and does the chores every ten minutes, the first time soon after the start. Each has a loop of its own, so that
 * a slow chore holds up neither the sweep nor the other chores, and none is started before its last run has ended. Every process runs
 * this: each passes over the rows that another has locked.
 */
export function startMaintenance({
  sweep,
  chores,
  log,
  sweepMs = 1000,
  choreMs = 600_000,
  firstChoreMs = soon,
}: MaintenanceDeps) {
  const loops = [
    startLoop({ firstMs: sweepMs, pauseMs: sweepMs, shortMs: sweepMs }, 'sweep', sweep, log),
    ...Object.entries(chores).map(([name, chore]) =>
      startLoop({ firstMs: firstChoreMs(), pauseMs: choreMs, shortMs: sweepMs }, name, chore, log),
    ),
  ]
  return {
    /** Waits for the batches under way, and for no more. */
    async stop() {
      await Promise.all(loops.map((stop) => stop()))
    },
  }
}

/**
 * All of it once, for a process that does not stay: the sweep whatever happens, the chores and what is left of them while there is time.
 * Whatever becomes of one, the others are done. Throws in the end if any failed.
 */
export async function maintainOnce({ sweep, chores, log }: MaintenanceDeps, hasTime: () => boolean): Promise<void> {
  const failed: string[] = []
  for (const [name, work] of Object.entries<() => Promise<unknown>>({ sweep, ...chores })) {
    try {
      while ((await work()) === true && hasTime()) {}
    } catch (error) {
      log.warn('chore failed', { error, chore: name })
      failed.push(name)
    }
    if (!hasTime()) break
  }
  if (failed.length > 0) throw new Error(`Not done: ${failed.join(', ')}`)
}

interface Pauses {
  firstMs: number
  pauseMs: number
  /** While there is more to do. */
  shortMs: number
}

/** Pauses, works, pauses again. Gives what ends it. */
function startLoop({ firstMs, pauseMs, shortMs }: Pauses, name: string, work: () => Promise<unknown>, log: Log) {
  let isStopped = false
  let underWay: Promise<void> | undefined
  let timer = setTimeout(run, firstMs)

  function run() {
    underWay = once().then((hasMore) => {
      if (!isStopped) timer = setTimeout(run, hasMore ? shortMs : pauseMs)
    })
  }

  async function once(): Promise<boolean> {
    try {
      return (await work()) === true
    } catch (error) {
      log.warn('chore failed', { error, chore: name })
      return false
    }
  }

  return async () => {
    isStopped = true
    clearTimeout(timer)
    await underWay
  }
}
