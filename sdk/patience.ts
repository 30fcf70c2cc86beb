import { pause } from './pause.ts'
import { backoffMs, isTransient } from './retry.ts'

/** With growing pauses these are about five minutes: longer than a service takes to restart. */
const failuresEndured = 24

/** What a long wait shows to a service that is away for a while. */
export interface Patience {
  /** Pauses after a failure that may pass; throws any other, and when there were too many in a row. */
  endure(error: unknown): Promise<undefined>
  /** The service answered. */
  isOver(): void
}

export function patience(signal?: AbortSignal): Patience {
  let failures = 0
  return {
    async endure(error) {
      if (signal?.aborted) throw signal.reason
      failures += 1
      if (!isTransient(error) || failures > failuresEndured) throw error
      await pause(backoffMs(failures, { baseMs: 500, capMs: 15_000 }), signal)
      return undefined
    },
    isOver: () => {
      failures = 0
    },
  }
}
