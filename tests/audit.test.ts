import { v7 as uuid } from 'uuid'
import { describe, expect, test } from 'vitest'
import { type AuditEntry, auditLog } from '../src/audit/audit-log.ts'
import { startTestService } from './support/service.ts'

const service = await startTestService()
const { sql } = service
const admin = await service.person('ADMIN')
const { client } = admin
const log = auditLog(sql)

/** Something that happened to somebody whom nothing else has happened to. */
async function happen(entries: Partial<AuditEntry>[]): Promise<string> {
  const userId = uuid()
  for (const entry of entries) await log.record({ action: 'signed_in', actor: { kind: 'anonymous' }, userId, ...entry })
  return userId
}

const actions = async (query: Parameters<typeof client.admin.audit>[0]) =>
  (await client.admin.audit(query)).items.map(({ action }) => action)

describe('listAuditEvents', () => {
  test('tells who did what to whom, and from where', async () => {
    const [actorId, userId] = [uuid(), uuid()]
    const actor = {
      kind: 'session',
      userId: actorId,
      address: '203.0.113.7',
      requestId: 'r-1',
      userAgent: 'a',
    } as const
    const details = { before: ['USER'], after: ['USER', 'WORKER'] }
    await log.record({ action: 'roles_changed', actor, userId, details })

    expect((await client.admin.audit({ userId })).items).toEqual([
      {
        id: expect.any(String),
        action: 'roles_changed',
        occurredAt: expect.stringMatching(/^\d{4}-.*Z$/),
        actorKind: 'session',
        actorId,
        userId,
        address: '203.0.113.7',
        requestId: 'r-1',
        details,
      },
    ])
  })

  test('leaves out what is not known', async () => {
    const userId = await happen([{}])

    const [event] = (await client.admin.audit({ userId })).items

    expect(Object.keys(event!).sort()).toEqual(['action', 'actorKind', 'id', 'occurredAt', 'userId'])
  })

  test('goes by action, by who did it, and by whom it was done to, together if need be', async () => {
    const actor = { kind: 'session', userId: uuid() } as const
    const userId = await happen([{}, { action: 'signed_out', actor }, { action: 'password_changed', actor }])
    await happen([{ action: 'signed_out' }])

    expect(await actions({ userId })).toEqual(['password_changed', 'signed_out', 'signed_in'])
    expect(await actions({ actorId: actor.userId })).toEqual(['password_changed', 'signed_out'])
    expect(await actions({ userId, action: 'signed_out' })).toEqual(['signed_out'])
    expect(await actions({ userId: uuid(), action: 'signed_out' })).toEqual([])
  })

  test('comes in pages, newest first', async () => {
    const userId = await happen([{}, { action: 'signed_out' }, { action: 'password_changed' }])

    const first = await client.admin.audit({ userId, limit: 2 })
    const second = await client.admin.audit({ userId, limit: 2, cursor: first.nextCursor! })

    expect(first.items.map(({ action }) => action)).toEqual(['password_changed', 'signed_out'])
    expect(second).toEqual({ items: [expect.objectContaining({ action: 'signed_in' })] })
    const all = await Array.fromAsync(client.admin.auditAll({ userId, limit: 1 }), ({ action }) => action)
    expect(all).toEqual(['password_changed', 'signed_out', 'signed_in'])
  })

  test('goes by time: after and before an instant, which belongs to neither', async () => {
    const userId = uuid()
    for (const at of ['2026-03-02T10:00:00.000900Z', '2026-03-02T11:00:00.000900Z', '2026-03-02T12:00:00.000900Z']) {
      await sql`
        insert into audit_events (id, action, occurred_at, actor_kind, user_id)
        values (${uuid({ msecs: Date.parse(at) })}, 'signed_in', ${at}::text::timestamptz, 'anonymous', ${userId})
      `
    }
    const hours = async (query: { after?: string; before?: string }) =>
      (await client.admin.audit({ userId, ...query })).items.map(({ occurredAt }) => occurredAt.slice(11, 13))
    const eleven = '2026-03-02T11:00:00.000Z'

    expect(await hours({})).toEqual(['12', '11', '10'])
    expect(await hours({ after: eleven })).toEqual(['12'])
    expect(await hours({ before: eleven })).toEqual(['10'])
    expect(await hours({ after: '2026-03-02T20:30:00+10:00', before: '2026-03-02T11:30:00Z' })).toEqual(['11'])
    expect(await hours({ after: '2027-01-01T00:00:00Z' })).toEqual([])
    expect(await hours({ before: '0001-01-01T00:00:00Z' })).toEqual([])
    expect(await hours({ after: '0001-01-01T00:00:00Z', before: '9999-12-31T23:59:59Z' })).toEqual(['12', '11', '10'])
  })

  test('finds what a clock that is an hour off has written', async () => {
    const userId = uuid()
    const at = '2026-03-02T11:00:00.000Z'
    for (const off of [-3_600_000, 3_600_000])
      await sql`
        insert into audit_events (id, action, occurred_at, actor_kind, user_id)
        values (${uuid({ msecs: Date.parse(at) + off })}, 'signed_in', ${at}, 'anonymous', ${userId})
      `

    const { items } = await client.admin.audit({
      userId,
      after: '2026-03-02T10:59:00Z',
      before: '2026-03-02T11:01:00Z',
    })

    expect(items).toHaveLength(2)
  })

  test('is for admins, and for no key of theirs', async () => {
    const [user, worker] = [await service.person(), await service.person('WORKER')]
    const { key } = await client.users.createApiKey({ name: 'All', scopes: ['jobs:read', 'email:send'] })

    for (const other of [user.client, worker.client, service.client({ apiKey: key })])
      await expect(other.admin.audit()).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('instants that PostgreSQL cannot hold', () => {
  test.each(['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59', '0000-01-01T00:00:00+23:59'])(
    'are as far away as it goes: %s',
    async (instant) => {
      const userId = await happen([{}])
      const isPast = instant.startsWith('0000')

      expect(await actions({ userId, after: instant })).toHaveLength(isPast ? 1 : 0)
      expect(await actions({ userId, before: instant })).toHaveLength(isPast ? 0 : 1)
    },
  )
})

describe('an API key', () => {
  test('is on record when it is made and when it is taken away, by its id', async () => {
    const ana = await service.person()
    const { id, key } = await ana.client.users.createApiKey({ name: 'My boat', scopes: ['jobs:read'] })
    await ana.client.users.deleteApiKey(id)

    const { items } = await client.admin.audit({ userId: ana.id })

    expect(items).toMatchObject([
      { action: 'api_key_revoked', actorKind: 'session', actorId: ana.id, details: { apiKeyId: id } },
      {
        action: 'api_key_created',
        actorKind: 'session',
        actorId: ana.id,
        details: { apiKeyId: id, scopes: ['jobs:read'] },
      },
    ])
    for (const secret of [key, 'My boat']) expect(JSON.stringify(items)).not.toContain(secret)
  })

  test('leaves no record when it is refused, or is not there to be taken away', async () => {
    const ana = await service.person()

    await expect(ana.client.users.createApiKey({ name: 'x', scopes: ['email:send'] })).rejects.toMatchObject({
      status: 403,
    })
    await expect(ana.client.users.deleteApiKey(uuid())).rejects.toMatchObject({ code: 'api_key_not_found' })

    expect((await client.admin.audit({ userId: ana.id })).items).toEqual([])
  })

  test('that the service adopts is on record once', async () => {
    const { id: userId } = await service.person('WORKER')
    const key = `fs_${uuid()}`

    await service.apiKeys.adopt(userId, key, 'Local worker', ['jobs:work'])
    await service.apiKeys.adopt(userId, key, 'Local worker', ['jobs:work'])

    const { items } = await client.admin.audit({ userId })
    expect(items).toMatchObject([
      { action: 'api_key_created', actorKind: 'system', details: { scopes: ['jobs:work'] } },
    ])
  })
})

describe('the record', () => {
  test.each([
    ['changed', () => sql`update audit_events set action = 'signed_out'`],
    ['thinned', () => sql`delete from audit_events where occurred_at < now() - interval '10 years'`],
    ['emptied', () => sql`truncate audit_events`],
  ])('cannot be %s', async (_, change) => {
    const userId = await happen([{}])

    await expect(change()).rejects.toThrow('audit_events is append-only')

    expect(await actions({ userId })).toEqual(['signed_in'])
  })

  test('outlives those whom it is about', async () => {
    const ana = await service.person()
    await log.record({ action: 'signed_in', actor: { kind: 'session', userId: ana.id }, userId: ana.id })

    await sql`delete from sessions where user_id = ${ana.id}`
    await sql`delete from users where id = ${ana.id}`

    expect(await actions({ userId: ana.id })).toEqual(['signed_in'])
  })
})
