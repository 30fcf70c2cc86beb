import { afterEach, beforeEach, vi } from 'vitest'
import type { LogLine } from '../../../sdk/index.ts'
import { createWorker, type JobContext, type WorkerSettings } from '../../../sdk/node.ts'
import type { fakeQueue } from './fake-queue.ts'
import { settled } from './promises.ts'

const started: { stop(): Promise<void> }[] = []

/** Lets time pass, and all that happens in it. */
export const tick = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

/** For each test file with workers: time is the test's, and every worker has stopped at the end. */
export function workersStopAfterEach() {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(async () => {
    const stopped = Promise.allSettled(started.splice(0).map((worker) => worker.stop()))
    if (vi.isFakeTimers()) await tick(120_000)
    await stopped
    vi.useRealTimers()
  })
}

/** A worker at work for this queue. */
export function begin(queue: ReturnType<typeof fakeQueue>, settings: Partial<WorkerSettings> = {}) {
  const log: LogLine[] = []
  const handlers = { TEST: async ({ input }: { input: { id: number } }) => ({ id: input.id }) }
  const worker = createWorker({
    client: queue.client({ apiKey: 'fs_worker' }),
    handlers,
    log: (line) => log.push(line),
    ...settings,
  })
  const running = settled(worker.run())
  started.push(worker)
  return { worker, running, log, messages: () => log.map(({ message }) => message) }
}

/** A handler that goes on until its signal aborts, and tells what it saw. */
export function patientHandler() {
  const contexts: JobContext[] = []
  const reasons: unknown[] = []
  const handler = async (_: unknown, context: JobContext) => {
    contexts.push(context)
    await new Promise((_resolve, reject) => {
      context.signal.addEventListener('abort', () => {
        reasons.push(context.signal.reason)
        reject(context.signal.reason)
      })
    })
    return { id: 0 }
  }
  return { handlers: { TEST: handler }, contexts, reasons }
}
