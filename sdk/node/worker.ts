import { type Client, createClient } from '../client.ts'
import type { Log } from '../log.ts'
import type { FetchLike } from '../options.ts'
import type { ClaimRequest, JobType } from '../types.ts'
import { claimer } from './claimer.ts'
import type { JobHandler, JobHandlers } from './handlers.ts'
import { runJob } from './run-job.ts'
import { WorkerStoppedError } from './worker-errors.ts'
import { sayTo } from './worker-log.ts'

/** What a worker is made of. */
export type WorkerOptions = WorkerSettings & WorkerAccess

/** How a worker reaches the service: by a client, or by what one is made from. */
export type WorkerAccess =
  | { client: Pick<Client, 'worker' | 'transfers'> }
  | { baseUrl: string; apiKey: string; fetch?: FetchLike | undefined }

/** What a worker can do, and how. */
export interface WorkerSettings extends Pick<ClaimRequest, 'ecsTaskArn' | 'ecsClusterArn'> {
  /** One for each job type that this worker takes. */
  handlers: JobHandlers
  /** How many jobs at once. 1 unless told otherwise. */
  concurrency?: number | undefined
  /** Tells this worker from others, for people. */
  workerName?: string | undefined
  /** How long jobs may go on after `stop`, in milliseconds, before they are given back. 20 s, which fits what ECS allows, unless told otherwise. */
  drainTimeoutMs?: number | undefined
  /** Stop after so many milliseconds without a job, or somewhat later. Never unless told otherwise. */
  idleTimeoutMs?: number | undefined
  /** Where the jobs' directories are made. The system's temporary directory unless told otherwise. */
  workRoot?: string | undefined
  /** What the worker has to say, of jobs and of itself. */
  log?: Log | undefined
}

/** Takes jobs and does them. */
export interface Worker {
  /**
   * Works until the signal aborts, `stop` is called, nothing came for `idleTimeoutMs`, or the service refuses this worker (then it rejects
   * with that `ApiError`). Jobs that are under way are finished or given back before it settles. A service that is away is waited for.
   */
  run(signal?: AbortSignal): Promise<void>
  /** `run` in the background. What ends it, `stop` tells. */
  start(): void
  /**
   * Takes no more jobs, and settles as `run` does. A claim that is waiting is abandoned: should the service have given us a job in that very
   * moment, it comes back when its lease expires.
   */
  stop(): Promise<void>
}

/** After the drain: what giving back and reporting may still take before we leave regardless. */
const farewellMs = 10_000

/** Makes a worker. It does nothing before `run` or `start`. Throws where no handler is given, or no concurrency. */
export function createWorker(options: WorkerOptions): Worker {
  const { handlers, concurrency = 1, drainTimeoutMs = 20_000, log, workRoot } = options
  const client = 'client' in options ? options.client : createClient(options)
  const jobTypes = (Object.keys(handlers) as JobType[]).filter((type) => handlers[type])
  if (jobTypes.length === 0) throw new TypeError('A worker needs a handler for at least one job type.')
  if (!(concurrency >= 1)) throw new RangeError('A worker needs room for at least one job.')
  const say = sayTo(log, options.workerName === undefined ? {} : { workerName: options.workerName })
  let current: { stopping: AbortController; ended: Promise<void> } | undefined

  async function work(stopping: AbortSignal): Promise<void> {
    const running = new Set<Promise<void>>()
    const giveUp = new AbortController()
    const takeJobs = claimer({ client, jobTypes, concurrency, running, say, ...options })
    say('info', 'worker started', { jobTypes, concurrency })
    try {
      for await (const claim of takeJobs(stopping)) {
        const handler = handlers[claim.job.type] as JobHandler<JobType>
        const run = runJob({ client, claim, handler, stopping: giveUp.signal, log, workRoot })
        const tracked: Promise<void> = run.finally(() => running.delete(tracked))
        running.add(tracked)
      }
    } finally {
      await drain(running, giveUp)
      say('info', 'worker stopped', { unfinished: running.size })
    }
  }

  async function drain(running: Set<Promise<void>>, giveUp: AbortController): Promise<void> {
    if (running.size > 0) say('info', 'worker draining', { running: running.size })
    if (await settleWithin(running, drainTimeoutMs)) return
    giveUp.abort(new WorkerStoppedError())
    await settleWithin(running, farewellMs)
  }

  function begin() {
    if (current) throw new Error('This worker is at work already.')
    const stopping = new AbortController()
    const ended = work(stopping.signal).finally(() => {
      current = undefined
    })
    current = { stopping, ended }
    return current
  }

  return {
    async run(signal) {
      const { stopping, ended } = begin()
      const stop = () => stopping.abort(signal?.reason)
      if (signal?.aborted) stop()
      signal?.addEventListener('abort', stop, { once: true })
      await ended.finally(() => signal?.removeEventListener('abort', stop))
    },

    start() {
      begin().ended.catch((error) => say('error', 'worker ended', { reason: String(error) }))
    },

    async stop() {
      current?.stopping.abort()
      await current?.ended
    },
  }
}

/** Whether all of them settled in time. */
async function settleWithin(running: Set<Promise<void>>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  try {
    return await Promise.race([Promise.all(running).then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
