import type { Log } from '../log.ts'

/** Takes every step, whatever becomes of the others. None fails unheard, and the first failure is thrown at the end. */
export async function cleanUp(steps: (() => Promise<unknown>)[], log: Log): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      log.error('clean-up failed', { error })
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
