import type { Assignment, Heartbeat, HeartbeatRequest } from '../types.ts'
import { LeaseLostError, leaseLostCode } from './worker-errors.ts'

/** Progress is sent sooner than the next heartbeat, but not more often than this. */
const progressGapMs = 2_000
/** After a heartbeat that failed. The next one must come well before the lease ends. */
const retryGapMs = 1_000

export interface LeaseOptions {
  assignment: Assignment
  heartbeat: (body: HeartbeatRequest, options: { timeoutMs: number; signal: AbortSignal }) => Promise<Heartbeat>
  /** A heartbeat failed, and will be tried again. */
  onTrouble: (error: unknown) => void
}

/** An assignment that is kept alive. */
export interface Lease {
  /** Aborts with `LeaseLostError` when the assignment is over or must be taken for over. */
  readonly signal: AbortSignal
  /** What is done, as a fraction. The newest value goes out with a heartbeat soon. */
  progress(fraction: number): void
  /** Stops the heartbeats. */
  end(): void
}

/**
 * Sends a heartbeat at each third of the lease.
 *
 * Only differences between the service's own instants are used, and our monotonic clock counts them, so a clock that is an hour
 * off changes nothing. Counting starts when a heartbeat is sent, so we always give up a little before the service does.
 */
export function keepLease({ assignment, heartbeat, onTrouble }: LeaseOptions): Lease {
  const createdAtMs = Date.parse(assignment.createdAt)
  const leaseMs = Date.parse(assignment.expiresAt) - createdAtMs
  const deadlineMs = performance.now() + Date.parse(assignment.deadlineAt) - createdAtMs
  const over = new AbortController()
  let isEnded = false
  let isBeating = false
  // Long ago: the first progress goes out at once, so that short jobs show some too.
  let lastBeatMs = Number.NEGATIVE_INFINITY
  let pending: number | undefined
  let beatTimer: ReturnType<typeof setTimeout> | undefined
  let expiryTimer: ReturnType<typeof setTimeout> | undefined

  const end = () => {
    isEnded = true
    clearTimeout(beatTimer)
    clearTimeout(expiryTimer)
  }

  const lose = (error: LeaseLostError) => {
    if (isEnded) return
    end()
    over.abort(error)
  }

  /** The lease is good for its length from here, or until the deadline that no heartbeat extends. */
  const extend = (fromMs: number) => {
    clearTimeout(expiryTimer)
    const expiresMs = Math.min(fromMs + leaseMs, deadlineMs)
    const code = expiresMs === deadlineMs ? 'deadline_passed' : 'lease_expired'
    expiryTimer = setTimeout(() => lose(new LeaseLostError(code)), expiresMs - performance.now())
  }

  const schedule = (inMs: number) => {
    clearTimeout(beatTimer)
    beatTimer = setTimeout(beat, inMs)
  }

  async function beat(): Promise<void> {
    isBeating = true
    lastBeatMs = performance.now()
    const progress = pending
    pending = undefined
    const nextMs = await send(progress, lastBeatMs)
    isBeating = false
    if (!isEnded) schedule(pending === undefined ? nextMs : Math.min(nextMs, progressGapMs))
  }

  /** Says when the next one is due, in milliseconds. */
  async function send(progress: number | undefined, sentAtMs: number): Promise<number> {
    try {
      const body = progress === undefined ? {} : { progress }
      await heartbeat(body, { timeoutMs: leaseMs / 3, signal: over.signal })
      if (!isEnded) extend(sentAtMs)
      return leaseMs / 3
    } catch (error) {
      if (isEnded) return 0
      const code = leaseLostCode(error)
      if (code) lose(new LeaseLostError(code, { cause: error }))
      else onTrouble(error)
      pending ??= progress
      return Math.min(retryGapMs, leaseMs / 6)
    }
  }

  extend(performance.now())
  schedule(leaseMs / 3)

  return {
    signal: over.signal,
    end,
    progress(fraction) {
      if (isEnded || Number.isNaN(fraction)) return
      pending = Math.min(1, Math.max(0, fraction))
      if (!isBeating)
        schedule(Math.max(0, Math.min(lastBeatMs + progressGapMs, lastBeatMs + leaseMs / 3) - performance.now()))
    },
  }
}
