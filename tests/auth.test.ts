import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { accessTokens, generateSigningKey } from '../src/auth/access-tokens.ts'
import { hashPassword, verifyPassword } from '../src/auth/passwords.ts'
import { startTestService } from './support/service.ts'

const service = await startTestService()
const { sql } = service
const password = 'slow-tides-carry-sand'
let people = 0
const newEmail = () => `person-${++people}@reef.example`

async function registered() {
  const email = newEmail()
  await service.client().auth.register({ email, password })
  return email
}
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

describe('register', () => {
  test('makes an account with the role USER', async () => {
    const email = newEmail()

    const { userId } = await service.client().auth.register({ email, password, name: 'Ana Torres' })

    const { user } = await service.client({ credentials: { email, password } }).auth.profile()
    expect(user).toMatchObject({ id: userId, email, name: 'Ana Torres', roles: ['USER'] })
  })

  test('refuses an email that is taken, in whatever case', async () => {
    const email = await registered()

    const refusal = service.client().auth.register({ email: email.toUpperCase(), password })

    await expect(refusal).rejects.toMatchObject({ status: 400, code: 'email_taken', detail: 'User already exists' })
  })

  test('refuses a short password', async () => {
    const refusal = service.client().auth.register({ email: newEmail(), password: 'eleven-char' })

    await expect(refusal).rejects.toMatchObject({ status: 400, errors: [{ pointer: '/password' }] })
  })

  test('is closed where the service says so', async () => {
    const closed = await startTestService({ isRegistrationOpen: false })

    await expect(closed.client().auth.register({ email: newEmail(), password })).rejects.toMatchObject({
      code: 'registration_closed',
    })
  })
})

describe('login', () => {
  test('gives an RS256 token for an hour that names person, session and key', async () => {
    const email = await registered()

    const { token, expiresIn } = await service.client().auth.login({ email, password })

    expect(expiresIn).toBe(3600)
    expect(decodeProtectedHeader(token)).toMatchObject({
      alg: 'RS256',
      kid: (await service.client().auth.jwks()).keys[0]!.kid,
    })
    const { sub, sid, exp, iat } = decodeJwt(token)
    expect([typeof sub, typeof sid, exp! - iat!]).toEqual(['string', 'string', 3600])
  })

  test('says the same of a wrong password and of an account that is not there, after the same work', async () => {
    const email = await registered()
    const refusal = { status: 401, code: 'invalid_credentials', detail: 'Invalid credentials' }

    await expect(service.client().auth.login({ email, password: 'wrong' })).rejects.toMatchObject(refusal)
    await expect(service.client().auth.login({ email: newEmail(), password })).rejects.toMatchObject(refusal)
    // What takes the time is the hash: it is made without an account too.
    const spent = async (phc: string | undefined) => {
      const before = process.cpuUsage()
      await verifyPassword(password, phc)
      return process.cpuUsage(before).user
    }
    expect(await spent(undefined)).toBeGreaterThan((await spent(await hashPassword(password))) / 4)
  })
})

describe('a flood of logins', () => {
  test('is turned away at the end of the line, with a word on when to come back', async () => {
    const logins = Array.from({ length: 130 }, () =>
      service
        .client()
        .auth.login({ email: newEmail(), password })
        .catch((error) => error),
    )

    const codes = (await Promise.all(logins)).map(({ code }) => code)

    expect(codes.filter((code) => code === 'service_unavailable').length).toBeGreaterThan(0)
    expect(codes.filter((code) => code === 'invalid_credentials').length).toBeGreaterThan(90)
  })
})

describe('refreshToken', () => {
  test('gives new tokens, and the old one is used up', async () => {
    const email = await registered()
    const first = await service.client().auth.login({ email, password })

    const second = await service.client().auth.refresh(first.refreshToken)
    const third = await service.client().auth.refresh(second.refreshToken)

    expect(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size).toBe(3)
    expect((await service.client({ token: third.token }).auth.profile()).user.email).toBe(email)
  })

  test('gives the same successor to a repetition within 30 seconds, also at the same time', async () => {
    const { refreshToken } = await service.client().auth.login({ email: await registered(), password })

    const answers = await Promise.all([1, 2, 3].map(() => service.client().auth.refresh(refreshToken)))

    expect(new Set(answers.map((tokens) => tokens.refreshToken)).size).toBe(1)
  })

  test('ends the session when a token is used again later', async () => {
    const { refreshToken } = await service.client().auth.login({ email: await registered(), password })
    const second = await service.client().auth.refresh(refreshToken)
    await service.client({ token: second.token }).auth.profile()
    await sql`update refresh_tokens set used_at = used_at - interval '31 seconds' where used_at is not null`

    const refusal = { status: 401, code: 'invalid_refresh_token' }
    await expect(service.client().auth.refresh(refreshToken)).rejects.toMatchObject(refusal)

    await expect(service.client().auth.refresh(second.refreshToken)).rejects.toMatchObject(refusal)
    await expect(service.client({ token: second.token }).auth.profile()).rejects.toMatchObject({ status: 401 })
  })

  test('keeps no token as it is', async () => {
    const { refreshToken } = await service.client().auth.login({ email: await registered(), password })

    const rows = await sql`select token_hash from refresh_tokens`

    expect(JSON.stringify(rows)).not.toContain(refreshToken)
    await expect(service.client().auth.refresh('fsr_bogus')).rejects.toMatchObject({ code: 'invalid_refresh_token' })
  })
})

describe('logout', () => {
  test('ends the session: its token and its refresh token open nothing', async () => {
    const tokens = await service.client().auth.login({ email: await registered(), password })
    const client = service.client({ token: tokens.token })
    await client.auth.profile()

    await service.send('/api/auth/logout', { method: 'POST', ...bearer(tokens.token) })

    expect((await service.send('/api/auth/profile', bearer(tokens.token))).status).toBe(401)
    await expect(service.client().auth.refresh(tokens.refreshToken)).rejects.toMatchObject({
      code: 'invalid_refresh_token',
    })
  })
})

describe('an access token', () => {
  test('is refused when anything about it is wrong', async () => {
    const { token } = await service.client().auth.login({ email: await registered(), password })
    const { sub, sid } = decodeJwt(token)
    const forged = await accessTokens(generateSigningKey())
    const [, payload] = token.split('.')
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
    const modulus = new TextEncoder().encode(JSON.stringify((await service.client().auth.jwks()).keys[0]))
    const confused = await new SignJWT({ sid })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(sub!)
      .setExpirationTime('1h')
      .sign(modulus)

    for (const bad of [await forged.sign(sub!, String(sid)), none, confused, token.slice(0, -4), 'x', 'a.b.c']) {
      const response = await service.send('/api/auth/profile', bearer(bad))
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toBe('Bearer')
    }
  })

  test('still counts while its key is on the way out', async () => {
    const [old, fresh] = [generateSigningKey(), generateSigningKey()]
    const before = await accessTokens(old)
    const during = await accessTokens(`${fresh}\n${old}`)
    const after = await accessTokens(fresh)
    const token = await before.sign('ana', 'session')

    expect(await during.verify(token)).toMatchObject({ userId: 'ana' })
    expect(await after.verify(token)).toBeUndefined()
    expect(decodeProtectedHeader(await during.sign('ana', 'session')).kid).toBe(after.jwks.keys[0]!.kid)
    expect(during.jwks.keys).toHaveLength(2)
  })

  test('gives the roles that the database has', async () => {
    const ana = await service.person()
    expect((await ana.client.auth.profile()).user.roles).toEqual(['USER'])

    await sql`update users set roles = '{USER,ADMIN}' where id = ${ana.id}`

    expect((await ana.client.auth.profile()).user.roles).toEqual(['USER', 'ADMIN'])
  })
})

describe('createApiKey', () => {
  test('shows the key once and keeps a hash', async () => {
    const ana = await service.person()

    const { key, id, prefix } = await ana.client.users.createApiKey({ name: 'Reader', scopes: ['jobs:read'] })

    expect(key).toMatch(/^fs_[\w-]{43}$/)
    expect(key.startsWith(prefix)).toBe(true)
    expect((await ana.client.users.listApiKeys()).items).toMatchObject([{ id, name: 'Reader' }])
    expect(JSON.stringify(await sql`select * from api_keys`)).not.toContain(key)
    for (const header of [
      ['x-api-key', key],
      ['authorization', `Bearer ${key}`],
    ] satisfies [string, string][]) {
      expect((await service.send('/api/jobs', { headers: [header] })).status).toBe(200)
    }
  })

  test('keeps the scope jobs:work to workers and admins', async () => {
    const [ana, worker] = [await service.person(), await service.person('WORKER')]

    await expect(ana.client.users.createApiKey({ name: 'x', scopes: ['jobs:work'] })).rejects.toMatchObject({
      status: 403,
    })
    await expect(worker.client.users.createApiKey({ name: 'x', scopes: ['jobs:work'] })).resolves.toHaveProperty('key')
  })

  test('gives nobody more than the scopes name, admins included', async () => {
    const [admin, ana] = [await service.person('ADMIN'), await service.person()]
    const { jobId } = await ana.client.jobs.create({ type: 'TEST', inputPayload: { id: 1 } })
    const { key } = await admin.client.users.createApiKey({ name: 'Reader', scopes: ['jobs:read'] })
    const reader = service.client({ apiKey: key })

    await expect(reader.jobs.get(jobId)).rejects.toMatchObject({ code: 'job_not_found' })
    await expect(reader.jobs.cancel(jobId)).rejects.toMatchObject({ code: 'insufficient_scope' })
    await expect(reader.worker.poll()).rejects.toMatchObject({ code: 'insufficient_scope' })
    await expect(reader.users.createApiKey({ name: 'x', scopes: ['jobs:work'] })).rejects.toMatchObject({
      code: 'forbidden',
    })
    await expect(reader.auth.logout()).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('stops a worker whose owner is a worker no more', async () => {
    const worker = await service.worker()
    await sql`update users set roles = '{USER}' where id = ${worker.id}`

    await expect(worker.client.worker.poll()).rejects.toMatchObject({ status: 403 })
  })

  test('refuses an expiry that no calendar has', async () => {
    const ana = await service.person()
    const creating = ana.client.users.createApiKey({
      name: 'x',
      scopes: ['jobs:read'],
      expiresAt: '9999-12-31T23:59:59-01:00',
    })

    await expect(creating).rejects.toMatchObject({ errors: [{ pointer: '/expiresAt' }] })
  })

  test('refuses an expiry in the past, and an expired key', async () => {
    const ana = await service.person()
    const past = ana.client.users.createApiKey({ name: 'x', scopes: ['jobs:read'], expiresAt: '2020-01-01T00:00:00Z' })
    await expect(past).rejects.toMatchObject({ errors: [{ pointer: '/expiresAt' }] })
    const { key, id } = await ana.client.users.createApiKey({
      name: 'x',
      scopes: ['jobs:read'],
      expiresAt: '2999-01-01T00:00:00Z',
    })
    await sql`update api_keys set expires_at = now() where id = ${id}`

    await expect(service.client({ apiKey: key }).jobs.list()).rejects.toMatchObject({ status: 401 })
  })
})

describe('an API key that expires', () => {
  test('is remembered no longer than it lives', async () => {
    const ana = await service.person()
    const { key, id } = await ana.client.users.createApiKey({ name: 'x', scopes: ['jobs:read'] })
    const client = service.client({ apiKey: key })
    await sql`update api_keys set expires_at = now() + interval '20 seconds' where id = ${id}`
    await client.jobs.list()
    await sql`update api_keys set expires_at = now() where id = ${id}`

    // Remembered: nobody looks into the database.
    await client.jobs.list()
    const now = performance.now.bind(performance)
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 21_000)
    onTestFinished(() => clock.mockRestore())

    await expect(client.jobs.list()).rejects.toMatchObject({ status: 401 })
  })
})

describe('deleteApiKey', () => {
  test('closes the key at once, and is for its owner', async () => {
    const [ana, ben] = [await service.person(), await service.person()]
    const { key, id } = await ana.client.users.createApiKey({ name: 'x', scopes: ['jobs:read'] })
    const client = service.client({ apiKey: key })
    await client.jobs.list()
    await expect(ben.client.users.deleteApiKey(id)).rejects.toMatchObject({ status: 404, code: 'api_key_not_found' })

    await ana.client.users.deleteApiKey(id)

    await expect(client.jobs.list()).rejects.toMatchObject({ status: 401 })
    expect((await ana.client.users.listApiKeys()).items).toEqual([])
  })
})

describe('updateMe', () => {
  test('changes the name', async () => {
    const ana = await service.person()

    expect(await ana.client.users.updateMe({ name: 'Ana' })).toMatchObject({ id: ana.id, name: 'Ana' })
    expect(await ana.client.users.me()).toMatchObject({ name: 'Ana' })
  })

  test('changes nothing else', async () => {
    const ana = await service.person()

    await expect(ana.client.users.updateMe({ name: 'Ana', roles: ['ADMIN'] } as never)).rejects.toMatchObject({
      errors: [{ pointer: '/roles' }],
    })
  })
})

test('no secret reaches the log', async () => {
  const email = await registered()
  const { token, refreshToken } = await service.client().auth.login({ email, password })
  const { key } = await service.client({ token }).users.createApiKey({ name: 'x', scopes: ['jobs:read'] })
  await service.client({ apiKey: key }).jobs.list()
  await service
    .client()
    .auth.login({ email, password: 'another-wrong-password' })
    .catch(() => {})

  const lines = JSON.stringify(service.log.lines)

  for (const secret of [password, token, refreshToken, key, 'another-wrong-password'])
    expect(lines).not.toContain(secret)
})
