import { describe, expect, test } from 'vitest'
import { LeaseLostError } from '../../sdk/node.ts'
import { begin, patientHandler, tick, workersStopAfterEach } from './support/begin-worker.ts'
import { claimOf, fakeQueue, lost, testClaim } from './support/fake-queue.ts'
import { json, problem, refused } from './support/fake-service.ts'
import { deferred } from './support/promises.ts'

workersStopAfterEach()

describe('the lease', () => {
  test('is kept by heartbeats at each third of it', async () => {
    const queue = fakeQueue()
    begin(queue, patientHandler())
    queue.offer(testClaim(1))
    await tick(9_999)
    expect(queue.heartbeats()).toHaveLength(0)
    await tick(1)
    expect(queue.heartbeats()).toEqual([{}])
    await tick(300_000)
    expect(queue.heartbeats().length).toBe(31)
  })

  test('carries progress: the first at once, then the newest, and not too often', async () => {
    const queue = fakeQueue()
    const { handlers, contexts } = patientHandler()
    begin(queue, { handlers })
    queue.offer(testClaim(1))
    await tick(100)

    for (let n = 0; n < 50; n++) contexts[0]!.progress(n / 100)
    await tick(1)
    expect(queue.heartbeats()).toEqual([{ progress: 0.49 }])
    contexts[0]!.progress(0.6)
    contexts[0]!.progress(7)
    contexts[0]!.progress(Number.NaN)
    await tick(1_800)
    expect(queue.heartbeats()).toHaveLength(1)
    await tick(200)

    expect(queue.heartbeats()).toEqual([{ progress: 0.49 }, { progress: 1 }])
  })

  test.each(['assignment_lost', 'job_cancelled'] as const)(
    'that is over (%s) ends the handler, and nothing is reported',
    async (code) => {
      const queue = fakeQueue({ 'POST /api/jobs/assignments/a1/heartbeat': lost(code) })
      const { handlers, reasons, contexts } = patientHandler()
      const { messages } = begin(queue, { handlers })
      queue.offer(testClaim(1))
      await tick(10_000)

      expect(reasons).toEqual([expect.any(LeaseLostError)])
      expect(reasons[0]).toMatchObject({ code })
      contexts[0]!.log('a late word')
      await tick(60_000)
      expect([queue.results(), queue.releases(), queue.log()]).toEqual([[], [], []])
      expect(queue.heartbeats()).toHaveLength(1)
      expect(messages()).toContain('job lost')
    },
  )

  test('is taken for over when no heartbeat gets through for its length, by our own count of seconds', async () => {
    const queue = fakeQueue({ 'POST /api/jobs/assignments/a1/heartbeat': refused() })
    const { handlers, reasons } = patientHandler()
    begin(queue, { handlers })
    queue.offer(testClaim(1))

    await tick(29_900)
    expect(reasons).toEqual([])
    await tick(200)

    expect(reasons[0]).toMatchObject({ code: 'lease_expired' })
    expect(queue.results()).toEqual([])
  })

  test('survives heartbeats that fail for less than its length', async () => {
    const beat = json({ expiresAt: '2026-03-02T21:41:00Z', deadlineAt: '2026-03-02T23:00:00Z' })
    const failures = Array(9).fill(problem(500, 'internal'))
    const queue = fakeQueue({ 'POST /api/jobs/assignments/a1/heartbeat': [...failures, beat] })
    const { handlers, reasons } = patientHandler()
    begin(queue, { handlers })
    queue.offer(testClaim(1))
    await tick(120_000)
    expect(reasons).toEqual([])
  })

  test('ends at the deadline, which no heartbeat extends', async () => {
    const queue = fakeQueue()
    const { handlers, reasons } = patientHandler()
    begin(queue, { handlers })
    queue.offer(claimOf(1, 'TEST', { id: 1 }, { deadlineSeconds: 45 }))
    await tick(44_900)
    expect(reasons).toEqual([])
    await tick(200)
    expect(reasons[0]).toMatchObject({ code: 'deadline_passed' })
  })

  test('keeps its slot as long as a handler goes on that does not heed the signal', async () => {
    const gate = deferred()
    const queue = fakeQueue({ 'POST /api/jobs/assignments/a1/heartbeat': lost() })
    const handler = async () => {
      await gate.promise
      return { id: 1 }
    }
    begin(queue, { handlers: { TEST: handler } })
    queue.offer(testClaim(1))
    await tick(60_000)
    expect(queue.claims()).toHaveLength(1)
    gate.resolve()
    await tick()
    expect(queue.claims()).toHaveLength(2)
    expect(queue.results()).toEqual([])
  })

  test('frees its slot when the handler has come to rest', async () => {
    const queue = fakeQueue({ 'POST /api/jobs/assignments/a1/heartbeat': lost() })
    begin(queue, patientHandler())
    queue.offer(testClaim(1))
    await tick(11_000)
    queue.offer(testClaim(2))
    await tick(10_001)
    expect(queue.heartbeats(2)).toHaveLength(1)
  })
})
