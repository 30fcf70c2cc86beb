import { afterEach, describe, expect, test, vi } from 'vitest'
import { auditLog } from '../../src/audit/audit-log.ts'
import { passwordResets } from '../../src/auth/password-resets.ts'
import { faultOf } from '../../src/auth/password-rules.ts'
import { recoveryService } from '../../src/auth/recovery-service.ts'
import { accountKey, signInLimits } from '../../src/auth/sign-in-limits.ts'
import { outboxStore } from '../../src/mail/outbox-store.ts'
import { firstAccounts } from '../../src/users/first-accounts.ts'
import { userStore } from '../../src/users/user-store.ts'
import { holdOpen, untilBlocked } from '../support/jobs.ts'
import { auditOf, from, mailedToken, newEmail, otherPassword, password, register, signedIn } from '../support/people.ts'
import { memoryLog, startTestService } from '../support/service.ts'

const service = await startTestService()
const { sql } = service
const resets = passwordResets(sql)

afterEach(() => vi.restoreAllMocks())

const login = (email: string, secret: string) => service.client().auth.login({ email, password: secret })
const refused = { status: 400, code: 'invalid_reset_token' }

/** As after ten failures. */
async function lockOut(email: string): Promise<void> {
  await expect(login(email, 'another')).rejects.toMatchObject({ code: 'invalid_credentials' })
  await sql`
    update sign_in_failures
    set count = 10, blocked_until = now() + interval '15 minutes'
    where key = ${accountKey(email)}
  `
}

/** How many mails of this kind a person was sent, or will be. */
async function mailsTo(userId: string, template = 'recovery'): Promise<number> {
  const rows = await sql`select from mails where user_id = ${userId} and template = ${template}`
  return rows.length
}

describe('a password', () => {
  const email = 'ana.torres@reef.example'

  test.each([
    ['qwerty123456', 'is common'],
    ['QWERTY123456', 'is common, in other letters'],
    ['password1234!', 'is common, with what is no letter around it'],
    ['!!dragon2024!', 'is common, with what is no letter around it'],
    ['sunshinesunshine', 'is a common one twice'],
    ['aaaaaaaaaaaaaaaa', 'is one letter'],
    ['abc1abc1abc1', 'is a refrain'],
    [email, 'is the email'],
    ['ana.torres-2026', 'is the name in the email'],
    ['Ana.TorresAna.Torres!', 'is the name in the email, twice'],
    ['eleven-char', 'is short'],
    ['x'.repeat(150) + 'y'.repeat(51), 'is long'],
  ])('%s will not do: it %s', async (secret) => {
    expect(await faultOf(secret, email)).toBeTypeOf('string')
  })

  test.each([password, otherPassword, 'ana.torres likes rain', 'sunshine over the reef', '🐠🐟🐡🐠🦀🐙🐟🐡🐠🦀🐬🐳'])(
    '%s will do',
    async (secret) => {
      expect(await faultOf(secret, email)).toBeUndefined()
    },
  )

  test('that is common is refused wherever one is chosen', async () => {
    const common = 'qwerty123456'
    const [admin, { email: mine }] = [await service.person('ADMIN'), await register(service)]
    const { client } = await signedIn(service, mine)
    const { id } = await client.users.me()
    const token = await resets.issue(id)
    const at = (pointer: string) => ({ status: 400, code: 'invalid_request', errors: [{ pointer }] })

    const { auth } = service.client()
    await expect(auth.register({ email: newEmail(), password: common })).rejects.toMatchObject(at('/password'))
    await expect(admin.client.users.create({ email: newEmail(), password: common })).rejects.toMatchObject(
      at('/password'),
    )
    await expect(auth.resetPassword({ token, password: common })).rejects.toMatchObject(at('/password'))
    await expect(client.users.changePassword({ currentPassword: password, newPassword: common })).rejects.toMatchObject(
      at('/newPassword'),
    )

    // The link is as good as before.
    await auth.resetPassword({ token, password: otherPassword })
  })
})

describe('recoverPassword', () => {
  test('mails a link, and keeps its token nowhere', async () => {
    const { id, email } = await register(service)

    await service.client().auth.recoverPassword(email.toUpperCase())

    const token = await mailedToken(service, email)
    expect(token).toMatch(/^fsp_[\w-]{43}$/)
    const tables = [await sql`select * from password_resets`, await sql`select * from mails`]
    expect(JSON.stringify([...tables, service.log.lines])).not.toContain(token)
    expect(await auditOf(service, id)).toEqual(['registered', 'recovery_requested'])
  })

  test('answers the same for somebody who is not there', async () => {
    const { email } = await register(service)
    const ask = (who: string) =>
      service.send('/api/auth/recover-password', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: who }),
      })

    const answers = await Promise.all([email, newEmail()].map(ask))

    const shapes = answers.map(({ status, headers }) => ({ status, headers: [...headers.keys()] }))
    expect(shapes[0]).toMatchObject({ status: 202 })
    expect(shapes[1]).toEqual(shapes[0])
  })

  test('answers everybody at the same time, when the work is done', async () => {
    const { id, email } = await register(service)
    const pauses: (() => void)[] = []
    const pause = () => new Promise<void>((resolve) => pauses.push(resolve))
    const deps = { sql, users: userStore(sql), resets, limits: signInLimits(sql), outbox: outboxStore(sql) }
    const recovery = recoveryService({ ...deps, audit: auditLog(sql), pause })
    const answered: string[] = []
    const asked = [email, newEmail()].map(async (who) => {
      await recovery.request(who, {})
      answered.push(who)
    })

    await expect.poll(() => mailsTo(id)).toBe(1)

    expect([pauses.length, answered]).toEqual([2, []])
    for (const end of pauses) end()
    await Promise.all(asked)
  })

  test('mails nobody more than three times an hour', async () => {
    const { id, email } = await register(service)
    await Promise.all([1, 2, 3, 4, 5].map(() => service.client().auth.recoverPassword(email)))
    expect(await mailsTo(id)).toBe(3)
    await sql`update mails set created_at = created_at - interval '1 hour' where user_id = ${id}`

    await service.client().auth.recoverPassword(email)

    expect(await mailsTo(id)).toBe(4)
  })

  test('counts mails one request after the other', async () => {
    const { id, email } = await register(service)
    const rival = await holdOpen(sql, async (tx) => {
      await userStore(sql).lock(id, tx)
      for (let n = 0; n < 3; n++)
        await outboxStore(sql).insert({ template: 'recovery', recipient: email, userId: id, data: {} }, tx)
    })

    const asking = service.client().auth.recoverPassword(email)
    await untilBlocked(sql)
    await rival.commit()
    await asking

    expect(await mailsTo(id)).toBe(3)
  })

  test('takes sixty requests an hour from an address, whoever they are for', async () => {
    const { id, email } = await register(service)
    const { auth } = from(service, '192.0.2.20')
    await auth.recoverPassword(newEmail())
    await sql`update sign_in_failures set count = 59 where key = 'recovery:192.0.2.20'`
    await auth.recoverPassword(newEmail())

    await expect(auth.recoverPassword(email)).rejects.toMatchObject({
      status: 429,
      code: 'too_many_attempts',
      retryAfterSeconds: expect.closeTo(3600, -2),
    })
    expect(await mailsTo(id)).toBe(0)
    await expect(from(service, '192.0.2.21').auth.recoverPassword(email)).resolves.toBeUndefined()
  })

  test('mails nobody who is deleted, no program, and nobody whom only another issuer knows', async () => {
    const [deleted, visitor, both] = [await register(service), await register(service), await register(service)]
    await service.client({ credentials: { email: deleted.email, password } }).users.deleteMe()
    const accounts = firstAccounts({ sql, users: userStore(sql), audit: auditLog(sql) })
    const programEmail = newEmail()
    const program = await accounts.ensureServiceAccount(programEmail, 'A program', ['USER'])
    for (const { id } of [visitor, both])
      await sql`insert into identities (issuer, subject, user_id) values ('https://issuer.example', ${id}, ${id})`
    await sql`update users set password_hash = null where id = ${visitor.id}`

    for (const { email } of [deleted, visitor, both, { email: programEmail }])
      await service.client().auth.recoverPassword(email)

    expect(await Promise.all([deleted.id, visitor.id, program!].map((id) => mailsTo(id)))).toEqual([0, 0, 0])
    expect(await mailsTo(both.id)).toBe(1)
  })
})

describe('recoverUserPassword', () => {
  test('does the same by id or by email, for whoever asks', async () => {
    const { id, email } = await register(service)

    await service.client().users.recoverPassword(id)
    await service.client().users.recoverPassword(email)
    await service.client().users.recoverPassword(newEmail())
    await service.client().users.recoverPassword('019a8f00-0001-7000-8000-000000000001')

    expect(await mailsTo(id)).toBe(2)
  })
})

describe('resetPassword', () => {
  test('sets the password, ends every session, opens the account, and tells its owner', async () => {
    const { id, email } = await register(service)
    const { client, refreshToken } = await signedIn(service, email)
    const { key } = await client.users.createApiKey({ name: 'Reader', scopes: ['jobs:read'] })
    await lockOut(email)
    await service.client().auth.recoverPassword(email)
    const token = await mailedToken(service, email)

    await service.client().auth.resetPassword({ token, password: otherPassword })

    await expect(client.users.me()).rejects.toMatchObject({ status: 401 })
    await expect(service.client().auth.refresh(refreshToken)).rejects.toMatchObject({ status: 401 })
    await expect(service.client({ apiKey: key }).jobs.list()).resolves.toHaveProperty('items')
    await expect(login(email, otherPassword)).resolves.toHaveProperty('token')
    await expect(login(email, password)).rejects.toMatchObject({ code: 'invalid_credentials' })
    expect(await mailsTo(id, 'password-changed')).toBe(1)
    expect(await auditOf(service, id)).toContain('password_reset')
  })

  test('refuses a token that was used, has expired, was issued before another reset, or is none', async () => {
    const { id, email } = await register(service)
    const [used, earlier, expired] = [await resets.issue(id), await resets.issue(id), await resets.issue(id)]
    await sql`
      update password_resets set expires_at = now()
      where created_at = (select max(created_at) from password_resets where user_id = ${id})
    `
    const reset = (token: string) => service.client().auth.resetPassword({ token, password: otherPassword })
    await expect(reset(expired)).rejects.toMatchObject(refused)
    await reset(used)

    const details = []
    for (const token of [used, earlier, expired, 'fsp_nonsense', 'x']) {
      const error = await reset(token).catch((reason) => reason)
      expect(error).toMatchObject(refused)
      details.push(error.detail)
    }

    expect(new Set(details).size).toBe(1)
    await expect(login(email, otherPassword)).resolves.toHaveProperty('token')
  })

  test('refuses the token of somebody who is deleted', async () => {
    const { id, email } = await register(service)
    const token = await resets.issue(id)
    await service.client({ credentials: { email, password } }).users.deleteMe()
    const late = await resets.issue(id)

    for (const one of [token, late])
      await expect(service.client().auth.resetPassword({ token: one, password: otherPassword })).rejects.toMatchObject(
        refused,
      )
  })

  test('lets one of two through that come at once', async () => {
    const { id, email } = await register(service)
    const token = await resets.issue(id)
    const rival = await holdOpen(sql, (tx) => resets.use(token, tx))

    const late = service.client().auth.resetPassword({ token, password: otherPassword })
    const settled = late.catch((error) => error)
    await untilBlocked(sql)
    await rival.commit()

    expect(await settled).toMatchObject(refused)
    await expect(login(email, password)).resolves.toHaveProperty('token')
  })

  test('lets two tokens of a person follow each other, and the second finds itself void', async () => {
    const { id, email } = await register(service)
    const [mine, theirs] = [await resets.issue(id), await resets.issue(id)]
    const rival = await holdOpen(sql, async (tx) => {
      await userStore(sql).lock(id, tx)
      await resets.voidAll(id, tx)
      await resets.use(theirs, tx)
    })

    const settled = service
      .client()
      .auth.resetPassword({ token: mine, password: otherPassword })
      .catch((error) => error)
    await untilBlocked(sql)
    await rival.commit()

    expect(await settled).toMatchObject(refused)
    await expect(login(email, password)).resolves.toHaveProperty('token')
  })

  test('counts wrong tokens against the address, and right ones not', async () => {
    const { id } = await register(service)
    const address = '192.0.2.50'
    const reset = (token: string) => from(service, address).auth.resetPassword({ token, password: otherPassword })
    await expect(reset('fsp_nonsense')).rejects.toMatchObject(refused)
    await sql`update sign_in_failures set count = 48 where key = ${`address:${address}`}`
    await reset(await resets.issue(id))
    expect(await sql`select count from sign_in_failures where key = ${`address:${address}`}`).toEqual([{ count: 48 }])

    await expect(reset('fsp_nonsense')).rejects.toMatchObject(refused)
    await expect(reset('fsp_nonsense')).rejects.toMatchObject(refused)

    await expect(reset(await resets.issue(id))).rejects.toMatchObject({ status: 429, code: 'too_many_attempts' })
  })

  test('leaves everything as it was where the last of it cannot be recorded', async () => {
    const { id, email } = await register(service)
    const token = await resets.issue(id)
    const quiet = await startTestService({ databaseUrl: service.databaseUrl, log: memoryLog({ expectsErrors: true }) })
    await sql`alter table audit_events add constraint none_of_these check (action <> 'password_reset') not valid`
    const broken = await quiet
      .client()
      .auth.resetPassword({ token, password: otherPassword })
      .catch((error) => error)
    await sql`alter table audit_events drop constraint none_of_these`

    expect(broken).toMatchObject({ status: 500 })
    expect(await mailsTo(id, 'password-changed')).toBe(0)
    await expect(login(email, password)).resolves.toHaveProperty('token')
    await service.client().auth.resetPassword({ token, password: otherPassword })
  })
})

describe('changePassword', () => {
  test('asks for the present one, ends all other sessions, and tells by mail', async () => {
    const { id, email } = await register(service)
    const [here, elsewhere] = [await signedIn(service, email), await signedIn(service, email)]
    await elsewhere.client.users.me()
    const token = await resets.issue(id)

    await here.client.users.changePassword({ currentPassword: password, newPassword: otherPassword })

    expect(await here.client.users.me()).toMatchObject({ email })
    await expect(service.client().auth.refresh(here.refreshToken)).resolves.toHaveProperty('token')
    await expect(elsewhere.client.users.me()).rejects.toMatchObject({ status: 401 })
    await expect(service.client().auth.refresh(elsewhere.refreshToken)).rejects.toMatchObject({ status: 401 })
    await expect(login(email, otherPassword)).resolves.toHaveProperty('token')
    await expect(service.client().auth.resetPassword({ token, password })).rejects.toMatchObject(refused)
    expect(await mailsTo(id, 'password-changed')).toBe(1)
    expect(await auditOf(service, id)).toContain('password_changed')
  })

  test('refuses a wrong one, which counts as a failure to sign in', async () => {
    const { id, email } = await register(service)
    const { client } = await signedIn(service, email)
    const change = (currentPassword: string) =>
      client.users.changePassword({ currentPassword, newPassword: otherPassword })
    await expect(change('another')).rejects.toMatchObject({ status: 403, code: 'wrong_password' })
    await sql`update sign_in_failures set count = 9 where key = ${accountKey(email)}`
    await expect(change('another')).rejects.toMatchObject({ status: 403, code: 'wrong_password' })

    await expect(change(password)).rejects.toMatchObject({ status: 429, code: 'too_many_attempts' })
    await expect(login(email, password)).rejects.toMatchObject({ code: 'too_many_attempts' })
    expect(await auditOf(service, id)).toEqual([
      'registered',
      'signed_in',
      'password_refused',
      'password_refused',
      'sign_in_blocked',
    ])
  })

  test('refuses somebody who has none', async () => {
    const visitor = await service.person()

    await expect(
      visitor.client.users.changePassword({ currentPassword: password, newPassword: otherPassword }),
    ).rejects.toMatchObject({ code: 'wrong_password' })
  })

  test('changes nothing where another change came between', async () => {
    const { id, email } = await register(service)
    const { client } = await signedIn(service, email)
    const rival = await holdOpen(sql, (tx) => tx`update users set password_hash = 'another' where id = ${id}`)

    const late = client.users.changePassword({ currentPassword: password, newPassword: otherPassword })
    const settled = late.catch((error) => error)
    await untilBlocked(sql)
    await rival.commit()

    expect(await settled).toMatchObject({ code: 'wrong_password' })
    expect(await sql`select password_hash from users where id = ${id}`).toEqual([{ passwordHash: 'another' }])
  })
})

describe('purge password resets', () => {
  test('forgets tokens that died a day ago', async () => {
    await sql`delete from password_resets`
    const { id } = await register(service)
    for (let n = 0; n < 2; n++) await resets.issue(id)
    await sql`
      update password_resets set expires_at = now() - interval '25 hours'
      where token_hash = (select token_hash from password_resets limit 1)
    `

    expect(await service.chores['purge password resets']()).toBe(false)

    expect(await sql`select from password_resets`).toHaveLength(1)
  })
})

test('no password and no token of a link reaches log, audit or mail table', async () => {
  const { email } = await register(service)
  await service.client().auth.recoverPassword(email)
  const token = await mailedToken(service, email)
  await service.client().auth.resetPassword({ token, password: otherPassword })
  const { client } = await signedIn(service, email, otherPassword)
  await client.users.changePassword({ currentPassword: 'another-wrong-one', newPassword: password }).catch(() => {})
  await client.users.changePassword({ currentPassword: otherPassword, newPassword: password })

  const told = JSON.stringify([
    service.log.lines,
    await sql`select * from audit_events`,
    await sql`select * from mails`,
    await sql`select * from sign_in_failures`,
  ])

  for (const secret of [password, otherPassword, token, 'another-wrong-one', email.toUpperCase()])
    expect(told).not.toContain(secret)
})
