import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Client } from '../../sdk/index.ts'
import { fakeService, json, problem, type Received, refused, tokens } from './support/fake-service.ts'
import { deferred } from './support/promises.ts'

const credentials = { email: 'ana@reef.example', password: 'slow-tides' }
const me = 'GET /api/users/me'
const login = 'POST /api/auth/login'
const refresh = 'POST /api/auth/token'

const bearer = ({ headers }: Received) => headers.get('authorization')
/** Believes this token and no other. */
const only = (token: () => string) => (request: Received) =>
  bearer(request) === `Bearer ${token()}` ? json({ id: 'me' }) : problem(401, 'unauthenticated')

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('a session', () => {
  test('signs in when the first call needs it, once for all that need it at once', async () => {
    const service = fakeService({ [login]: json(tokens(1)), [me]: json({ id: 'me' }) })
    const client = service.client({ credentials })
    expect(service.requests).toHaveLength(0)

    await Promise.all([client.users.me(), client.users.me(), client.users.me()])

    expect(service.to(login).map(({ body }) => body)).toEqual([credentials])
    expect(service.to(me).map(bearer)).toEqual(Array(3).fill('Bearer token-1'))
  })

  test('refreshes once, however many calls are refused at once', async () => {
    let current = 'token-1'
    const gate = deferred()
    const service = fakeService({
      [me]: only(() => current),
      [refresh]: async () => {
        await gate.promise
        return json(tokens(2))
      },
    })
    const client = service.client({ token: 'token-1', refreshToken: 'refresh-1' })
    current = 'token-2'

    const calls = Promise.all(Array.from({ length: 8 }, () => client.users.me()))
    await vi.waitFor(() => expect(service.to(me)).toHaveLength(8))
    gate.resolve()
    await calls

    expect(service.to(refresh).map(({ body }) => body)).toEqual([{ refreshToken: 'refresh-1' }])
  })

  test('uses each refresh token once, and hands every new pair to onTokens', async () => {
    let current = 'token-2'
    const service = fakeService({ [me]: only(() => current), [refresh]: [json(tokens(2)), json(tokens(3))] })
    const onTokens = vi.fn()
    const client = service.client({ token: 'token-1', refreshToken: 'refresh-1', onTokens })

    await client.users.me()
    current = 'token-3'
    await client.users.me()

    expect(service.to(refresh).map(({ body }) => body)).toEqual([
      { refreshToken: 'refresh-1' },
      { refreshToken: 'refresh-2' },
    ])
    expect(onTokens.mock.calls).toEqual([[tokens(2)], [tokens(3)]])
  })

  test('does not refresh again for a call that was refused with a token that has been replaced meanwhile', async () => {
    const slow = deferred<Response>()
    const service = fakeService({
      [me]: only(() => 'token-2'),
      'GET /api/regions/slow': [() => slow.promise, json({ name: 'slow' })],
      [refresh]: json(tokens(2)),
    })
    const client = service.client({ token: 'token-1', refreshToken: 'refresh-1' })

    const straggler = client.regions.get('slow')
    await client.users.me()
    slow.resolve(problem(401, 'unauthenticated'))
    await straggler

    expect(service.to(refresh)).toHaveLength(1)
    expect(service.to('GET /api/regions/slow').map(bearer)).toEqual(['Bearer token-1', 'Bearer token-2'])
  })

  test('takes a refusal after a refresh as an answer', async () => {
    const service = fakeService({ [me]: problem(401, 'unauthenticated'), [refresh]: json(tokens(2)) })
    const client = service.client({ token: 'token-1', refreshToken: 'refresh-1' })

    await expect(client.users.me()).rejects.toMatchObject({ code: 'unauthenticated', status: 401 })

    expect(service.to(me)).toHaveLength(2)
    expect(service.to(refresh)).toHaveLength(1)
  })

  test('refreshes shortly before the token ends', async () => {
    const service = fakeService({ [login]: json(tokens(1)), [refresh]: json(tokens(2)), [me]: json({ id: 'me' }) })
    const client = service.client({ credentials })
    await client.users.me()

    vi.advanceTimersByTime(3569_000)
    await client.users.me()
    expect(service.to(refresh)).toHaveLength(0)
    vi.advanceTimersByTime(2_000)
    await client.users.me()

    expect(service.to(refresh)).toHaveLength(1)
    expect(service.to(me).map(bearer)).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
  })

  test('goes on with a token that still works when refreshing it early fails', async () => {
    const service = fakeService({
      [login]: json(tokens(1)),
      [refresh]: problem(503, 'service_unavailable'),
      [me]: json({}),
    })
    const client = service.client({ credentials, retries: 0 })
    await client.users.me()
    vi.advanceTimersByTime(3580_000)

    await client.users.me()

    expect(service.to(refresh)).toHaveLength(1)
    expect(service.to(me).map(bearer)).toEqual(['Bearer token-1', 'Bearer token-1'])
  })

  test('signs in again when the refresh token is refused', async () => {
    let current = 'token-1'
    const service = fakeService({
      [login]: [json(tokens(1)), json(tokens(9))],
      [refresh]: problem(401, 'invalid_refresh_token'),
      [me]: only(() => current),
    })
    const client = service.client({ credentials })
    await client.users.me()
    current = 'token-9'

    await client.users.me()

    expect(service.to(login)).toHaveLength(2)
    expect(bearer(service.to(me).at(-1)!)).toBe('Bearer token-9')
  })

  test('is over when the refresh token is refused and there are no credentials', async () => {
    const service = fakeService({
      [me]: problem(401, 'unauthenticated'),
      [refresh]: problem(401, 'invalid_refresh_token'),
    })
    const onTokens = vi.fn()
    const client = service.client({ token: 'token-1', refreshToken: 'refresh-1', onTokens })

    await expect(client.users.me()).rejects.toMatchObject({ code: 'invalid_refresh_token' })

    expect(onTokens.mock.calls).toEqual([[undefined]])
    await expect(client.users.me()).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(bearer(service.to(me).at(-1)!)).toBeNull()
    expect(service.to(refresh)).toHaveLength(1)
  })

  test('tells every waiting call when signing in fails, and tries anew for the next', async () => {
    const service = fakeService({ [login]: [problem(401, 'invalid_credentials'), json(tokens(1))], [me]: json({}) })
    const client = service.client({ credentials })

    const outcomes = await Promise.allSettled([client.users.me(), client.users.me()])

    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual([
      'invalid_credentials',
      'invalid_credentials',
    ])
    await client.users.me()
    expect(service.to(login)).toHaveLength(2)
  })

  test('repeats a refresh whose answer was lost, which the contract allows', async () => {
    const service = fakeService({ [me]: only(() => 'token-2'), [refresh]: [refused(), json(tokens(2))] })
    const client = service.client({ token: 'token-1', refreshToken: 'refresh-1' })

    const call = client.users.me()
    await vi.runAllTimersAsync()
    await call

    expect(service.to(refresh)).toHaveLength(2)
  })

  test('lets one caller leave without ending the refresh for the others', async () => {
    const gate = deferred<Response>()
    const service = fakeService({ [me]: only(() => 'token-2'), [refresh]: () => gate.promise })
    const client = service.client({ token: 'token-1', refreshToken: 'refresh-1' })
    const leaving = new AbortController()

    const gone = client.users.me({ signal: leaving.signal })
    const stays = client.users.me()
    await vi.waitFor(() => expect(service.to(refresh)).toHaveLength(1))
    leaving.abort(new Error('had enough'))
    await expect(gone).rejects.toThrow('had enough')
    gate.resolve(json(tokens(2)))

    await expect(stays).resolves.toEqual({ id: 'me' })
  })

  test('begins with auth.login and ends with auth.logout', async () => {
    const service = fakeService({
      [login]: json(tokens(1)),
      'POST /api/auth/logout': new Response(null, { status: 204 }),
      [me]: json({}),
    })
    const client = service.client()

    await client.users.me()
    await client.auth.login(credentials)
    await client.users.me()
    await client.auth.logout()
    await client.users.me()

    expect(service.to(me).map(bearer)).toEqual([null, 'Bearer token-1', null])
  })

  test.each([
    ['auth.logoutAll', 'POST /api/auth/logout-all', (client: Client) => client.auth.logoutAll()],
    ['users.deleteMe', 'DELETE /api/users/me', (client: Client) => client.users.deleteMe()],
  ])('ends with %s', async (_, route, end) => {
    const service = fakeService({ [route]: new Response(null, { status: 204 }), [me]: json({}) })
    const client = service.client({ token: 'token-1', refreshToken: 'refresh-1' })

    await end(client)
    await client.users.me()

    expect(service.to(me).map(bearer)).toEqual([null])
  })

  test('is not revived by a refresh that was under way when somebody signed out', async () => {
    const gate = deferred<Response>()
    const service = fakeService({
      [me]: only(() => 'token-2'),
      [refresh]: () => gate.promise,
      'POST /api/auth/logout': new Response(null, { status: 204 }),
    })
    const onTokens = vi.fn()
    const client = service.client({ token: 'token-1', refreshToken: 'refresh-1', onTokens })

    const call = client.users.me().catch((error) => error.code)
    await vi.waitFor(() => expect(service.to(refresh)).toHaveLength(1))
    await client.auth.logout()
    gate.resolve(json(tokens(2)))
    expect(await call).toBe('unauthenticated')

    await client.users.me().catch(() => {})
    expect(bearer(service.to(me).at(-1)!)).toBeNull()
    expect(onTokens.mock.calls).toEqual([[undefined]])
  })

  test('has ended already when signing out is refused', async () => {
    const service = fakeService({ 'POST /api/auth/logout': problem(401, 'unauthenticated'), [me]: json({}) })
    const client = service.client({ token: 'token-1' })
    await client.auth.logout()
    await client.users.me()
    expect(bearer(service.to(me)[0]!)).toBeNull()
  })

  test('refreshes once for a call, however often that is repeated', async () => {
    const refusal = problem(401, 'unauthenticated')
    const service = fakeService({
      [me]: [refusal, problem(503, 'service_unavailable'), refusal],
      [refresh]: json(tokens(2)),
    })
    const call = service.client({ token: 'token-1', refreshToken: 'refresh-1' }).users.me()
    const outcome = expect(call).rejects.toMatchObject({ code: 'unauthenticated' })
    await vi.runAllTimersAsync()
    await outcome
    expect(service.to(refresh)).toHaveLength(1)
    expect(service.to(me)).toHaveLength(3)
  })
})

describe('other credentials', () => {
  test('an API key goes out as X-API-Key, and its refusal is final', async () => {
    const service = fakeService({ [me]: problem(401, 'unauthenticated') })

    await expect(service.client({ apiKey: 'fs_key' }).users.me()).rejects.toMatchObject({ code: 'unauthenticated' })

    expect(service.requests).toHaveLength(1)
    expect(service.requests[0]!.headers.get('x-api-key')).toBe('fs_key')
    expect(bearer(service.requests[0]!)).toBeNull()
  })

  test('a token function is asked before each call, and once more after a refusal', async () => {
    let token = 'old'
    const service = fakeService({ [me]: only(() => 'new') })
    const client = service.client({
      token: () => {
        const given = token
        token = 'new'
        return given
      },
    })

    await client.users.me()

    expect(service.to(me).map(bearer)).toEqual(['Bearer old', 'Bearer new'])
  })

  test('a key beside a session is refused', () => {
    expect(() => fakeService({}).client({ apiKey: 'fs_key', token: 't' })).toThrow(TypeError)
  })

  test('what needs no credentials gets none, and never signs in', async () => {
    const service = fakeService({
      'GET /livez': json({ status: 'ok' }),
      'GET /.well-known/jwks.json': json({ keys: [] }),
    })
    const client = service.client({ credentials })

    await client.system.live()
    await client.auth.jwks()

    expect(service.requests.map(bearer)).toEqual([null, null])
  })
})
