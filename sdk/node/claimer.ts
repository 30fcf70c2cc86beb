import type { Client } from '../client.ts'
import { ApiError } from '../errors.ts'
import { abortable, pause } from '../pause.ts'
import { backoffMs, isTransient } from '../retry.ts'
import type { Claim, ClaimRequest, JobType } from '../types.ts'
import { messageOf } from './job-outcome.ts'
import type { Say } from './worker-log.ts'

/** The longest that the contract lets a claim wait. */
const maxWaitSeconds = 20
/** The contract's bound. */
const maxClaims = 100
/** A service that answers "nothing" sooner than this does not wait, and must not be asked without pause. */
const shortestWaitMs = 1_000

export interface ClaimerOptions extends Pick<ClaimRequest, 'ecsTaskArn' | 'ecsClusterArn'> {
  client: Pick<Client, 'worker'>
  jobTypes: JobType[]
  concurrency: number
  /** The jobs that are under way. */
  running: ReadonlySet<Promise<void>>
  say: Say
  workerName?: string | undefined
  idleTimeoutMs?: number | undefined
}

/**
 * Gives jobs as slots become free, until the signal aborts or nothing came for the idle time. Rejects when the service refuses for
 * good; one that is away is asked again, with growing pauses.
 */
export function claimer(options: ClaimerOptions): (stopping: AbortSignal) => AsyncGenerator<Claim, void, undefined> {
  const { client, jobTypes, concurrency, running, say, idleTimeoutMs = Infinity } = options
  const { workerName, ecsTaskArn, ecsClusterArn } = options
  let idleSinceMs = performance.now()
  let failures = 0

  const idleLeftMs = () => idleSinceMs + idleTimeoutMs - performance.now()

  async function* takeJobs(stopping: AbortSignal): AsyncGenerator<Claim, void, undefined> {
    while (!stopping.aborted && idleLeftMs() > 0) {
      const wasBusy = running.size > 0
      if (running.size >= concurrency) await slotFreed(stopping)
      else yield* await claims(stopping)
      if (wasBusy || running.size > 0) idleSinceMs = performance.now()
    }
  }

  async function slotFreed(stopping: AbortSignal): Promise<void> {
    await abortable(Promise.race(running), stopping).catch(() => {})
  }

  /** Empty where there are none, or no answer. */
  async function claims(stopping: AbortSignal): Promise<Claim[]> {
    const askedAtMs = performance.now()
    const request = {
      jobTypes,
      limit: Math.min(maxClaims, concurrency - running.size),
      waitSeconds: Math.min(maxWaitSeconds, Math.ceil(idleLeftMs() / 1000)),
      workerName,
      ecsTaskArn,
      ecsClusterArn,
    }
    try {
      const claims = await client.worker.claim(request, { signal: stopping })
      failures = 0
      const tooSoonMs = shortestWaitMs - (performance.now() - askedAtMs)
      if (claims.length === 0 && tooSoonMs > 0) await pause(Math.min(tooSoonMs, idleLeftMs()), stopping)
      return claims
    } catch (error) {
      if (stopping.aborted) return []
      await endure(error, stopping)
      return []
    }
  }

  async function endure(error: unknown, stopping: AbortSignal): Promise<void> {
    if (error instanceof ApiError && error.status < 500 && !isTransient(error)) throw error
    failures += 1
    const askedMs = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0
    const delayMs = Math.max(askedMs, backoffMs(failures, { baseMs: 500, capMs: 30_000 }))
    say('warn', 'claim failed', { reason: messageOf(error), delayMs })
    await pause(delayMs, stopping).catch(() => {})
  }

  return takeJobs
}
