import { describe, expect, test } from 'vitest'
import { auditLog } from '../src/audit/audit-log.ts'
import { firstAccounts } from '../src/users/first-accounts.ts'
import { userStore } from '../src/users/user-store.ts'
import { claimOne, holdOpen, testJob, untilBlocked } from './support/jobs.ts'
import { auditOf, newEmail, otherPassword, password, register, signedIn } from './support/people.ts'
import { startTestService } from './support/service.ts'

const service = await startTestService()
const { sql } = service
const admin = await service.person('ADMIN')
const { users } = admin.client

const notFound = { status: 404, code: 'user_not_found' }
const forbidden = { status: 403, code: 'forbidden' }
const lastAdmin = { status: 409, code: 'last_admin' }
const nobody = '019a8f00-0001-7000-8000-000000000001'

/** What a mail was made with, oldest first. */
const mailsTo = (userId: string) => sql`select template, data from mails where user_id = ${userId} order by id`

describe('listUsers', () => {
  test('goes newest first, page by page', async () => {
    const { sql: fresh, ...alone } = await startTestService()
    const people = [await alone.person('ADMIN')]
    for (let n = 0; n < 4; n++) people.push(await alone.person())

    const listed = await Array.fromAsync(people[0]!.client.users.listAll({ limit: 2 }))

    expect(listed.map(({ id }) => id)).toEqual(people.map(({ id }) => id).reverse())
    expect(await fresh`select from users`).toHaveLength(5)
  })

  test('finds people by how their email begins, in whatever case, and takes every character for itself', async () => {
    const begin = newEmail().slice(0, 8)
    for (const local of [`${begin}_a`, `${begin}xb`, `${begin.toUpperCase()}%c`])
      await users.create({ email: `${local}@reef.example` })
    const found = async (email: string) =>
      (await users.list({ email })).items.map((user) => user.email.slice(8, 10)).reverse()

    expect(await found(begin.toUpperCase())).toEqual(['_a', 'xb', '%c'])
    expect(await found(`${begin}_`)).toEqual(['_a'])
    expect(await found(`${begin}%`)).toEqual(['%c'])
    expect(await found(`${begin}\\`)).toEqual([])
    expect(await found(begin.slice(1))).toEqual([])
  })

  test('finds people by role and by when they came', async () => {
    const worker = await service.person('WORKER')
    const { createdAt } = await users.get(worker.id)
    const around = (milliseconds: number) => new Date(Date.parse(createdAt) + milliseconds).toISOString()
    const ids = async (query: Parameters<typeof users.list>[0]) => (await users.list(query)).items.map(({ id }) => id)

    expect(await ids({ role: 'WORKER' })).toContain(worker.id)
    expect(await ids({ role: 'ADMIN' })).not.toContain(worker.id)
    expect(await ids({ createdAfter: around(-1) })).toContain(worker.id)
    expect(await ids({ createdAfter: createdAt })).not.toContain(worker.id)
    expect(await ids({ createdBefore: around(1) })).toContain(worker.id)
    expect(await ids({ createdBefore: createdAt })).not.toContain(worker.id)
  })

  test.each(['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59'])('bears %s', async (instant) => {
    await expect(users.list({ createdAfter: instant, createdBefore: instant })).resolves.toEqual({ items: [] })
  })
})

describe('createUser', () => {
  test('makes an account that signs in with the password it was given', async () => {
    const email = newEmail()

    const made = await users.create({ email, password, name: 'Ben Okafor', roles: ['WORKER'], isPluginUser: true })

    expect(made).toMatchObject({ email, name: 'Ben Okafor', roles: ['USER', 'WORKER'], isPluginUser: true })
    expect((await signedIn(service, email)).token).toBeTypeOf('string')
    expect(await mailsTo(made.id)).toMatchObject([{ template: 'welcome' }])
    expect(await sql`select * from audit_events where user_id = ${made.id} order by id limit 1`).toMatchObject([
      { action: 'user_created', actorKind: 'session', actorId: admin.id, details: { roles: ['USER', 'WORKER'] } },
    ])
  })

  test('makes one without a password, which nobody signs in to before the mail is read', async () => {
    const email = newEmail()

    const { id, roles } = await users.create({ email })

    expect(roles).toEqual(['USER'])
    expect(await mailsTo(id)).toEqual([{ template: 'welcome', data: { needsPassword: true } }])
    await expect(signedIn(service, email)).rejects.toMatchObject({ code: 'invalid_credentials' })
  })

  test('says where it is', async () => {
    const response = await service.send('/api/users', {
      method: 'POST',
      headers: { authorization: `Bearer ${admin.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ email: newEmail() }),
    })

    expect(response.headers.get('location')).toBe(`/api/users/${(await response.json()).id}`)
  })

  test('refuses an email that is taken, in whatever case, and welcomes nobody', async () => {
    const { id, email } = await register(service)

    const creating = users.create({ email: email.toUpperCase() })

    await expect(creating).rejects.toMatchObject({ status: 400, code: 'email_taken' })
    expect(await mailsTo(id)).toHaveLength(1)
  })
})

describe('register', () => {
  const registration = (address: string) => {
    const body = JSON.stringify({ email: `${crypto.randomUUID()}@reef.example`, password: 'slow-tides-carry-sand' })
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': address }
    return service.send('/api/auth/register', { method: 'POST', headers, body })
  }

  test('is for twenty an hour from one network, and for any number from this machine', async () => {
    expect((await registration('192.0.2.77')).status).toBe(200)
    await service.sql`update sign_in_failures set count = 19 where key = 'registration:192.0.2.77'`
    expect((await registration('192.0.2.77')).status).toBe(200)

    const refused = await registration('192.0.2.77')

    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ code: 'too_many_attempts' })
    expect((await registration('192.0.2.78')).status).toBe(200)
    expect((await registration('127.0.0.1')).status).toBe(200)
    expect(await service.sql`select from sign_in_failures where key = 'registration:127.0.0.1'`).toHaveLength(0)
  })

  test.each(['Zed\nAna', 'Zed\u001b[31m', 'Zed\u0085'])('takes no name that is more than a line: %j', async (name) => {
    const credentials = { email: `${crypto.randomUUID()}@reef.example`, password: 'slow-tides-carry-sand' }

    await expect(service.client().auth.register({ ...credentials, name })).rejects.toMatchObject({
      code: 'invalid_request',
      errors: [{ pointer: '/name' }],
    })
  })

  test('welcomes the person, who has a password', async () => {
    const { id } = await register(service)

    expect(await mailsTo(id)).toEqual([{ template: 'welcome', data: { needsPassword: false } }])
  })
})

describe('what no text can be', () => {
  test.each([
    ['POST', '/api/users/a%00b@reef.example/recover-password', '/path/userId'],
    ['GET', '/api/users/a%00b@reef.example', '/path/userId'],
    ['GET', '/api/users?email=%00', '/query/email'],
  ])('is refused in %s %s', async (method, path, pointer) => {
    const { token } = await service.person('ADMIN')

    const response = await service.send(path, { method, headers: { authorization: `Bearer ${token}` } })

    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'invalid_request', errors: [{ pointer }] })
  })
})

describe('getUser', () => {
  test('shows everybody to an admin, by id and by email', async () => {
    const { id, email } = await register(service)

    expect(await users.get(id)).toMatchObject({ id, email })
    expect(await users.get(id.toUpperCase())).toMatchObject({ id })
    expect(await users.get(email.toUpperCase())).toMatchObject({ id, email })
    await expect(users.get(nobody)).rejects.toMatchObject(notFound)
    await expect(users.get(newEmail())).rejects.toMatchObject(notFound)
  })

  test('shows a person themselves, and does not say who else is there', async () => {
    const [ana, ben] = [await service.person(), await service.person('WORKER')]

    expect(await ana.client.users.get(ana.id)).toEqual(await ana.client.users.me())
    expect(await ana.client.users.get(ana.email.toUpperCase())).toMatchObject({ id: ana.id })
    const refusals = await Promise.all(
      [ben.id, ben.email, nobody, newEmail(), 'nonsense'].map((who) =>
        ana.client.users.get(who).catch(({ status, code, detail }) => ({ status, code, detail })),
      ),
    )
    expect(new Set(refusals.map((refusal) => JSON.stringify(refusal))).size).toBe(1)
    expect(refusals[0]).toMatchObject(forbidden)
  })
})

describe('updateUser', () => {
  test('changes what is named and nothing else', async () => {
    const { id, email } = await register(service)
    const before = await users.update(id, { name: 'Ben', isInMailingList: true })

    const after = await users.update(email, { isPluginUser: true })

    expect(after).toEqual({ ...before, isPluginUser: true, updatedAt: after.updatedAt })
    expect(after).toMatchObject({ name: 'Ben', isInMailingList: true, roles: ['USER'] })
    await expect(users.update(nobody, { name: 'x' })).rejects.toMatchObject(notFound)
  })

  test('gives and takes roles, which is felt at once; USER is everyone’s', async () => {
    const ana = await service.person()
    await expect(ana.client.worker.poll()).rejects.toMatchObject({ status: 403 })

    expect((await users.update(ana.id, { roles: ['WORKER'] })).roles).toEqual(['USER', 'WORKER'])
    await expect(ana.client.worker.poll()).resolves.toBeInstanceOf(Array)
    expect((await users.update(ana.id, { roles: ['USER'] })).roles).toEqual(['USER'])
    await expect(ana.client.worker.poll()).rejects.toMatchObject({ status: 403 })

    expect(await sql`select details from audit_events where user_id = ${ana.id} and action = 'roles_changed'`).toEqual([
      { details: { before: ['USER'], after: ['USER', 'WORKER'] } },
      { details: { before: ['USER', 'WORKER'], after: ['USER'] } },
    ])
  })

  test('records which fields were changed, and not to what', async () => {
    const { id } = await register(service)
    await users.update(id, { name: 'Ben', isPluginUser: false, roles: ['USER'] })
    await users.update(id, { name: 'Ben' })

    const rows =
      await sql`select details from audit_events where user_id = ${id} and action like '%d' and details is not null`

    expect(rows).toEqual([{ details: { fields: ['name'] } }])
  })
})

describe('updateMe', () => {
  test('changes what a person may change of themselves', async () => {
    const ana = await service.person()

    await ana.client.users.updateMe({ wantsJobMail: true, isInMailingList: true })

    expect(await ana.client.users.me()).toMatchObject({
      wantsJobMail: true,
      isInMailingList: true,
      isPluginUser: false,
    })
    expect(await auditOf(service, ana.id)).toEqual(['user_updated'])
  })
})

describe('the last admin', () => {
  test('can be neither demoted nor deleted', async () => {
    const alone = await startTestService()
    const [only, ana] = [await alone.person('ADMIN'), await alone.person()]

    await expect(only.client.users.update(only.id, { roles: ['USER'] })).rejects.toMatchObject(lastAdmin)
    await expect(only.client.users.delete(only.id)).rejects.toMatchObject(lastAdmin)
    await expect(only.client.users.deleteMe()).rejects.toMatchObject(lastAdmin)

    await only.client.users.update(ana.id, { roles: ['ADMIN'] })
    await only.client.users.deleteMe()
    expect(await ana.client.users.me()).toMatchObject({ roles: ['USER', 'ADMIN'] })
  })

  test('is not a program', async () => {
    const alone = await startTestService()
    const only = await alone.person('ADMIN')
    const accounts = firstAccounts({ sql: alone.sql, users: userStore(alone.sql), audit: auditLog(alone.sql) })
    await accounts.ensureServiceAccount('program@reef.example', 'A program', ['USER', 'ADMIN'])

    await expect(only.client.users.deleteMe()).rejects.toMatchObject(lastAdmin)
  })

  test.each(['demote', 'delete'] as const)(
    'is left where two admins %s each other at the same instant',
    async (how) => {
      const alone = await startTestService()
      const [ana, ben] = [await alone.person('ADMIN'), await alone.person('ADMIN')]
      // Ana's request has got as far as this, and no further.
      const anas = await holdOpen(alone.sql, async (tx) => {
        const rows = userStore(alone.sql)
        await rows.lockAdmins(tx)
        await (how === 'demote' ? rows.update(ben.id, { roles: ['USER'] }, tx) : rows.delete(ben.id, tx))
      })

      const bens =
        how === 'demote' ? ben.client.users.update(ana.id, { roles: ['USER'] }) : ben.client.users.delete(ana.id)
      const settled = bens.catch((error) => error)
      await untilBlocked(alone.sql)
      await anas.commit()

      expect(await settled).toMatchObject(lastAdmin)
      expect(await userStore(alone.sql).hasAdmin()).toBe(true)
    },
  )
})

describe('deleteUser', () => {
  test('hides the person everywhere, at once', async () => {
    const { id, email } = await register(service)
    const { client, token, refreshToken } = await signedIn(service, email)
    const { key } = await client.users.createApiKey({ name: 'Reader', scopes: ['jobs:read'] })
    const reader = service.client({ apiKey: key })
    await reader.jobs.list()

    await users.delete(email)

    await expect(service.client({ token }).users.me()).rejects.toMatchObject({ status: 401 })
    await expect(reader.jobs.list()).rejects.toMatchObject({ status: 401 })
    await expect(service.client().auth.refresh(refreshToken)).rejects.toMatchObject({ status: 401 })
    await expect(signedIn(service, email)).rejects.toMatchObject({ code: 'invalid_credentials' })
    for (const who of [id, email]) {
      await expect(users.get(who)).rejects.toMatchObject(notFound)
      await expect(users.update(who, { name: 'x' })).rejects.toMatchObject(notFound)
      await expect(users.delete(who)).rejects.toMatchObject(notFound)
      await expect(users.listApiKeysOf(who)).rejects.toMatchObject(notFound)
    }
    expect((await users.list({ email })).items).toEqual([])
    expect((await auditOf(service, id)).at(-1)).toBe('user_deleted')
  })

  test('frees the email for somebody who is another', async () => {
    const { id, email } = await register(service)
    await users.delete(id)

    const { userId } = await service.client().auth.register({ email, password: otherPassword })

    expect(userId).not.toBe(id)
    expect(await users.get(email)).toMatchObject({ id: userId })
  })

  test('withdraws their wishes: what nobody else waits for stops, and the rest goes on', async () => {
    const [ana, ben] = [await service.person(), await service.person()]
    const [mine, shared] = [testJob(), testJob()]
    const alone = await ana.client.jobs.create(mine)
    const together = await ana.client.jobs.create(shared)
    await ben.client.jobs.create(shared)

    await users.delete(ana.id)

    expect(await users.get(ben.id)).toMatchObject({ id: ben.id })
    expect(await admin.client.jobs.get(alone.jobId)).toMatchObject({ status: 'CANCELLED' })
    expect(await admin.client.jobs.get(together.jobId)).toMatchObject({ status: 'PENDING' })
    await ben.client.jobs.cancel(together.jobId)
    expect(await admin.client.jobs.get(together.jobId)).toMatchObject({ status: 'CANCELLED' })
  })

  test('tells the worker who has such a job', async () => {
    const [ana, worker] = [await service.person(), await service.worker()]
    await ana.client.jobs.create(testJob())
    const { assignment } = await claimOne(worker.client)

    await users.delete(ana.id)

    await expect(worker.client.worker.heartbeat(assignment.id)).rejects.toMatchObject({ code: 'job_cancelled' })
  })

  test('leaves their polygons and what their jobs came to, for admins', async () => {
    const [ana, worker] = [await service.person(), await service.worker()]
    const polygon = await ana.client.polygons.create({
      polygon: {
        type: 'Polygon',
        coordinates: [
          [
            [0, 0],
            [1, 0],
            [1, 1],
            [0, 0],
          ],
        ],
      },
    })
    const { jobId } = await ana.client.jobs.create(testJob())
    const { assignment } = await claimOne(worker.client)
    await worker.client.worker.reportResult(assignment.id, { status: 'SUCCEEDED', resultPayload: { id: 1 } })

    await users.delete(ana.id)

    expect(await admin.client.polygons.get(polygon.id)).toMatchObject({ id: polygon.id })
    expect(await admin.client.jobs.get(jobId)).toMatchObject({ status: 'SUCCEEDED' })
  })

  test('makes the token of an assignment worthless whose worker is deleted', async () => {
    const [ana, worker] = [await service.person(), await service.worker()]
    const { jobId } = await ana.client.jobs.create(testJob())
    const { assignment } = await claimOne(worker.client)
    const beat = () => service.client().worker.heartbeat(assignment.id, {}, { token: assignment.token })
    await beat()

    await users.delete(worker.id)

    await expect(beat()).rejects.toMatchObject({ status: 401 })
    // Nor is it known to a process that has never seen it.
    const other = await startTestService({ databaseUrl: service.databaseUrl })
    await expect(other.client().worker.heartbeat(assignment.id, {}, { token: assignment.token })).rejects.toMatchObject(
      { status: 401 },
    )
    await ana.client.jobs.cancel(jobId)
  })

  test('leaves what it could not withdraw to a chore, as it does what arrives with the deletion', async () => {
    const ana = await service.person()
    const { jobId } = await ana.client.jobs.create(testJob())
    // The transaction of a deletion, and the process gone before the rest.
    await sql.begin((tx) => userStore(sql).delete(ana.id, tx))

    await service.chores['withdraw wishes of the deleted']()

    expect(await admin.client.jobs.get(jobId)).toMatchObject({ status: 'CANCELLED' })
  })

  test('is done although a job cannot be stopped just now, and no other job waits for that', async () => {
    const ana = await service.person()
    const jobs = [await ana.client.jobs.create(testJob()), await ana.client.jobs.create(testJob())]
    const [stuck] = jobs.map(({ jobId }) => jobId).sort()
    await sql`alter table job_requests add constraint none_of_these check (job_id <> ${sql.unsafe(`'${stuck}'`)} or withdrawn_at is null)`

    await users.delete(ana.id)

    const statuses = async () =>
      (await Promise.all(jobs.map(({ jobId }) => admin.client.jobs.get(jobId)))).map(({ status }) => status).sort()
    expect(await statuses()).toEqual(['CANCELLED', 'PENDING'])
    expect(service.log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'wishes of a deleted person not withdrawn yet' }),
    )
    await sql`alter table job_requests drop constraint none_of_these`
    await service.chores['withdraw wishes of the deleted']()
    expect(await statuses()).toEqual(['CANCELLED', 'CANCELLED'])
  })

  test('is for admins', async () => {
    const [ana, ben] = [await service.person(), await service.person()]

    await expect(ana.client.users.delete(ben.id)).rejects.toMatchObject(forbidden)
    await expect(users.delete(nobody)).rejects.toMatchObject(notFound)
  })
})

describe('deleteMe', () => {
  test('does the same to whoever asks', async () => {
    const ana = await service.person()
    const { jobId } = await ana.client.jobs.create(testJob())

    await ana.client.users.deleteMe()

    await expect(users.get(ana.id)).rejects.toMatchObject(notFound)
    expect(await admin.client.jobs.get(jobId)).toMatchObject({ status: 'CANCELLED' })
    expect((await service.send('/api/users/me', { headers: { authorization: `Bearer ${ana.token}` } })).status).toBe(
      401,
    )
  })
})

describe('an account of the service', () => {
  test('is left alone', async () => {
    const accounts = firstAccounts({ sql, users: userStore(sql), audit: auditLog(sql) })
    const email = newEmail()
    const id = await accounts.ensureServiceAccount(email, 'A program', ['USER', 'WORKER'])

    await expect(users.delete(email)).rejects.toMatchObject(forbidden)
    await expect(users.update(email, { roles: ['ADMIN'] })).rejects.toMatchObject(forbidden)
    expect(await accounts.ensureServiceAccount(email, 'A program', ['USER', 'WORKER'])).toBe(id)
  })

  test('is not one that an admin has made for a person, with or without a password', async () => {
    const accounts = firstAccounts({ sql, users: userStore(sql), audit: auditLog(sql) })
    const email = newEmail()
    await users.create({ email, roles: ['WORKER'] })

    expect(await accounts.ensureServiceAccount(email, 'A program', ['USER', 'WORKER'])).toBeUndefined()
  })
})

describe('listUserApiKeys', () => {
  test('shows a person’s keys to an admin, by id or email', async () => {
    const [ana, ben] = [await service.person(), await service.person()]
    const { id } = await ana.client.users.createApiKey({ name: 'Reader', scopes: ['jobs:read'] })
    await ben.client.users.createApiKey({ name: 'Another', scopes: ['jobs:read'] })

    for (const who of [ana.id, ana.email])
      expect((await users.listApiKeysOf(who)).items).toMatchObject([{ id, name: 'Reader' }])
    await expect(users.listApiKeysOf(nobody)).rejects.toMatchObject(notFound)
    await expect(ben.client.users.listApiKeysOf(ana.id)).rejects.toMatchObject(forbidden)
  })
})

describe('deleteUserApiKey', () => {
  test('revokes a key of that person at once', async () => {
    const [ana, ben] = [await service.person(), await service.person()]
    const { id, key } = await ana.client.users.createApiKey({ name: 'Reader', scopes: ['jobs:read'] })
    const reader = service.client({ apiKey: key })
    await reader.jobs.list()
    await expect(users.deleteApiKeyOf(ben.id, id)).rejects.toMatchObject({ status: 404, code: 'api_key_not_found' })

    await users.deleteApiKeyOf(ana.email, id)

    await expect(reader.jobs.list()).rejects.toMatchObject({ status: 401 })
    expect(await sql`select * from audit_events where user_id = ${ana.id} order by id`).toMatchObject([
      { action: 'api_key_created', actorId: ana.id, details: { apiKeyId: id, scopes: ['jobs:read'] } },
      { action: 'api_key_revoked', actorId: admin.id, details: { apiKeyId: id } },
    ])
  })
})

describe('createApiKey', () => {
  test.each(['email:send', 'regions:write'] as const)('keeps the scope %s to admins', async (scope) => {
    const worker = await service.person('WORKER')
    const key = { name: 'A key', scopes: [scope] }

    await expect(worker.client.users.createApiKey(key)).rejects.toMatchObject(forbidden)
    await expect(users.createApiKey(key)).resolves.toHaveProperty('key')
  })
})
