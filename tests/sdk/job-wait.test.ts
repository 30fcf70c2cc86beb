import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest'
import { type FinalJob, type Job, type JobCreated, JobFailedError, TimeoutError } from '../../sdk/index.ts'
import { fakeService, hangs, json, problem, refused } from './support/fake-service.ts'
import { countingSignal, settled } from './support/promises.ts'

const route = 'GET /api/jobs/j'
const at = (lastEventId: number, status: Job['status'], more: object = {}) =>
  json({ id: 'j', type: 'TEST', status, lastEventId, ...more })

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('jobs.wait', () => {
  test('asks once for a job that is over', async () => {
    const service = fakeService({ [route]: at(5, 'SUCCEEDED', { resultPayload: { id: 1 } }) })
    await expect(service.client().jobs.wait('j')).resolves.toMatchObject({
      status: 'SUCCEEDED',
      resultPayload: { id: 1 },
    })
    expect(service.requests.map(({ query }) => query)).toEqual([{}])
  })

  test('then lets the service wait, from the event that it has seen', async () => {
    const service = fakeService({ [route]: [at(1, 'PENDING'), at(2, 'IN_PROGRESS'), at(4, 'FAILED')] })
    const onChange = vi.fn()

    const job = await service.client().jobs.wait('j', { onChange })

    expect(job.status).toBe('FAILED')
    expect(service.requests.map(({ query }) => query)).toEqual([
      {},
      { waitSeconds: '20', afterEventId: '1' },
      { waitSeconds: '20', afterEventId: '2' },
    ])
    expect(onChange.mock.calls.map(([{ status }]) => status)).toEqual(['PENDING', 'IN_PROGRESS', 'FAILED'])
  })

  test('does not hammer a service that does not wait', async () => {
    const service = fakeService({ [route]: at(1, 'IN_PROGRESS') })
    const { controller, signal } = countingSignal()
    const onChange = vi.fn()
    settled(service.client().jobs.wait('j', { signal, onChange }))

    await vi.advanceTimersByTimeAsync(10_000)

    expect(service.requests.length).toBeLessThanOrEqual(12)
    expect(onChange).toHaveBeenCalledTimes(1)
    controller.abort()
  })

  test('outlasts a service that is away for a minute, but not one that refuses', async () => {
    const service = fakeService({
      [route]: [
        at(1, 'PENDING'),
        ...Array(10).fill(refused()),
        problem(503, 'service_unavailable'),
        at(2, 'SUCCEEDED'),
      ],
    })
    const job = settled(service.client({ retries: 0 }).jobs.wait('j'))
    const lost = settled(
      fakeService({ [route]: [at(1, 'PENDING'), problem(404, 'job_not_found')] })
        .client()
        .jobs.wait('j'),
    )

    await vi.runAllTimersAsync()

    expect(job.value).toMatchObject({ status: 'SUCCEEDED' })
    expect(lost.error).toMatchObject({ code: 'job_not_found' })
  })

  test('throws for a job without result only where asked to', async () => {
    const service = fakeService({ [route]: at(3, 'FAILED', { error: { message: 'No data' } }) })
    const error = await service
      .client()
      .jobs.wait('j', { throwOnFailure: true })
      .catch((error) => error)
    expect(error).toBeInstanceOf(JobFailedError)
    expect(error).toMatchObject({
      code: 'job_failed',
      status: 'FAILED',
      job: { id: 'j' },
      message: 'Job j is FAILED: No data',
    })
  })

  test('ends with its own time or the signal, and leaves nothing behind', async () => {
    const { controller, signal, listeners } = countingSignal()
    const service = fakeService({ [route]: [at(1, 'PENDING'), hangs] })
    const late = settled(service.client().jobs.wait('j', { timeoutMs: 100_000, signal }))
    await vi.advanceTimersByTimeAsync(100_000)
    const ended = settled(service.client().jobs.wait('j', { signal }))
    await vi.advanceTimersByTimeAsync(1_000)
    controller.abort(new Error('enough'))
    await vi.advanceTimersByTimeAsync(0)

    expect(late.error).toBeInstanceOf(TimeoutError)
    expect(late.error).toMatchObject({ timeoutMs: 100_000 })
    expect(ended.error).toEqual(new Error('enough'))
    expect([listeners(), vi.getTimerCount()]).toEqual([0, 0])
  })
})

describe('types', () => {
  test('follow the job type from create to result', () => {
    const { jobs } = fakeService({}).client()
    const create = () => jobs.create({ type: 'TEST', inputPayload: { id: 1 } })
    const wait = (created: JobCreated<'TEST'>) => jobs.wait(created.jobId)
    const insist = (created: JobCreated<'TEST'>) => jobs.wait(created.jobId, { throwOnFailure: true })

    expectTypeOf(create).returns.resolves.toEqualTypeOf<JobCreated<'TEST'>>()
    expectTypeOf(wait).returns.resolves.toEqualTypeOf<FinalJob<'TEST'>>()
    expectTypeOf(insist).returns.resolves.toHaveProperty('resultPayload').toEqualTypeOf<{ id: number }>()
    expectTypeOf(() => jobs.wait('any string')).returns.resolves.toEqualTypeOf<FinalJob>()
    // @ts-expect-error another type's input
    const wrongInput = () => jobs.create({ type: 'REGIONAL_ASSESSMENT', inputPayload: { id: 1 } })
    // @ts-expect-error no such type
    const wrongType = () => jobs.create({ type: 'NOPE', inputPayload: { id: 1 } })
    expect([wrongInput, wrongType]).toHaveLength(2)
  })

  test('narrow a job by its type and its status', () => {
    const look = (job: FinalJob) => {
      if (job.type === 'TEST' && job.status === 'SUCCEEDED')
        expectTypeOf(job.resultPayload).toEqualTypeOf<{ id: number }>()
      if (job.status !== 'SUCCEEDED') expectTypeOf(job.error).toEqualTypeOf<Job['error']>()
    }
    expect(look).toBeTypeOf('function')
  })
})
