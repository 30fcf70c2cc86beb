import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ApiError, createClient, FieldstationError, TimeoutError } from '../../sdk/index.ts'
import { fakeService, hangs, json, problem, tokens } from './support/fake-service.ts'
import { fileServer } from './support/file-server.ts'
import { countingSignal, settled } from './support/promises.ts'

const me = 'GET /api/users/me'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('time', () => {
  test('is up after 30 seconds unless told otherwise', async () => {
    const call = settled(
      fakeService({ [me]: hangs })
        .client()
        .users.me(),
    )

    await vi.advanceTimersByTimeAsync(29_999)
    expect(call.isSettled).toBe(false)
    await vi.advanceTimersByTimeAsync(1)

    expect(call.error).toBeInstanceOf(TimeoutError)
    expect(call.error).toMatchObject({ code: 'timeout', timeoutMs: 30_000 })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is up even if fetch knows of no signals, or the body never ends', async () => {
    const deaf = settled(
      fakeService({ [me]: () => new Promise(() => {}) })
        .client({ timeoutMs: 50 })
        .users.me(),
    )
    const endless = () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
    const stuck = settled(
      fakeService({ [me]: endless })
        .client()
        .users.me({ timeoutMs: 50 }),
    )

    await vi.advanceTimersByTimeAsync(50)

    expect([deaf.error, stuck.error]).toEqual([expect.any(TimeoutError), expect.any(TimeoutError)])
  })

  test('is longer for a call that asks the service to wait', async () => {
    const service = fakeService({ 'GET /api/jobs/j': hangs, 'POST /api/jobs/claim': hangs })
    const client = service.client()
    const get = settled(client.jobs.get('j', { waitSeconds: 20 }))
    const claim = settled(client.worker.claim({ jobTypes: ['TEST'], waitSeconds: 20 }))

    await vi.advanceTimersByTimeAsync(49_999)
    expect([get.isSettled, claim.isSettled]).toEqual([false, false])
    await vi.advanceTimersByTimeAsync(1)

    expect([get.error, claim.error]).toEqual([expect.any(TimeoutError), expect.any(TimeoutError)])
  })

  test('covers signing in as well', async () => {
    const service = fakeService({ 'POST /api/auth/login': () => new Promise(() => {}) })
    const client = service.client({ credentials: { email: 'a@b.example', password: 'p' } })
    const call = settled(client.users.me({ timeoutMs: 10 }))
    await vi.advanceTimersByTimeAsync(10)
    expect(call.error).toBeInstanceOf(TimeoutError)
  })
})

describe('the signal', () => {
  test('ends a call with its own reason', async () => {
    const { controller, signal, listeners } = countingSignal()
    const service = fakeService({ [me]: hangs })
    const call = settled(service.client().users.me({ signal }))
    await vi.advanceTimersByTimeAsync(0)

    controller.abort(new Error('gone'))
    await vi.advanceTimersByTimeAsync(0)

    expect(call.error).toEqual(new Error('gone'))
    expect(service.requests[0]!.signal.aborted).toBe(true)
    expect(listeners()).toBe(0)
  })

  test('that has aborted already sends nothing', async () => {
    const service = fakeService({ [me]: json({}) })
    await expect(service.client().users.me({ signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone')
    expect(service.requests).toHaveLength(0)
  })

  test('collects no listeners over many calls', async () => {
    const { signal, listeners } = countingSignal()
    const client = fakeService({ [me]: json({}) }).client()
    for (let n = 0; n < 50; n++) await client.users.me({ signal })
    expect(listeners()).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('errors', () => {
  test('carry what the problem says', async () => {
    const errors = [{ pointer: '/name', detail: 'Too long' }]
    const service = fakeService({ [me]: problem(400, 'invalid_request', {}, { errors }) })

    const error = await service
      .client()
      .users.me()
      .catch((error) => error)

    expect(error).toBeInstanceOf(ApiError)
    expect(error).toBeInstanceOf(FieldstationError)
    expect(error).toMatchObject({
      name: 'ApiError',
      message: 'A detail',
      code: 'invalid_request',
      status: 400,
      title: 'A title',
      detail: 'A detail',
      requestId: 'req-1',
      errors,
    })
    expect(error.response.headers.get('content-type')).toBe('application/problem+json')
  })

  test.each([
    ['an HTML page of a proxy', () => new Response('<h1>Bad gateway</h1>', { status: 500 }), 500],
    ['an empty answer', () => new Response(null, { status: 500 }), 500],
    ['JSON that is no problem', () => json({ message: 'Forbidden' }, { status: 403 }), 403],
    ['JSON null', () => json(null, { status: 403 }), 403],
  ])('tell %s from an answer of the service', async (_, answer, status) => {
    const call = fakeService({ [me]: answer })
      .client()
      .users.me()
    await expect(call).rejects.toMatchObject({ code: 'unexpected_response', status })
  })

  test('say where a redirect leads, which is not followed', async () => {
    const moved = () => new Response(null, { status: 308, headers: { location: 'https://elsewhere.example/' } })
    const service = fakeService({ [me]: moved })
    await expect(service.client({ apiKey: 'fs_key' }).users.me()).rejects.toThrow('https://elsewhere.example/')
    expect(service.requests).toHaveLength(1)
  })

  test('carry no key to where a redirect leads', async () => {
    vi.useRealTimers()
    const elsewhere = await fileServer((_, response) => response.end('{}'))
    const here = await fileServer((_, response) => response.writeHead(307, { location: elsewhere.url }).end())
    const client = createClient({ baseUrl: new URL(here.url).origin, apiKey: 'fs_key' })

    await expect(client.users.me()).rejects.toMatchObject({ code: 'unexpected_response', status: 307 })

    expect(elsewhere.requests).toHaveLength(0)
    await Promise.all([here.close(), elsewhere.close()])
  })

  test('a page where JSON should be is nobody home', async () => {
    const call = fakeService({ [me]: () => new Response('<h1>Sign in to the airport</h1>') })
      .client()
      .users.me()
    await expect(call).rejects.toMatchObject({ code: 'connection_failed' })
  })
})

describe('raw', () => {
  test('has credentials, retries and time limits, and never throws for a status', async () => {
    const service = fakeService({
      [me]: [problem(503, 'service_unavailable'), problem(404, 'not_found', { 'x-a': 'b' })],
    })

    const call = service.client({ token: 't' }).raw.GET('/api/users/me')
    await vi.runAllTimersAsync()
    const { data, error, response } = await call

    expect(data).toBeUndefined()
    expect(error).toMatchObject({ code: 'not_found' })
    expect(response.headers.get('x-a')).toBe('b')
    expect(service.requests.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer t', 'Bearer t'])
  })

  test('heeds a signal of its own', async () => {
    const controller = new AbortController()
    const call = settled(
      fakeService({ [me]: hangs })
        .client()
        .raw.GET('/api/users/me', { signal: controller.signal }),
    )
    await vi.advanceTimersByTimeAsync(0)
    controller.abort(new Error('gone'))
    await vi.advanceTimersByTimeAsync(0)
    expect(call.error).toEqual(new Error('gone'))
  })
})

describe('hooks', () => {
  const secrets = [
    'slow-tides',
    'token-1',
    'refresh-1',
    'token-2',
    'refresh-2',
    'fs_secret',
    'assignment-token',
    'sig=',
  ]

  async function everything(options: object) {
    const service = fakeService({
      'POST /api/auth/login': json(tokens(1)),
      'POST /api/auth/token': json(tokens(2)),
      [me]: [problem(503, 'service_unavailable'), problem(401, 'unauthenticated'), json({ id: 'me' })],
      'POST /api/users/me/api-keys': json({ key: 'fs_secret' }),
      'GET /api/polygons': json({ items: [] }, { headers: { 'x-request-id': 'req-9' } }),
      'POST /api/jobs/assignments/a/heartbeat': json({}),
      'GET /files/f': new Response('bytes'),
    })
    const client = service.client({ credentials: { email: 'ana@reef.example', password: 'slow-tides' }, ...options })
    const calls = (async () => {
      await client.users.me()
      await client.users.createApiKey({ name: 'x', scopes: ['jobs:work'] })
      await client.polygons.list({ cursor: 'opaque' })
      await client.worker.heartbeat('a', {}, { token: 'assignment-token' })
      await client.transfers.download('https://reef.example/files/f?sig=abc')
    })()
    await vi.runAllTimersAsync()
    await calls
  }

  test('see every try, every answer and every repetition, and no secret', async () => {
    const seen = { onRequest: vi.fn(), onResponse: vi.fn(), onRetry: vi.fn(), log: vi.fn() }

    await everything(seen)

    expect(seen.onRequest).toHaveBeenCalledWith({ method: 'GET', path: '/api/users/me', attempt: 2 })
    expect(seen.onResponse).toHaveBeenLastCalledWith(expect.objectContaining({ status: 200, attempt: 1 }))
    expect(seen.onResponse).toHaveBeenCalledWith(expect.objectContaining({ path: '/api/polygons', requestId: 'req-9' }))
    expect(seen.onRetry.mock.calls).toEqual([
      [expect.objectContaining({ path: '/api/users/me', attempt: 1, status: 503 })],
    ])
    expect(seen.log).toHaveBeenCalledWith(expect.objectContaining({ level: 'warn', message: 'request repeated' }))
    const told = JSON.stringify(Object.values(seen).map((hook) => hook.mock.calls))
    for (const secret of secrets) expect(told).not.toContain(secret)
  })

  test('that throw break nothing', async () => {
    const broken = () => {
      throw new Error('a broken hook')
    }
    await everything({ onRequest: broken, onResponse: broken, onRetry: broken, log: broken, onTokens: broken })
  })
})
