import { describe, expect, test, vi } from 'vitest'
import { createWorker, RetryableError } from '../../sdk/node.ts'
import { begin, tick, workersStopAfterEach } from './support/begin-worker.ts'
import { claimOf, fakeQueue, testClaim } from './support/fake-queue.ts'
import { json, problem, refused } from './support/fake-service.ts'
import { deferred } from './support/promises.ts'

workersStopAfterEach()

describe('a worker', () => {
  test('takes a job, does it, and reports the result with the token of its assignment', async () => {
    const queue = fakeQueue()
    begin(queue, { workerName: 'boat' })
    await tick()

    queue.offer(testClaim(1))
    await vi.waitFor(() => expect(queue.results()).toHaveLength(1))

    expect(queue.claims()[0]!.body).toEqual({ jobTypes: ['TEST'], limit: 1, waitSeconds: 20, workerName: 'boat' })
    expect(queue.claims()[0]!.headers.get('x-api-key')).toBe('fs_worker')
    expect(queue.results()).toEqual([{ status: 'SUCCEEDED', resultPayload: { id: 1 } }])
    const report = queue.to('POST /api/jobs/assignments/a1/result')[0]!
    expect(report.headers.get('authorization')).toBe('Bearer assignment-token-1')
    expect(report.headers.get('x-api-key')).toBeNull()
  })

  test('gives its handler the job as the contract types it', async () => {
    const queue = fakeQueue()
    const seen = vi.fn()
    const input = { region: 'r', criteria: { depth: { max: 5 } } }
    begin(queue, {
      handlers: {
        REGIONAL_ASSESSMENT: async (job) => {
          seen(job, job.input.criteria.depth?.max)
          throw new Error('not today')
        },
      },
    })
    queue.offer(claimOf(1, 'REGIONAL_ASSESSMENT', input))
    await vi.waitFor(() => expect(queue.results()).toHaveLength(1))
    expect(seen).toHaveBeenCalledWith(
      { id: 'j1', type: 'REGIONAL_ASSESSMENT', input, attempt: 1, maxAttempts: 3, createdAt: expect.any(String) },
      5,
    )
  })

  test('sends metadata beside the result', async () => {
    const queue = fakeQueue()
    begin(queue, { handlers: { TEST: async () => ({ result: { id: 7 }, metadata: { version: '1' } }) } })
    queue.offer(testClaim(1))
    await vi.waitFor(() => expect(queue.results()).toHaveLength(1))
    expect(queue.results()).toEqual([{ status: 'SUCCEEDED', resultPayload: { id: 7 }, metadata: { version: '1' } }])
  })

  test('takes as many jobs at once as it was told, and asks for as many as it has room for', async () => {
    const queue = fakeQueue()
    const gates = new Map([1, 2, 3].map((n) => [n, deferred()]))
    const handler = async ({ input }: { input: { id: number } }) => {
      await gates.get(input.id)!.promise
      return { id: input.id }
    }
    begin(queue, { concurrency: 2, handlers: { TEST: handler } })
    await tick()

    queue.offer(testClaim(1), testClaim(2), testClaim(3))
    await tick(60_000)
    expect(queue.claims().map(({ body }) => (body as { limit: number }).limit)).toEqual([2])
    gates.get(2)!.resolve()
    await vi.waitFor(() => expect(queue.claims().length).toBeGreaterThanOrEqual(2))
    expect(queue.claims()[1]!.body).toMatchObject({ limit: 1 })
    gates.get(1)!.resolve()
    gates.get(3)!.resolve()
    await vi.waitFor(() => expect(queue.results(3)).toHaveLength(1))
  })

  test('does not hammer a service that does not wait', async () => {
    const queue = fakeQueue({ 'POST /api/jobs/claim': json({ claims: [] }) })
    begin(queue)
    await tick(10_000)
    expect(queue.claims().length).toBeLessThanOrEqual(11)
  })

  test('waits for a service that is away, longer and longer, and goes on when it is back', async () => {
    let isUp = false
    const queue: ReturnType<typeof fakeQueue> = fakeQueue({
      'POST /api/jobs/claim': (request) => {
        if (!isUp) throw refused()
        return queue.claim(request)
      },
    })
    const { messages } = begin(queue)

    await tick(300_000)
    expect(queue.claims().length).toBeGreaterThan(8)
    expect(queue.claims().length).toBeLessThan(30)
    isUp = true
    queue.offer(testClaim(1))
    await tick(31_000)

    expect(queue.results()).toHaveLength(1)
    expect(messages()).toContain('claim failed')
  })

  test('ends with the refusal when the service does not let it work', async () => {
    const { running } = begin(fakeQueue({ 'POST /api/jobs/claim': problem(403, 'insufficient_scope') }))
    await tick()
    expect(running.error).toMatchObject({ code: 'insufficient_scope' })
  })

  test.each([
    ['all slots', 1, 2_000],
    // A claim is waiting for the second slot when the first becomes free, and waits for an idle time at most.
    ['some slots', 2, 7_000],
  ])('ends after the idle time, and not while a job runs in %s', async (_, concurrency, laterMs) => {
    const gate = deferred()
    const queue = fakeQueue()
    const handler = async () => {
      await gate.promise
      return { id: 1 }
    }
    const { running } = begin(queue, { idleTimeoutMs: 5_000, concurrency, handlers: { TEST: handler } })
    await tick(3_000)
    queue.offer(testClaim(1))
    await tick(60_000)
    expect(running.isSettled).toBe(false)
    gate.resolve()
    await tick(4_000)
    expect(running.isSettled).toBe(false)
    await tick(laterMs)
    expect(running).toMatchObject({ isSettled: true })
    expect(running.error).toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('needs a handler, and room for a job', () => {
    const access = { baseUrl: 'https://reef.example', apiKey: 'fs_k' }
    const handlers = { TEST: async () => ({ id: 1 }) }
    expect(() => createWorker({ ...access, handlers: {} })).toThrow(TypeError)
    expect(() => createWorker({ ...access, handlers, concurrency: Number.NaN })).toThrow(RangeError)
  })
})

describe('failure', () => {
  const report = async (error: unknown, routes = {}) => {
    const queue = fakeQueue(routes)
    const { log } = begin(queue, {
      handlers: {
        TEST: async () => {
          throw error
        },
      },
    })
    queue.offer(testClaim(1))
    await vi.waitFor(() => expect(queue.results()).toHaveLength(1))
    await tick()
    return { result: queue.results()[0], log }
  }

  test('of a handler is reported for good', async () => {
    const { result } = await report(new Error('No such layer'))
    expect(result).toEqual({ status: 'FAILED', error: { message: 'No such layer', retryable: false } })
  })

  test('is reported as retryable where the handler or the network says so', async () => {
    expect((await report(new RetryableError('try later'))).result).toMatchObject({
      error: { message: 'try later', retryable: true },
    })
  })

  test('never shows secrets', async () => {
    const message =
      'GET https://store.example/f.tif?X-Amz-Signature=abc failed with Bearer xyz.abc, fs_live_key and assignment-token-1'
    const { result, log } = await report(new Error(message))
    for (const told of [JSON.stringify(result), JSON.stringify(log)]) {
      for (const secret of ['abc', 'xyz', 'live_key', 'assignment-token-1']) expect(told).not.toContain(secret)
    }
    expect(result).toMatchObject({ error: { message: expect.stringContaining('https://store.example/f.tif') } })
  })

  test('of the contract (a result that it does not allow) is reported as such', async () => {
    const refusal = problem(
      400,
      'invalid_request',
      {},
      { errors: [{ pointer: '/resultPayload/id', detail: 'Required' }] },
    )
    const queue = fakeQueue({
      'POST /api/jobs/assignments/a1/result': [refusal, json({ status: 'FAILED', willRetry: false })],
    })
    begin(queue)
    queue.offer(testClaim(1))
    await vi.waitFor(() => expect(queue.results()).toHaveLength(2))
    expect(queue.results()[1]).toEqual({
      status: 'FAILED',
      error: { message: 'The result was refused: A detail\n/resultPayload/id: Required', retryable: false },
    })
  })

  test('of the service is outlasted: the report is repeated while the lease holds', async () => {
    const accepted = json({ status: 'SUCCEEDED', willRetry: false })
    const away = [...Array(30).fill(refused()), problem(500, 'internal')]
    const queue = fakeQueue({ 'POST /api/jobs/assignments/a1/result': [...away, accepted] })
    const { messages } = begin(queue)
    queue.offer(testClaim(1))
    await tick(60_000)
    expect(queue.results()).toHaveLength(32)
    expect(queue.heartbeats().length).toBeGreaterThan(0)
    expect(messages()).toContain('job succeeded')
  })
})

describe('types', () => {
  test('hold a handler to its job type', () => {
    const right = () =>
      createWorker({ client: fakeQueue().client(), handlers: { TEST: async ({ input }) => ({ id: input.id }) } })
    // @ts-expect-error another type's result
    const wrong = () => createWorker({ client: fakeQueue().client(), handlers: { TEST: async () => ({ cells: 1 }) } })
    // @ts-expect-error no such type
    const unknown = () => createWorker({ client: fakeQueue().client(), handlers: { NOPE: async () => ({}) } })
    expect([right, wrong, unknown]).toHaveLength(3)
  })
})
