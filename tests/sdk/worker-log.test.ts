import { describe, expect, test } from 'vitest'
import type { JobContext } from '../../sdk/node.ts'
import { begin, tick, workersStopAfterEach } from './support/begin-worker.ts'
import { fakeQueue, testClaim } from './support/fake-queue.ts'
import { problem } from './support/fake-service.ts'
import { deferred } from './support/promises.ts'

workersStopAfterEach()

describe('the log', () => {
  test('goes out in order, in batches, before the result', async () => {
    const queue = fakeQueue()
    const handler = async (_: unknown, { log }: JobContext) => {
      for (let n = 0; n < 1200; n++) log(`line ${n}`)
      await new Promise((resolve) => setTimeout(resolve, 5_000))
      log('last', 'WARNING')
      return { id: 1 }
    }
    begin(queue, { handlers: { TEST: handler } })
    queue.offer(testClaim(1))
    await tick(10_000)

    expect(queue.log()).toEqual([...Array.from({ length: 1200 }, (_, n) => `line ${n}`), 'last'])
    expect(queue.to('POST /api/jobs/assignments/a1/logs')).toHaveLength(4)
    const order = queue.requests
      .map(({ path }) => path.split('/').at(-1))
      .filter((what) => what === 'logs' || what === 'result')
    expect(order).toEqual(['logs', 'logs', 'logs', 'logs', 'result'])
  })

  test('stays in order when a batch fails, and loses nothing', async () => {
    const ok = new Response(null, { status: 204 })
    const queue = fakeQueue({ 'POST /api/jobs/assignments/a1/logs': [problem(503, 'service_unavailable'), ok] })
    const handler = async (_: unknown, { log }: JobContext) => {
      log('one')
      await new Promise((resolve) => setTimeout(resolve, 520))
      log('two')
      return { id: 1 }
    }
    begin(queue, { handlers: { TEST: handler } })
    queue.offer(testClaim(1))
    await tick(10_000)
    expect(queue.log()).toEqual(['one', 'one', 'two'])
    expect(queue.results()).toHaveLength(1)
  })

  test('goes out one batch at a time, however slow the service is', async () => {
    const gate = deferred<Response>()
    const ok = new Response(null, { status: 204 })
    const queue = fakeQueue({ 'POST /api/jobs/assignments/a1/logs': [() => gate.promise, ok] })
    const handler = async (_: unknown, { log }: JobContext) => {
      log('one')
      await new Promise((resolve) => setTimeout(resolve, 600))
      log('two')
      await new Promise((resolve) => setTimeout(resolve, 600))
      log('three')
      return { id: 1 }
    }
    begin(queue, { handlers: { TEST: handler } })
    queue.offer(testClaim(1))
    await tick(3_000)
    expect(queue.log()).toEqual(['one'])
    gate.resolve(ok)
    await tick(1_000)
    expect(queue.log()).toEqual(['one', 'two', 'three'])
  })

  test('shows no secrets', async () => {
    const queue = fakeQueue()
    const handler = async (_: unknown, { log, token }: JobContext) => {
      log(`reading https://store.example/f.tif?X-Amz-Signature=abc with ${token}`)
      return { id: 1 }
    }
    begin(queue, { handlers: { TEST: handler } })
    queue.offer(testClaim(1))
    await tick(1_000)
    expect(queue.log()).toEqual(['reading https://store.example/f.tif?[signature] with [secret]'])
  })

  test('takes no line after the result', async () => {
    const queue = fakeQueue()
    let late: JobContext | undefined
    const handler = async (_: unknown, context: JobContext) => {
      late = context
      return { id: 1 }
    }
    begin(queue, { handlers: { TEST: handler } })
    queue.offer(testClaim(1))
    await tick(1_000)
    late?.log('too late')
    late?.progress(0.5)
    await tick(10_000)
    expect([queue.log(), queue.heartbeats()]).toEqual([[], []])
  })

  test('shortens what the contract does not take, and drops what it refuses', async () => {
    const queue = fakeQueue({ 'POST /api/jobs/assignments/a1/logs': problem(400, 'invalid_request') })
    const { messages } = begin(queue, {
      handlers: {
        TEST: async (_, { log }) => {
          log('x'.repeat(6_000))
          log('')
          return { id: 1 }
        },
      },
    })
    queue.offer(testClaim(1))
    await tick(1_000)
    expect(queue.log().map(({ length }) => length)).toEqual([5_000])
    expect(queue.results()).toHaveLength(1)
    expect(messages()).toContain('log lines lost')
  })
})
