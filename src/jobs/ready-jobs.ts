import type { Signals } from '../db/signals.ts'
import type { Log } from '../log.ts'
import type { JobTypeName } from './job-rows.ts'

export interface ReadyJobsDeps {
  signals: Signals
  log: Log
  /** Which of these types have a job that is due. */
  findDueTypes(types: JobTypeName[]): Promise<JobTypeName[]>
  pollMs?: number | undefined
}

interface Waiter {
  types: readonly JobTypeName[]
  isWoken: boolean
  wake(): void
}

/** A place in the line of those who wait for jobs. Take it before you look, so that no job slips in between. */
export interface PlaceInLine {
  /** Until a job may be there, the time is over, or the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>
  /** Steps out. A call that came and was not followed goes to the next in line. */
  [Symbol.dispose](): void
}

const prefix = 'ready:'

/**
 * Lets waiting claims sleep until there is a job for them. A new job wakes one claim, not all of them. Once a second one look for all
 * (not one each) finds what nobody announced: jobs that have become due, and words that were lost.
 */
export class ReadyJobs {
  readonly #deps: ReadyJobsDeps
  readonly #line = new Set<Waiter>()
  #poll: NodeJS.Timeout | undefined

  constructor(deps: ReadyJobsDeps) {
    this.#deps = deps
    deps.signals.subscribe({
      onTopic: (topic) => {
        if (topic.startsWith(prefix)) this.#wakeOne(topic.slice(prefix.length) as JobTypeName)
      },
      onGap: () => void this.#look(),
    })
  }

  /** Says that a job of this type can be claimed. After the commit. */
  announce(type: JobTypeName): void {
    this.#deps.signals.publish(prefix + type)
  }

  /** After a claim that got all it asked for: there may be more, so the next in line is called. It will do the same. */
  passOn(types: readonly JobTypeName[]): void {
    for (const type of types) this.#wakeOne(type)
  }

  enter(types: readonly JobTypeName[]): PlaceInLine {
    const waiter: Waiter = { types, isWoken: false, wake: () => {} }
    this.#line.add(waiter)
    this.#poll ??= setInterval(() => void this.#look(), this.#deps.pollMs ?? 1000)
    return {
      wait: async (ms, signal) => {
        this.#deps.log.debug('claim waits', { types })
        if (!waiter.isWoken) await sleepUntil(ms, signal, (wake) => (waiter.wake = wake))
        waiter.isWoken = false
      },
      [Symbol.dispose]: () => {
        this.#line.delete(waiter)
        if (waiter.isWoken) for (const type of waiter.types) this.#wakeOne(type)
        if (this.#line.size === 0) {
          clearInterval(this.#poll)
          this.#poll = undefined
        }
      },
    }
  }

  #wakeOne(type: JobTypeName) {
    for (const waiter of this.#line) {
      if (waiter.isWoken || !waiter.types.includes(type)) continue
      waiter.isWoken = true
      waiter.wake()
      return
    }
  }

  async #look() {
    const types = [...new Set([...this.#line].flatMap((waiter) => waiter.types))]
    if (types.length === 0) return
    try {
      for (const type of await this.#deps.findDueTypes(types)) this.#wakeOne(type)
    } catch (error) {
      this.#deps.log.warn('look for due jobs failed', { error })
    }
  }
}

/** Sleeps for the time, or until `wake` is called or the signal aborts. Leaves no timer and no listener behind. */
export function sleepUntil(ms: number, signal: AbortSignal, onReady: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
    onReady(done)
  })
}
