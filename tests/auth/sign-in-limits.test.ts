import { describe, expect, test } from 'vitest'
import { anonymous, auditLog } from '../../src/audit/audit-log.ts'
import { signInGate } from '../../src/auth/sign-in-gate.ts'
import { accountKey, networkOf, signInLimits } from '../../src/auth/sign-in-limits.ts'
import type { Sql } from '../../src/db/sql.ts'
import { holdOpen, untilBlocked } from '../support/jobs.ts'
import { auditOf, from, newEmail, password, register, signedIn } from '../support/people.ts'
import { startTestService } from '../support/service.ts'

const service = await startTestService()
const { sql } = service
const other = await startTestService({ databaseUrl: service.databaseUrl })

const wrong = { status: 401, code: 'invalid_credentials' }
const blocked = { status: 429, code: 'too_many_attempts' }

/** What an attempt came to: the error, or nothing. */
const attempt = (email: string, secret = 'another', client = service.client()) =>
  client.auth.login({ email, password: secret }).then(
    () => undefined,
    (error) => error,
  )

async function fail(email: string, times: number) {
  for (let n = 0; n < times; n++) expect(await attempt(email)).toMatchObject(wrong)
}

/** Makes every block end now. Tests move the block, not the clock. */
const endBlocks = () => sql`update sign_in_failures set blocked_until = now() where blocked_until is not null`

/** As if an account had failed so often already. Gives its counter. */
async function failed(email: string, times: number): Promise<string> {
  await fail(email, 1)
  const key = accountKey(email)
  await sql`update sign_in_failures set count = ${times} where key = ${key}`
  return key
}

/** Locked out, for longer than any test takes. */
async function lockOut(email: string): Promise<void> {
  await failed(email, 9)
  await fail(email, 1)
}

/** A lockout of 15 minutes, of which some seconds may be over. */
const lockout = { ...blocked, retryAfterSeconds: expect.closeTo(900, -2) }

const counterOf = async (key: string) =>
  (await sql<{ count: number }[]>`select count from sign_in_failures where key = ${key}`)[0]?.count

describe('an account', () => {
  test('bears five failures, and from then on a pause after each that grows, until it is a lockout', async () => {
    const email = newEmail()

    // In a transaction no time passes.
    const pauses = await sql.begin(async (tx) => {
      const limits = signInLimits(tx as unknown as Sql)
      const seen: unknown[] = []
      for (let n = 0; n < 12; n++) {
        await limits.attempt({ email })
        seen.push((await limits.attempt({ email }))?.retryAfterSeconds)
        await tx`update sign_in_failures set blocked_until = now() where key = ${accountKey(email)}`
        // Where there was no pause, the second attempt counted too.
        if (seen.at(-1) === undefined) await limits.takeBack({ email })
      }
      return seen
    })

    expect(pauses).toEqual([...Array(5).fill(undefined), 1, 2, 4, 8, 900, 900, 900])
  })

  test('lets nobody in while it is closed, the right password neither, and says the same where there is none', async () => {
    const [{ email }, nobody] = [await register(service), newEmail()]
    await lockOut(email)
    await lockOut(nobody)
    const shown = async (who: string) => {
      const error = await attempt(who, password)
      return {
        ...error,
        message: error.message.replace(/\d+/, 'some'),
        retryAfterSeconds: 0,
        detail: '',
        requestId: '',
        response: 0,
      }
    }

    expect(await attempt(email, password)).toMatchObject(lockout)
    expect(await shown(nobody)).toEqual(await shown(email))
  })

  test('counts a letter as the same in either case', async () => {
    const { email } = await register(service)
    await lockOut(email.toUpperCase())

    expect(await attempt(email, password)).toMatchObject(lockout)
  })

  test('opens again when the lockout is over', async () => {
    const { email } = await register(service)
    await lockOut(email)
    expect(await attempt(email, password)).toMatchObject(lockout)

    await endBlocks()

    expect(await attempt(email, password)).toBeUndefined()
  })

  test('begins anew after a success', async () => {
    const { email } = await register(service)
    await fail(email, 5)
    expect(await attempt(email, password)).toBeUndefined()

    await fail(email, 5)

    expect(await attempt(email, password)).toBeUndefined()
  })

  test('begins anew after a day', async () => {
    const { email } = await register(service)
    const key = await failed(email, 9)
    await sql`update sign_in_failures set expires_at = now() where key = ${key}`

    await fail(email, 1)

    expect(await counterOf(key)).toBe(1)
    expect(await attempt(email, password)).toBeUndefined()
  })

  test('counts an attempt before it looks at the password, so that many at once are no way around', async () => {
    const { email } = await register(service)
    const key = await failed(email, 9)
    const rival = await holdOpen(
      sql,
      (tx) => tx`
        update sign_in_failures set count = 10, blocked_until = now() + interval '15 minutes' where key = ${key}
      `,
    )

    const guess = attempt(email, password)
    await untilBlocked(sql)
    await rival.commit()

    expect(await guess).toMatchObject(blocked)
  })

  test('is closed in every process', async () => {
    const { email } = await register(service)
    await failed(email, 8)
    await endBlocks()
    expect(await attempt(email, 'another', other.client())).toMatchObject(wrong)
    await endBlocks()
    await fail(email, 1)

    expect(await attempt(email, password)).toMatchObject(lockout)
    expect(await attempt(email, password, other.client())).toMatchObject(lockout)
  })

  test('is not charged for an attempt at which nobody could look', async () => {
    const email = newEmail()
    const gate = signInGate({ sql, limits: signInLimits(sql), audit: auditLog(sql) })
    const tryIn = (work: () => Promise<undefined>) =>
      gate.pass({ email, address: undefined, actor: anonymous({}), userId: undefined }, work)
    await tryIn(async () => undefined)

    const broken = tryIn(async () => {
      throw new Error('The line is full.')
    })

    await expect(broken).rejects.toThrow('The line is full.')
    expect(await counterOf(accountKey(email))).toBe(1)
  })
})

describe('an address', () => {
  const [office, elsewhere] = ['203.0.113.7', '203.0.113.8']
  const key = `address:${office}`

  test('bears fifty failures, with whatever accounts, and then a lockout', async () => {
    const { email } = await register(service)
    expect(await attempt(newEmail(), 'another', from(service, office))).toMatchObject(wrong)
    await sql`update sign_in_failures set count = 48 where key = ${key}`

    expect(await attempt(newEmail(), 'another', from(service, office))).toMatchObject(wrong)
    expect(await attempt(newEmail(), 'another', from(service, office))).toMatchObject(wrong)

    expect(await attempt(email, password, from(service, office))).toMatchObject(lockout)
    expect(await attempt(email, password, from(service, elsewhere))).toBeUndefined()
  })

  test('gets back an attempt that was right, and what its lockout refuses costs the account nothing', async () => {
    const { email } = await register(service)
    const accountKey = await failed(email, 2)
    await sql`update sign_in_failures set count = 49, blocked_until = null where key = ${key}`
    expect(await attempt(email, password, from(service, office))).toBeUndefined()
    expect(await counterOf(key)).toBe(49)

    await failed(email, 2)
    await sql`update sign_in_failures set blocked_until = now() + interval '1 minute' where key = ${key}`
    expect(await attempt(email, password, from(service, office))).toMatchObject(blocked)

    expect(await counterOf(accountKey)).toBe(2)
  })

  test('is not charged for what the lockout of an account refuses', async () => {
    const email = newEmail()
    const before = await counterOf(`address:${elsewhere}`)
    await lockOut(email)

    expect(await attempt(email, 'another', from(service, elsewhere))).toMatchObject(lockout)

    expect(await counterOf(`address:${elsewhere}`)).toBe(before ?? 0)
  })

  test.each([
    ['2001:db8:0:7:1::1', '2001:db8:0:7::/64'],
    ['2001:0DB8::7', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['203.0.113.7', '203.0.113.7'],
  ])('%s counts as %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})

describe('the audit log', () => {
  test('hears of each failure, and once of each block, but not what was typed', async () => {
    const { id, email } = await register(service)
    await lockOut(email)
    await attempt(email, 'typed-by-mistake')
    await attempt(email, 'typed-by-mistake')
    await endBlocks()
    await fail(email, 1)
    await attempt(email, 'typed-by-mistake')

    const [failure, block] = ['sign_in_failed', 'sign_in_blocked']
    expect(await auditOf(service, id)).toEqual(['registered', failure, failure, block, failure, block])
    expect(JSON.stringify(await sql`select * from audit_events`)).not.toContain('typed-by-mistake')
  })

  test('names nobody where there is no account', async () => {
    const email = newEmail()
    await attempt(email, 'another', from(service, '198.51.100.9'))

    const rows = await sql`select * from audit_events where address = '198.51.100.9'`

    expect(rows).toMatchObject([{ action: 'sign_in_failed', actorKind: 'anonymous', actorId: null, userId: null }])
    expect(JSON.stringify(rows)).not.toContain(email)
  })

  test('hears of signing in, and from where', async () => {
    const { id, email } = await register(service)
    await from(service, '198.51.100.10').auth.login({ email, password })

    expect(await sql`select * from audit_events where address = '198.51.100.10'`).toMatchObject([
      { action: 'signed_in', actorKind: 'session', actorId: id, userId: id },
    ])
  })
})

describe('login', () => {
  test('starts no session by a password that was replaced while it was compared', async () => {
    const { id, email } = await register(service)
    const replacing = await holdOpen(sql, (tx) => tx`update users set password_hash = 'another' where id = ${id}`)

    const login = attempt(email, password)
    await untilBlocked(sql)
    await replacing.commit()

    expect(await login).toMatchObject(wrong)
    expect(await sql`select from sessions where user_id = ${id}`).toHaveLength(0)
  })
})

describe('purge sign-in failures', () => {
  test('forgets counters that have outlived their day, a batch at a time, and no block that is on', async () => {
    await sql`delete from sign_in_failures`
    await sql`
      insert into sign_in_failures (key, count, expires_at)
      select 'old:' || n, 1, now() - interval '1 minute' from generate_series(1, 1001) n
    `
    await sql`
      insert into sign_in_failures (key, count, expires_at, blocked_until)
      values
        ('young', 1, now() + interval '1 minute', null),
        ('blocked', 10, now() - interval '1 minute', now() + interval '1 minute')
    `

    expect(await service.chores['purge sign-in failures']()).toBe(true)
    expect(await service.chores['purge sign-in failures']()).toBe(false)

    expect(await sql`select key from sign_in_failures order by key`).toEqual([{ key: 'blocked' }, { key: 'young' }])
  })
})

test('a blocked account keeps nobody out who is in already', async () => {
  const { email } = await register(service)
  const { client, refreshToken } = await signedIn(service, email)
  await lockOut(email)

  expect(await client.users.me()).toMatchObject({ email })
  await expect(service.client().auth.refresh(refreshToken)).resolves.toHaveProperty('token')
})
