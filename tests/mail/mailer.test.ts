import { v7 as uuid } from 'uuid'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createSignals } from '../../src/db/signals.ts'
import { connectForSignals } from '../../src/db/sql.ts'
import { createMailer, startMailLoop } from '../../src/mail/mailer.ts'
import { MailFailed, type OutgoingMail } from '../../src/mail/transport.ts'
import { userStore } from '../../src/users/user-store.ts'
import { holdOpen } from '../support/jobs.ts'
import { memoryLog, memoryTransport } from '../support/service.ts'
import { openOutbox } from './outbox.ts'

const inbox = await openOutbox()
const { sql, outbox, log } = inbox

/** Somebody whom mail can be for. */
async function person(): Promise<string> {
  const id = uuid()
  await userStore(sql).insert({ id, email: `${id}@reef.example` })
  return id
}

/** Takes mails and does not say so until it is told to. */
function slowTransport() {
  const sent: OutgoingMail[] = []
  const begun = Promise.withResolvers<void>()
  const told = Promise.withResolvers<void>()
  return {
    sent,
    isSending: begun.promise,
    goOn: () => told.resolve(),
    async send(mail: OutgoingMail) {
      begun.resolve()
      await told.promise
      sent.push(mail)
    },
  }
}

const failing = (error: Error) => ({ send: () => Promise.reject(error) })
const subjectsOf = (mails: OutgoingMail[]) => mails.map(({ subject }) => subject)

describe('a mailer', () => {
  test('sends more than a batch, each mail once', async () => {
    const transport = memoryTransport()
    const ids = await Promise.all(Array.from({ length: 12 }, async (_, n) => (await inbox.post(`Mail ${n}`)).id))

    await inbox.mailer(transport).deliverDue()
    await inbox.mailer(transport).deliverDue()

    expect(transport.sent.map(({ id }) => id).sort()).toEqual(ids.sort())
  })

  test('forgets what was in a mail once it has gone', async () => {
    const { id } = await inbox.post('Forgotten')

    await inbox.mailer(memoryTransport()).deliverDue()

    const { sentAt, data } = await inbox.rowOf(id)
    expect({ sentAt, data }).toEqual({ sentAt: expect.any(Date), data: {} })
  })

  test('leaves alone what another is sending', async () => {
    const [slow, quick] = [slowTransport(), memoryTransport()]
    await inbox.post('Once')

    const first = inbox.mailer(slow).deliverDue()
    await slow.isSending
    await inbox.mailer(quick).deliverDue()
    slow.goOn()
    await first

    expect(subjectsOf(quick.sent)).toEqual([])
    expect(subjectsOf(slow.sent)).toEqual(['Once'])
  })

  test('passes over a mail that another is claiming this instant', async () => {
    const transport = memoryTransport()
    const [claimed, free] = [await inbox.post('Claimed'), await inbox.post('Free')]
    const held = await holdOpen(sql, (tx) => tx`select from mails where id = ${claimed.id} for update`)

    await inbox.mailer(transport).deliverDue()

    expect(transport.sent.map(({ id }) => id)).toEqual([free.id])
    await held.commit()
    await inbox.mailer(transport).deliverDue()
    expect(transport.sent.map(({ id }) => id)).toEqual([free.id, claimed.id])
  })

  test('sends a mail whose process died, once its time is over and not before', async () => {
    const transport = memoryTransport()
    const { id } = await inbox.post('Orphan')

    expect(await outbox.claim(5)).toMatchObject([{ id, attempts: 1 }])
    expect((await inbox.rowOf(id)).secondsToDue).toBeGreaterThan(240)
    await inbox.mailer(transport).deliverDue()
    expect(transport.sent).toEqual([])
    await inbox.makeDue(id)
    await inbox.mailer(transport).deliverDue()

    expect(transport.sent).toMatchObject([{ id }])
    expect(await inbox.rowOf(id)).toMatchObject({ attempts: 2, sentAt: expect.any(Date) })
  })

  test('does not send again what has gone and could not be marked, and marks it as soon as it can', async () => {
    const transport = memoryTransport()
    const { id } = await inbox.post('Gone')
    const away = vi
      .spyOn({ markSent: outbox.markSent }, 'markSent')
      .mockRejectedValueOnce(new Error('The database is away.'))
    const mailer = inbox.mailer(transport, { markSent: away as never })

    await mailer.deliverDue()
    expect(await inbox.rowOf(id)).toMatchObject({ sentAt: null })
    await inbox.makeDue(id)
    await mailer.deliverDue()

    expect(transport.sent.filter((mail) => mail.id === id)).toHaveLength(1)
    expect(await inbox.rowOf(id)).toMatchObject({ attempts: 1, sentAt: expect.any(Date) })
  })

  test('says no word on a mail that somebody else has claimed since', async () => {
    const { id } = await inbox.post('Slow')
    const [mail] = await outbox.claim(1)
    await inbox.makeDue(id)
    await outbox.claim(1)

    await outbox.giveUp(id, mail!.attempts, 'too late')
    await outbox.retryLater(id, mail!.attempts, 'too late')

    expect(await inbox.rowOf(id)).toMatchObject({ attempts: 2, failedAt: null, error: null })
    await outbox.markSent(id)
  })

  test.each([
    [1, 60],
    [2, 120],
    [5, 960],
    [7, 3600],
    [29, 3600],
  ])('waits longer after each try: after %i about %i seconds', async (attempts, seconds) => {
    const { id } = await inbox.post('Patience')
    await sql`update mails set attempts = ${attempts - 1} where id = ${id}`

    await inbox.mailer(failing(new MailFailed('ESOCKET'))).deliverDue()

    const { secondsToDue, ...row } = await inbox.rowOf(id)
    expect(row).toMatchObject({ attempts, failedAt: null, error: 'ESOCKET' })
    expect(secondsToDue).toBeGreaterThan(seconds * 0.75 - 5)
    expect(secondsToDue).toBeLessThanOrEqual(seconds * 1.25)
    await outbox.markSent(id)
  })

  test('gives up after a day of tries', async () => {
    const { id } = await inbox.post('Hopeless')
    await sql`update mails set attempts = 29 where id = ${id}`

    await inbox.mailer(failing(new MailFailed('ESOCKET'))).deliverDue()

    expect(await inbox.rowOf(id)).toMatchObject({ attempts: 30, failedAt: expect.any(Date), error: 'ESOCKET' })
  })

  test('no longer tries a mail that has killed one process after the other', async () => {
    const transport = memoryTransport()
    const { id } = await inbox.post('Poison')
    await sql`update mails set attempts = 30 where id = ${id}`

    await inbox.mailer(transport).deliverDue()

    expect(transport.sent).toEqual([])
    expect(await inbox.rowOf(id)).toMatchObject({ failedAt: expect.any(Date), error: 'tried too often' })
  })

  test('drops the mail of somebody who has gone meanwhile', async () => {
    const transport = memoryTransport()
    const userId = await person()
    const id = await outbox.insert({ template: 'recovery', recipient: 'ana@reef.example', userId, data: {} })
    await sql`update users set deleted_at = now() where id = ${userId}`

    await inbox.mailer(transport).deliverDue()

    expect(transport.sent).toEqual([])
    expect(await inbox.rowOf(id)).toMatchObject({ failedAt: expect.any(Date), error: 'the account is gone' })
  })

  test('sends mail although wishes for it cannot be fulfilled', async () => {
    const transport = memoryTransport()
    const { id } = await inbox.post('Nevertheless')
    const fulfilWishes = () => Promise.reject(new Error('A wish too many.'))

    await createMailer({ outbox, fulfilWishes, write: inbox.write, transport, log }).deliverDue()

    expect(transport.sent).toMatchObject([{ id }])
    expect(log.lines).toContainEqual(expect.objectContaining({ message: 'wishes for mail not fulfilled' }))
  })

  test('finishes what is under way when it is stopped, and begins nothing', async () => {
    const slow = slowTransport()
    const mailer = inbox.mailer(slow)
    const posted = await Promise.all(Array.from({ length: 6 }, (_, n) => inbox.post(`Last ${n}`)))

    const delivered = mailer.deliverDue()
    await slow.isSending
    const stopped = mailer.stop()
    slow.goOn()
    await Promise.all([delivered, stopped])

    expect(slow.sent).toHaveLength(5)
    const rows = await sql`select from mails where id = any(${posted.map(({ id }) => id)}) and sent_at is not null`
    expect(rows).toHaveLength(5)
    await inbox.mailer(memoryTransport()).deliverDue()
  })
})

describe('a mail loop', () => {
  function start(signals = inbox.signals) {
    const arrived = Promise.withResolvers<OutgoingMail>()
    const transport = { send: async (mail: OutgoingMail) => arrived.resolve(mail) }
    const loop = startMailLoop({ mailer: inbox.mailer(transport), signals, log, pollMs: 2 ** 30 })
    onTestFinished(() => loop.stop())
    return { arrived: arrived.promise, loop }
  }

  test('sends at once what commits, here and in other processes', async () => {
    const elsewhere = await createSignals({ wire: connectForSignals(inbox.url), log: memoryLog() })
    onTestFinished(() => elsewhere.close())
    const here = start()
    const { id } = await inbox.post('News')
    expect(await here.arrived).toMatchObject({ id })
    await here.loop.stop()

    const there = start(elsewhere)
    const { id: nextId } = await inbox.post('More news')
    expect(await there.arrived).toMatchObject({ id: nextId })
  })

  test('hears nothing of what is rolled back', async () => {
    const heard: string[] = []
    inbox.signals.subscribe({ onTopic: (topic) => heard.push(topic), onGap() {} })
    const data = { subject: 'Never', text: 'Hi' }

    const undone = sql.begin(async (tx) => {
      await outbox.insert({ template: 'message', recipient: 'ana@reef.example', data }, tx)
      throw new Error('Undone.')
    })
    await expect(undone).rejects.toThrow('Undone.')
    inbox.signals.publish('after')
    const { arrived } = start()
    const { id } = await inbox.post('Heard')

    expect(await arrived).toMatchObject({ id })
    expect(heard.filter((topic) => topic === 'mail')).toHaveLength(1)
  })

  test('looks by itself for what is due again', async () => {
    const transport = memoryTransport()
    const { id } = await inbox.post('Due again')
    const sent = vi.fn(transport.send)
    const loop = startMailLoop({
      mailer: inbox.mailer({ send: sent }),
      signals: { subscribe: () => {} },
      log,
      pollMs: 5,
    })
    onTestFinished(() => loop.stop())

    await expect.poll(() => transport.sent).toMatchObject([{ id }])
  })

  test('goes on after a failure', async () => {
    const claim = vi.fn(outbox.claim).mockRejectedValueOnce(new Error('The database is away.'))
    const transport = memoryTransport()
    const { id } = await inbox.post('In spite of all')
    const mailer = inbox.mailer(transport, { claim })
    const loop = startMailLoop({ mailer, signals: { subscribe: () => {} }, log, pollMs: 5 })
    onTestFinished(() => loop.stop())

    await expect.poll(() => transport.sent).toMatchObject([{ id }])
    expect(log.lines).toContainEqual(expect.objectContaining({ level: 'warn', message: 'mail delivery failed' }))
  })
})

describe('purge mails', () => {
  test('forgets what was sent or given up a month ago, and nothing else', async () => {
    const post = async (column: 'sent_at' | 'failed_at' | undefined, days: number) => {
      const id = uuid({ msecs: Date.now() - 31 * 86_400_000 })
      await sql`
        insert into mails (id, template, recipient, data, due_at)
        values (${id}, 'message', 'ana@reef.example', '{}', now() + interval '1 day')
      `
      if (column) await sql`update mails set ${sql(column)} = now() - make_interval(days => ${days}) where id = ${id}`
      return id
    }
    const old = [await post('sent_at', 31), await post('failed_at', 31)]
    const kept = [await post('sent_at', 29), await post('failed_at', 29), await post(undefined, 0)]

    expect(await outbox.purge()).toBe(false)

    const rows = await sql<{ id: string }[]>`select id from mails where id = any(${[...old, ...kept]})`
    expect(rows.map(({ id }) => id).sort()).toEqual(kept.sort())
  })
})
