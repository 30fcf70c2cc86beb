import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Client, ConnectionError } from '../../sdk/index.ts'
import { fakeService, json, problem, refused } from './support/fake-service.ts'
import { countingSignal, settled } from './support/promises.ts'

const job = { type: 'TEST', inputPayload: { id: 1 } } as const
const me = 'GET /api/users/me'

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(1)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** The pauses before each try, in milliseconds. */
async function pausesOf(call: Promise<unknown>, requests: unknown[]): Promise<number[]> {
  const outcome = settled(call)
  const pauses: number[] = []
  await vi.advanceTimersByTimeAsync(0)
  while (!outcome.isSettled) {
    const seen = requests.length
    let waitedMs = 0
    for (; requests.length === seen && !outcome.isSettled && waitedMs < 200_000; waitedMs += 125) {
      await vi.advanceTimersByTimeAsync(125)
    }
    if (requests.length > seen) pauses.push(waitedMs)
  }
  return pauses
}

describe('a call that is safe to repeat', () => {
  test.each([408, 425, 429, 502, 503, 504])('is tried again after %i', async (status) => {
    const service = fakeService({ [me]: [problem(status, 'service_unavailable'), json({ id: 'me' })] })
    const call = service.client().users.me()
    await vi.runAllTimersAsync()
    await expect(call).resolves.toEqual({ id: 'me' })
    expect(service.requests).toHaveLength(2)
  })

  test.each([400, 403, 404, 409, 412, 422, 500])('is not tried again after %i', async (status) => {
    const service = fakeService({ [me]: [problem(status, 'internal'), json({ id: 'me' })] })
    await expect(service.client().users.me()).rejects.toMatchObject({ status })
    expect(service.requests).toHaveLength(1)
  })

  test('is tried again when no answer came, with pauses that grow, and then fails as it failed', async () => {
    const service = fakeService({ [me]: refused() })
    const call = service.client().users.me()
    expect(await pausesOf(call, service.requests)).toEqual([250, 500, 1000])
    await expect(call).rejects.toBeInstanceOf(ConnectionError)
  })

  test('is tried again when the connection breaks within the answer', async () => {
    const broken = () =>
      new Response(new ReadableStream({ pull: (controller) => controller.error(new TypeError('terminated')) }))
    const service = fakeService({ [me]: [broken, json({ id: 'me' })] })
    const call = service.client().users.me()
    await vi.runAllTimersAsync()
    await expect(call).resolves.toEqual({ id: 'me' })
  })

  test('varies its pauses by half', async () => {
    vi.mocked(Math.random).mockReturnValue(0)
    const service = fakeService({ [me]: [refused(), refused(), json({})] })
    expect(await pausesOf(service.client().users.me(), service.requests)).toEqual([125, 250])
  })

  test('is tried as often as the client was told', async () => {
    const service = fakeService({ [me]: refused() })
    await expect(service.client({ retries: 0 }).users.me()).rejects.toThrow(ConnectionError)
    expect(service.requests).toHaveLength(1)
  })
})

describe('Retry-After', () => {
  test('in seconds is waited out', async () => {
    const service = fakeService({ [me]: [problem(503, 'service_unavailable', { 'retry-after': '5' }), json({})] })
    expect(await pausesOf(service.client().users.me(), service.requests)).toEqual([5_000])
  })

  test('as a date is waited out', async () => {
    vi.setSystemTime('2026-03-02T21:40:00Z')
    const headers = { 'retry-after': 'Mon, 02 Mar 2026 21:40:07 GMT' }
    const service = fakeService({ [me]: [problem(429, 'too_many_active_jobs', headers), json({})] })
    expect(await pausesOf(service.client().users.me(), service.requests)).toEqual([7_000])
  })

  test.each([
    ['than anybody waits', 61, Infinity],
    ['than the call may take', 20, 15_000],
  ])('longer %s is told instead', async (_, seconds, timeoutMs) => {
    const headers = { 'retry-after': String(seconds) }
    const service = fakeService({ [me]: [problem(503, 'service_unavailable', headers), json({})] })

    const call = service.client().users.me({ timeoutMs })

    await expect(call).rejects.toMatchObject({ code: 'service_unavailable', retryAfterSeconds: seconds })
    expect(service.requests).toHaveLength(1)
  })
})

describe('which calls are repeated', () => {
  const never: [string, (client: Client) => Promise<unknown>][] = [
    ['creating a polygon', (c) => c.polygons.create({} as never)],
    ['importing polygons', (c) => c.polygons.import({} as never)],
    ['writing a note', (c) => c.notes.create({} as never)],
    ['sending an image', (c) => c.images.create(new Blob(['x']))],
    ['starting an image', (c) => c.images.createUpload({} as never)],
    ['changing an image', (c) => c.images.update('i', {})],
    ['creating an API key', (c) => c.users.createApiKey({ name: 'x', scopes: [] })],
    ['changing a password', (c) => c.users.changePassword({ currentPassword: 'p', newPassword: 'q' })],
    ['setting a new password', (c) => c.auth.resetPassword({ token: 't', password: 'p' })],
    ['deleting oneself', (c) => c.users.deleteMe()],
    ['making an account', (c) => c.users.create({ email: 'a@b.example' })],
    ['registering', (c) => c.auth.register({ email: 'a@b.example', password: 'p' })],
    ['starting a layer', (c) => c.regions.createLayerUpload('r', 'l', { sizeBytes: 1, sha256: '0' })],
    ['claiming', (c) => c.worker.claim({ jobTypes: ['TEST'] })],
    ['assigning', (c) => c.worker.assign({ jobId: 'j' })],
    ['adding to the log', (c) => c.worker.appendLogs('a', [{ message: 'x' }])],
  ]
  const always: [string, (client: Client) => Promise<unknown>][] = [
    ['replacing a polygon', (c) => c.polygons.replace('p', {} as never)],
    ['deleting a polygon', (c) => c.polygons.delete('p')],
    ['replacing a note', (c) => c.notes.replace('n', { content: 'x' })],
    ['fetching an image', (c) => c.images.download('i')],
    ['completing an image', (c) => c.images.completeUpload('i')],
    ['creating a job, which has a key', (c) => c.jobs.create(job)],
    ['cancelling a job', (c) => c.jobs.cancel('j')],
    ['completing a layer', (c) => c.regions.completeLayer('r', 'l', 1)],
    ['a heartbeat', (c) => c.worker.heartbeat('a')],
    ['declaring uploads', (c) => c.worker.createUploads('a', [])],
    ['reporting a result', (c) => c.worker.reportResult('a', { status: 'FAILED' })],
    ['releasing a job', (c) => c.worker.release('a')],
    ['signing in', (c) => c.auth.login({ email: 'a@b.example', password: 'p' })],
  ]

  async function triesOf(call: (client: Client) => Promise<unknown>) {
    const fetch = vi.fn(() => Promise.reject(refused()))
    const outcome = settled(call(fakeService({}).client({ fetch })))
    await vi.runAllTimersAsync()
    expect(outcome.error).toBeInstanceOf(ConnectionError)
    return fetch.mock.calls.length
  }

  test.each(never)('not %s', async (_, call) => expect(await triesOf(call)).toBe(1))
  test.each(always)('%s', async (_, call) => expect(await triesOf(call)).toBe(4))

  test('a job is created with the same key and body in each try', async () => {
    const created = json({ jobId: 'j' }, { status: 201 })
    const service = fakeService({ 'POST /api/jobs': [refused(), problem(409, 'idempotency_in_progress'), created] })

    const call = service.client().jobs.create(job)
    await vi.runAllTimersAsync()
    await call

    expect(service.requests).toHaveLength(3)
    expect(new Set(service.requests.map(({ headers }) => headers.get('idempotency-key')))).toHaveProperty('size', 1)
    expect(service.requests.map(({ body }) => body)).toEqual([job, job, job])
  })
})

describe('the signal', () => {
  test('ends a pause at once, and leaves neither timer nor listener behind', async () => {
    const { controller, signal, listeners } = countingSignal()
    const service = fakeService({ [me]: problem(503, 'service_unavailable', { 'retry-after': '20' }) })
    const call = settled(service.client().users.me({ signal }))
    await vi.advanceTimersByTimeAsync(1_000)

    controller.abort(new Error('enough'))
    await vi.advanceTimersByTimeAsync(0)

    expect(call.error).toEqual(new Error('enough'))
    expect(service.requests).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
    expect(listeners()).toBe(0)
  })
})
