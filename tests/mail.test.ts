import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { jobMails } from '../src/mail/job-mails.ts'
import { outboxStore } from '../src/mail/outbox-store.ts'
import { smtpTransport } from '../src/mail/smtp-transport.ts'
import { startSmtpServer } from './mail/smtp-server.ts'
import { claimOne, holdOpen, lapse, testJob, untilBlocked } from './support/jobs.ts'
import { createDatabase, memoryLog, type Person, startTestService } from './support/service.ts'

const service = await startTestService()
const { sql, mails } = service

/** Addresses like no others. */
const addresses = (count: number) => Array.from({ length: count }, () => `${crypto.randomUUID()}@reef.example`)
const message = { subject: 'Survey of Lizard Island', text: 'The boats leave at six.' }

/** As the contract has it, past the types. */
const post = (admin: Person, body: object) =>
  service.send('/api/email', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin.token}` },
    body: JSON.stringify(body),
  })

async function countMails(): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::integer as count from mails`
  return row!.count
}

describe('sendEmail', () => {
  test('sends one mail to each recipient, who sees no other', async () => {
    const admin = await service.person('ADMIN')
    const recipients = addresses(3)

    const { emailIds } = await admin.client.email.send({ recipients, ...message, html: '<p>The boats</p>' })

    const sent = (await mails()).filter(({ recipient }) => recipients.includes(recipient))
    expect(sent.sort((a, b) => recipients.indexOf(a.recipient) - recipients.indexOf(b.recipient))).toEqual(
      recipients.map((recipient, n) => ({
        id: emailIds[n],
        recipient,
        ...message,
        html: '<p>The boats</p>',
        isAutomatic: false,
        createdAt: expect.any(Date),
      })),
    )
  })

  test('takes an admin’s key with that scope, and makes text of HTML alone', async () => {
    const admin = await service.person('ADMIN')
    const [recipient] = addresses(1) as [string]
    const { key } = await admin.client.users.createApiKey({ name: 'News', scopes: ['email:send'] })

    const html = '<p>The <b>boats</b> leave.</p>'
    await service.client({ apiKey: key }).email.send({ recipients: [recipient], subject: 'Boats', html })

    expect(await mails(recipient)).toMatchObject([{ text: 'The boats leave.', html }])
  })

  test('no longer takes the key of somebody who is no admin any more', async () => {
    const admin = await service.person('ADMIN')
    const { key } = await admin.client.users.createApiKey({ name: 'News', scopes: ['email:send'] })
    await sql`update users set roles = '{USER}' where id = ${admin.id}`

    const sent = service.client({ apiKey: key }).email.send({ recipients: addresses(1), ...message })

    await expect(sent).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('wants something to read', async () => {
    const admin = await service.person('ADMIN')

    const sent = admin.client.email.send({ recipients: addresses(1), subject: 'Nothing' })

    await expect(sent).rejects.toMatchObject({
      code: 'invalid_request',
      errors: [{ pointer: '/text' }, { pointer: '/html' }],
    })
  })

  test.each([
    [{ recipients: ['ana@reef.example\r\nBcc: ben@reef.example'] }, '/recipients/0'],
    [{ recipients: ['ana@reef.example, ben@reef.example'] }, '/recipients/0'],
    [{ recipients: ['ana@reef.example', 'Ben <ben@reef.example>'] }, '/recipients/1'],
    [{ recipients: ['Reef: ana@reef.example;'] }, '/recipients/0'],
    [{ recipients: ['ana@reef.example\u0000'] }, '/recipients/0'],
    [{ recipients: [] }, '/recipients'],
    [{ recipients: addresses(51) }, '/recipients'],
    [{ subject: 'Boats\r\nBcc: ben@reef.example' }, '/subject'],
    [{ subject: 'Boats\u2028Bcc' }, '/subject'],
    [{ text: 'x'.repeat(100_001) }, '/text'],
    [{ html: 'x'.repeat(200_001) }, '/html'],
  ])('refuses %.60j, and sends nothing', async (wrong, pointer) => {
    const admin = await service.person('ADMIN')
    const before = await countMails()

    const response = await post(admin, { recipients: ['ana@reef.example'], ...message, ...wrong })

    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'invalid_request', errors: [{ pointer }] })
    expect(await countMails()).toBe(before)
  })

  test('is on record by its number, and not by what was in it', async () => {
    const admin = await service.person('ADMIN')
    await admin.client.email.send({ recipients: addresses(2), ...message })

    const { items } = await admin.client.admin.audit({ actorId: admin.id })

    expect(items).toMatchObject([{ action: 'email_requested', actorKind: 'session', details: { recipients: 2 } }])
    expect(JSON.stringify(items)).not.toMatch(/boats|survey|@/i)
  })

  describe('in an hour', () => {
    /** What somebody has sent already. */
    const send = (admin: Person, count: number, age: string, tx = sql) => tx`
      insert into mails (id, template, recipient, sender_id, data, created_at, sent_at)
      select gen_random_uuid(), 'message', 'ana@reef.example', ${admin.id}, '{}', now() - ${age}::interval, now()
      from generate_series(1, ${count})
    `

    test('goes to 500 recipients of one person', async () => {
      const [admin, other] = [await service.person('ADMIN'), await service.person('ADMIN')]
      await send(admin, 470, '59 minutes')
      await send(admin, 100, '61 minutes')

      await admin.client.email.send({ recipients: addresses(30), ...message })
      const before = await countMails()
      const refused = admin.client.email.send({ recipients: addresses(1), ...message })

      await expect(refused).rejects.toMatchObject({ code: 'too_many_attempts', status: 429 })
      const error = await refused.catch((problem) => problem)
      expect(error.retryAfterSeconds).toBeGreaterThan(0)
      expect(error.retryAfterSeconds).toBeLessThanOrEqual(60)
      expect(await countMails()).toBe(before)
      await other.client.email.send({ recipients: addresses(1), ...message })
    })

    test('counts what is being sent this instant', async () => {
      const admin = await service.person('ADMIN')
      const held = await holdOpen(sql, async (tx) => {
        await tx`select from users where id = ${admin.id} for no key update`
        await send(admin, 490, '0 minutes', tx as typeof sql)
      })

      const refused = admin.client.email.send({ recipients: addresses(20), ...message }).catch((error) => error)
      await untilBlocked(sql)
      await held.commit()

      expect(await refused).toMatchObject({ code: 'too_many_attempts' })
    })
  })

  test('sends nothing that is not on record', async () => {
    const broken = await startTestService({ log: memoryLog({ expectsErrors: true }) })
    const admin = await broken.person('ADMIN')
    await broken.sql`alter table audit_events add constraint broken check (action <> 'email_requested')`

    const sent = admin.client.email.send({ recipients: addresses(1), ...message })

    await expect(sent).rejects.toMatchObject({ code: 'internal' })
    expect(await broken.mails()).toEqual([])
  })

  test('reaches a real mailbox, by a service that sends mail as it comes', async () => {
    const server = await startSmtpServer()
    const from = { name: 'Riff', address: 'no-reply@reef.example' }
    const transport = smtpTransport({ url: server.url, from })
    onTestFinished(() => transport.close())
    const sending = await startTestService({
      mail: { transport, publicUrl: () => 'https://api.reef.example' },
      databaseUrl: await createDatabase(),
    })
    sending.startMail()
    const admin = await sending.person('ADMIN')
    const [recipient] = addresses(1) as [string]

    const { emailIds } = await admin.client.email.send({ recipients: [recipient], ...message, subject: 'Über Riffe' })

    await expect.poll(() => server.received).toHaveLength(1)
    expect(server.received[0]!.mail).toMatchObject({
      from,
      to: [{ address: recipient }],
      subject: 'Über Riffe',
      text: `${message.text}\n`,
      messageId: `<${emailIds[0]}@reef.example>`,
    })
  })
})

describe('createApiKey', () => {
  test.each([
    ['USER', false],
    ['WORKER', false],
    ['ADMIN', true],
  ] as const)('with email:send for a %s: %s', async (role, isMade) => {
    const { client } = await service.person(role)

    const made = client.users.createApiKey({ name: 'News', scopes: ['polygons:read', 'email:send'] })

    await (isMade
      ? expect(made).resolves.toHaveProperty('key')
      : expect(made).rejects.toMatchObject({ code: 'forbidden' }))
  })
})

describe('who wishes to hear of their jobs', () => {
  /** Somebody who does. */
  async function curious(): Promise<Person> {
    const person = await service.person()
    await person.client.users.updateMe({ wantsJobMail: true })
    return person
  }

  /** Brings a job to its end. */
  async function finish(jobId: string, report: 'SUCCEEDED' | 'FAILED', error?: { message: string }): Promise<void> {
    const { client } = await service.worker()
    const { job, assignment } = await claimOne(client)
    expect(job.id).toBe(jobId)
    const result = report === 'SUCCEEDED' ? { resultPayload: { id: 1 } } : { error: { message: 'No', ...error } }
    await client.worker.reportResult(assignment.id, { status: report, ...result })
  }

  const subjects = async ({ email }: Person) => (await mails(email)).map(({ subject }) => subject)

  test('is told of success, once', async () => {
    const ana = await curious()
    const { jobId } = await ana.client.jobs.create(testJob())
    expect(await mails(ana.email)).toEqual([])

    await finish(jobId, 'SUCCEEDED')
    await mails()

    expect(await mails(ana.email)).toMatchObject([
      {
        subject: 'Your job has finished: TEST',
        text: expect.stringContaining(`/api/jobs/${jobId}`),
        isAutomatic: true,
      },
    ])
  })

  test('is told of failure, and why', async () => {
    const ana = await curious()
    const { jobId } = await ana.client.jobs.create(testJob())

    await finish(jobId, 'FAILED', { message: 'The tide was <out>' })

    expect(await mails(ana.email)).toMatchObject([
      {
        subject: 'Your job failed: TEST',
        text: expect.stringContaining('The tide was <out>'),
        html: expect.stringContaining('The tide was &lt;out&gt;'),
      },
    ])
  })

  test('is told when time has run out', async () => {
    const ana = await curious()
    const { jobId } = await ana.client.jobs.create(testJob())
    await claimOne((await service.worker()).client)
    await sql`update jobs set attempts = max_attempts where id = ${jobId}`
    await lapse(sql, jobId)
    expect(await ana.client.jobs.get(jobId)).toMatchObject({ status: 'TIMED_OUT' })

    expect(await subjects(ana)).toEqual(['Your job ran out of time: TEST'])
  })

  test.each(['themselves', 'an admin'])('is not told of what was stopped by %s', async (who) => {
    const ana = await curious()
    const { jobId } = await ana.client.jobs.create(testJob())

    const { client } = who === 'an admin' ? await service.person('ADMIN') : ana
    expect(await client.jobs.cancel(jobId)).toMatchObject({ status: 'CANCELLED' })

    expect(await mails(ana.email)).toEqual([])
    expect(await sql`select from job_requests where job_id = ${jobId} and mail_due`).toHaveLength(0)
  })

  test('is told alike when they share a job, but for those who withdrew, and those who came when it was over', async () => {
    const [ana, ben, eva, late, calm] = [
      await curious(),
      await curious(),
      await curious(),
      await curious(),
      await service.person(),
    ]
    const job = testJob()
    const { jobId } = await ana.client.jobs.create(job)
    for (const { client } of [ben, eva, calm])
      expect(await client.jobs.create(job)).toMatchObject({ jobId, cached: true })
    await eva.client.jobs.cancel(jobId)

    await finish(jobId, 'SUCCEEDED')
    expect(await late.client.jobs.create(job)).toMatchObject({ jobId, cached: true })

    const told = await Promise.all([ana, ben, eva, late, calm].map(async (person) => (await subjects(person)).length))
    expect(told).toEqual([1, 1, 0, 0, 0])
  })

  test('is told once of a job that they asked for twice', async () => {
    const ana = await curious()
    const job = testJob()
    const { jobId } = await ana.client.jobs.create(job)
    await ana.client.jobs.create(job)

    await finish(jobId, 'SUCCEEDED')

    expect(await subjects(ana)).toHaveLength(1)
  })

  test('is not told after a change of mind, or after they have gone', async () => {
    const [ana, ben] = [await curious(), await curious()]
    const job = testJob()
    const { jobId } = await ana.client.jobs.create(job)
    await ben.client.jobs.create(job)
    await ana.client.users.updateMe({ wantsJobMail: false })
    await sql`update users set deleted_at = now() where id = ${ben.id}`

    await finish(jobId, 'SUCCEEDED')

    expect([await mails(ana.email), await mails(ben.email)]).toEqual([[], []])
    expect(await sql`select from mails where user_id in (${ana.id}, ${ben.id})`).toHaveLength(0)
  })

  test('is told in spite of a failure on the way to the outbox', async () => {
    const ana = await curious()
    const { jobId } = await ana.client.jobs.create(testJob())
    await finish(jobId, 'SUCCEEDED')

    const insert = () => Promise.reject(new Error('The outbox is full.'))
    await expect(jobMails({ sql, outbox: { insert } })()).rejects.toThrow('full')

    expect(await subjects(ana)).toHaveLength(1)
  })

  test('is not told again by a process that had seen the wish before another fulfilled it', async () => {
    const ana = await curious()
    const { jobId } = await ana.client.jobs.create(testJob())
    await finish(jobId, 'SUCCEEDED')
    const insert = vi.fn(outboxStore(sql).insert)
    const other = await holdOpen(sql, (tx) => tx`update job_requests set mail_due = false where job_id = ${jobId}`)

    const fulfilled = jobMails({ sql, outbox: { insert } })()
    await untilBlocked(sql)
    await other.commit()
    await fulfilled

    expect(insert).not.toHaveBeenCalled()
    expect(await mails(ana.email)).toEqual([])
  })

  test('is left to the process that is telling them', async () => {
    const ana = await curious()
    const { jobId } = await ana.client.jobs.create(testJob())
    await finish(jobId, 'SUCCEEDED')
    const other = await holdOpen(sql, (tx) => tx`select from jobs where id = ${jobId} for no key update`)

    expect(await mails(ana.email)).toEqual([])
    await other.commit()

    expect(await subjects(ana)).toHaveLength(1)
  })

  test('holds up nobody else, however many there are', async () => {
    const ana = await curious()
    await sql`
      with job as (
        insert into jobs (id, type, status, user_id, max_attempts, finished_at)
        select gen_random_uuid(), 'TEST', 'FAILED', ${ana.id}, 3, now() from generate_series(1, 60)
        returning id
      ), payload as (
        insert into job_payloads (job_id, input, resolved) select id, '{}', '{}' from job
      )
      insert into job_requests (id, job_id, user_id, cached, mail_due)
      select gen_random_uuid(), id, ${ana.id}, false, true from job
    `
    const fulfil = jobMails({ sql, outbox: outboxStore(sql) })

    expect(await fulfil()).toBe(true)
    expect(await fulfil()).toBe(false)

    expect(await mails(ana.email)).toHaveLength(60)
  })
})
