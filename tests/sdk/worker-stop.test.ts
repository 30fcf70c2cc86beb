import { describe, expect, test, vi } from 'vitest'
import { createWorker, type JobContext, WorkerStoppedError } from '../../sdk/node.ts'
import { begin, patientHandler, tick, workersStopAfterEach } from './support/begin-worker.ts'
import { fakeQueue, testClaim } from './support/fake-queue.ts'
import { deferred, settled } from './support/promises.ts'

workersStopAfterEach()

describe('stopping', () => {
  test('ends an idle worker at once', async () => {
    const { worker, running } = begin(fakeQueue())
    await tick(5_000)
    await worker.stop()
    await tick()
    expect(running.isSettled).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('takes no more jobs, and lets those under way finish', async () => {
    const gate = deferred()
    const queue = fakeQueue()
    const handler = async () => {
      await gate.promise
      return { id: 1 }
    }
    const { worker } = begin(queue, { concurrency: 2, handlers: { TEST: handler } })
    queue.offer(testClaim(1))
    await tick(1_000)

    const stopped = settled(worker.stop())
    queue.offer(testClaim(2))
    await tick(15_000)
    expect(stopped.isSettled).toBe(false)
    gate.resolve()
    await tick(1)

    expect(stopped.isSettled).toBe(true)
    expect([queue.results(), queue.results(2)]).toEqual([[expect.anything()], []])
    expect(queue.heartbeats().length).toBeGreaterThan(0)
  })

  test('gives jobs back that do not finish in time, and reports nothing of them', async () => {
    const queue = fakeQueue()
    const { handlers, reasons, contexts } = patientHandler()
    const { worker, messages } = begin(queue, { handlers, drainTimeoutMs: 3_000 })
    queue.offer(testClaim(1))
    await tick(100)
    contexts[0]!.log('half way')

    const stopped = settled(worker.stop())
    await tick(2_900)
    expect(reasons).toEqual([])
    await tick(200)

    expect(reasons).toEqual([expect.any(WorkerStoppedError)])
    expect(queue.releases()).toHaveLength(1)
    expect(queue.releases()[0]!.headers.get('authorization')).toBe('Bearer assignment-token-1')
    expect(queue.log()).toEqual(['half way'])
    expect(queue.results()).toEqual([])
    expect(stopped.isSettled).toBe(true)
    expect(messages()).toContain('job given back')
  })

  test('gives a job back although its handler does not heed the signal', async () => {
    const queue = fakeQueue()
    const { worker } = begin(queue, { handlers: { TEST: () => new Promise(() => {}) }, drainTimeoutMs: 1_000 })
    queue.offer(testClaim(1))
    await tick(100)
    const stopped = settled(worker.stop())
    await tick(4_000)
    expect(queue.releases()).toHaveLength(1)
    await tick(10_000)
    expect(stopped.isSettled).toBe(true)
  })

  test('still reports a job that comes to its end while being told to stop', async () => {
    const queue = fakeQueue()
    const handler = async (_: unknown, { signal }: JobContext) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      return { id: 1 }
    }
    const { worker } = begin(queue, { handlers: { TEST: handler }, drainTimeoutMs: 1_000 })
    queue.offer(testClaim(1))
    await tick(100)
    void worker.stop()
    await tick(2_000)
    expect([queue.results(), queue.releases()]).toEqual([[expect.objectContaining({ status: 'SUCCEEDED' })], []])
  })

  test('works by the signal of run, by start and stop, and again afterwards', async () => {
    const queue = fakeQueue()
    const worker = createWorker({ client: queue.client(), handlers: { TEST: async () => ({ id: 1 }) } })
    const controller = new AbortController()
    const run = settled(worker.run(controller.signal))
    await tick(10)
    controller.abort()
    await tick(0)
    expect([run.isSettled, run.error]).toEqual([true, undefined])

    worker.start()
    queue.offer(testClaim(1))
    await tick(10)
    await worker.stop()
    expect(queue.results()).toHaveLength(1)
  })
})
