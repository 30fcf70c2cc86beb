import { describe, expect, test } from 'vitest'
import { auditOf, from, password, register, signedIn } from '../support/people.ts'
import { startTestService } from '../support/service.ts'

const service = await startTestService()
const { sql } = service

const isOver = { status: 401 }

describe('listSessions', () => {
  test('shows where I am signed in, newest first, and which one this is', async () => {
    const { email } = await register(service)
    const phone = from(service, '203.0.113.7', { credentials: { email, password } })
    await phone.auth.login({ email, password })
    const { client } = await signedIn(service, email)

    const { items } = await client.users.listSessions()

    expect(items).toMatchObject([{ isCurrent: true }, { isCurrent: false, address: '203.0.113.7' }])
    expect((await phone.users.listSessions()).items.map(({ isCurrent }) => isCurrent)).toEqual([false, true])
  })

  test('shows what the program called itself, shortened', async () => {
    const { email } = await register(service)
    await service.send('/api/auth/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': `Reef/1.0 ${'x'.repeat(500)}` },
      body: JSON.stringify({ email, password }),
    })
    const { client } = await signedIn(service, email)

    const { items } = await client.users.listSessions()

    expect(items[1]!.userAgent).toMatch(/^Reef\/1\.0 x{191}$/)
  })

  test('goes page by page, and shows no session of others and none that is over', async () => {
    const [{ email }, ben] = [await register(service), await service.person()]
    const sessions = []
    for (let n = 0; n < 4; n++) sessions.push(await signedIn(service, email))
    const [gone, expired, , here] = sessions
    await gone!.client.auth.logout()
    const ids = (await Array.fromAsync(here!.client.users.listAllSessions({ limit: 1 }))).map(({ id }) => id)
    expect(ids).toHaveLength(3)
    const [{ id }] = (await expired!.client.users.listSessions()).items.filter(
      ({ isCurrent }) => isCurrent,
    ) as unknown as [{ id: string }]
    await sql`update sessions set expires_at = now() where id = ${id}`

    expect((await here!.client.users.listSessions()).items.map((session) => session.id)).toEqual(
      ids.filter((one) => one !== id),
    )
    expect((await ben.client.users.listSessions()).items).toMatchObject([{ isCurrent: true }])
  })

  test('tells when a session was last used, which is when it was refreshed', async () => {
    const { email } = await register(service)
    const { refreshToken, client } = await signedIn(service, email)
    const [before] = (await client.users.listSessions()).items
    await sql`update sessions set last_used_at = last_used_at - interval '1 hour' where id = ${before!.id}`
    const [old] = (await client.users.listSessions()).items

    await service.client().auth.refresh(refreshToken)

    const [after] = (await client.users.listSessions()).items
    expect(Date.parse(old!.lastUsedAt)).toBeLessThan(Date.parse(before!.lastUsedAt))
    expect(Date.parse(after!.lastUsedAt)).toBeGreaterThanOrEqual(Date.parse(before!.lastUsedAt))
  })
})

describe('deleteSession', () => {
  test('ends one of my sessions at once, and no other', async () => {
    const { id: userId, email } = await register(service)
    const [here, lost] = [await signedIn(service, email), await signedIn(service, email)]
    await lost.client.users.me()
    const [{ id }] = (await lost.client.users.listSessions()).items as unknown as [{ id: string }]

    await here.client.users.deleteSession(id)

    await expect(lost.client.users.me()).rejects.toMatchObject(isOver)
    await expect(service.client().auth.refresh(lost.refreshToken)).rejects.toMatchObject(isOver)
    expect(await here.client.users.me()).toMatchObject({ email })
    expect((await auditOf(service, userId)).at(-1)).toBe('session_ended')
  })

  test("does not find one that is somebody else's, or over", async () => {
    const [ana, ben] = [await service.person('ADMIN'), await service.person()]
    const [{ id }] = (await ben.client.users.listSessions()).items as unknown as [{ id: string }]
    const notFound = { status: 404, code: 'session_not_found' }

    await expect(ana.client.users.deleteSession(id)).rejects.toMatchObject(notFound)

    expect(await ben.client.users.me()).toMatchObject({ id: ben.id })
    await ben.client.users.deleteSession(id)
    await expect(ana.client.users.deleteSession(id)).rejects.toMatchObject(notFound)
  })
})

describe('logoutAll', () => {
  test('ends all my sessions at once, and leaves keys and other people', async () => {
    const [{ id, email }, ben] = [await register(service), await service.person()]
    const [here, elsewhere] = [await signedIn(service, email), await signedIn(service, email)]
    const { key } = await here.client.users.createApiKey({ name: 'Reader', scopes: ['jobs:read'] })
    await elsewhere.client.users.me()

    await here.client.auth.logoutAll()

    for (const { token, refreshToken } of [here, elsewhere]) {
      await expect(service.client({ token }).users.me()).rejects.toMatchObject(isOver)
      await expect(service.client().auth.refresh(refreshToken)).rejects.toMatchObject(isOver)
    }
    expect((await service.client({ apiKey: key }).jobs.list()).items).toEqual([])
    expect(await ben.client.users.me()).toMatchObject({ id: ben.id })
    expect((await auditOf(service, id)).at(-1)).toBe('signed_out_everywhere')
  })
})

describe('the audit log', () => {
  test('hears of signing out, and of a refresh token that is used again', async () => {
    const { id, email } = await register(service)
    const [first, second] = [await signedIn(service, email), await signedIn(service, email)]
    await first.client.auth.logout()
    await service.client().auth.refresh(second.refreshToken)
    await sql`update refresh_tokens set used_at = used_at - interval '31 seconds' where used_at is not null`

    for (let n = 0; n < 2; n++)
      await expect(service.client().auth.refresh(second.refreshToken)).rejects.toMatchObject(isOver)

    expect((await auditOf(service, id)).slice(3)).toEqual(['signed_out', 'refresh_token_reused'])
  })
})
