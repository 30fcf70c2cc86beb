import type { Signals } from '../db/signals.ts'
import { sleepUntil } from './ready-jobs.ts'

const prefix = 'job:'

/** Lets those who follow a job sleep until it has changed. */
export class JobChanges {
  readonly #signals: Signals
  readonly #lookMs: number
  readonly #followers = new Map<string, Set<() => void>>()

  /** `lookMs`: how long a lost word can go unnoticed. */
  constructor(signals: Signals, lookMs = 5000) {
    this.#signals = signals
    this.#lookMs = lookMs
    signals.subscribe({
      onTopic: (topic) => {
        if (topic.startsWith(prefix)) this.#wake(topic.slice(prefix.length))
      },
      onGap: () => {
        for (const jobId of this.#followers.keys()) this.#wake(jobId)
      },
    })
  }

  /** Says that the job has changed. After the commit. */
  announce(jobId: string): void {
    this.#signals.publish(prefix + jobId)
  }

  /**
   * Gives what `look` finds, once it finds something; looks first, then after every change. `undefined` when the time is over or the
   * signal aborts.
   */
  async follow<T>(
    jobId: string,
    ms: number,
    signal: AbortSignal,
    look: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const end = performance.now() + ms
    for (;;) {
      // The ear is open before the look, so that no change slips in between.
      let hasChanged = false
      let wake = () => {}
      const listener = () => {
        hasChanged = true
        wake()
      }
      this.#listen(jobId, listener)
      try {
        const found = await look()
        const left = end - performance.now()
        if (found !== undefined || left <= 0 || signal.aborted) return found
        if (!hasChanged) await sleepUntil(Math.min(left, this.#lookMs), signal, (done) => (wake = done))
      } finally {
        this.#unlisten(jobId, listener)
      }
    }
  }

  #listen(jobId: string, listener: () => void) {
    const listeners = this.#followers.get(jobId) ?? new Set()
    this.#followers.set(jobId, listeners.add(listener))
  }

  #unlisten(jobId: string, listener: () => void) {
    const listeners = this.#followers.get(jobId)
    listeners?.delete(listener)
    if (listeners?.size === 0) this.#followers.delete(jobId)
  }

  #wake(jobId: string) {
    for (const listener of this.#followers.get(jobId) ?? []) listener()
  }
}
