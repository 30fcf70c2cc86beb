import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { smtpTransport } from '../../src/mail/smtp-transport.ts'
import { openOutbox } from './outbox.ts'
import { startSmtpServer } from './smtp-server.ts'

const from = { name: 'Rif Ålesund, «Feltstasjon»', address: 'no-reply@reef.example' }
const inbox = await openOutbox()
const { log, sql } = inbox

function deliveryBy(url: string) {
  const transport = smtpTransport({ url, from })
  onTestFinished(() => transport.close())
  return inbox.mailer(transport)
}

/** What the log and the table tell of failures. */
const told = async () => JSON.stringify([log.lines, await sql`select error from mails`])

describe('a mail by SMTP', () => {
  test('arrives as it was written', async () => {
    const server = await startSmtpServer()
    const { id, recipient } = await inbox.post('Überraschung am Riff 🐠', {
      text: 'Grüße aus Tromsø\nund von Łukasz',
      html: '<p>Grüße aus <b>Tromsø</b></p>',
    })

    await deliveryBy(server.url).deliverDue()

    const [{ mail, to, from: sender }] = server.received as [(typeof server.received)[0]]
    expect({ to, sender }).toEqual({ to: [recipient], sender: from.address })
    expect(mail).toMatchObject({
      subject: 'Überraschung am Riff 🐠',
      from,
      to: [{ name: '', address: recipient }],
      messageId: `<${id}@reef.example>`,
      text: expect.stringContaining('Grüße aus Tromsø\nund von Łukasz'),
      html: expect.stringContaining('<p>Grüße aus <b>Tromsø</b></p>'),
    })
    expect(mail.cc ?? mail.bcc ?? mail.attachments).toEqual([])
    expect(await inbox.rowOf(id)).toMatchObject({ attempts: 1, sentAt: expect.any(Date), error: null })
  })

  test('says of the service’s own letters that nobody need answer them, and not of people’s', async () => {
    const server = await startSmtpServer()
    const data = { changedAt: '2026-03-02T21:30:00.000Z' }
    await inbox.outbox.insert({ template: 'password-changed', recipient: 'ana@reef.example', data })
    await inbox.post('From a person')

    await deliveryBy(server.url).deliverDue()

    const marks = server.received.map(({ mail }) => mail.headers.find(({ key }) => key === 'auto-submitted')?.value)
    expect(marks.sort()).toEqual(['auto-generated', undefined])
  })

  test.each(['recipient', 'data'] as const)('is tried again after a refusal for now (%s)', async (at) => {
    const server = await startSmtpServer({ moods: [{ at, code: 451, words: 'Come back later' }] })
    const mailer = deliveryBy(server.url)
    const { id } = await inbox.post('Tried twice')

    await mailer.deliverDue()
    const waiting = await inbox.rowOf(id)
    await mailer.deliverDue()
    const untouched = await inbox.rowOf(id)
    await inbox.makeDue(id)
    await mailer.deliverDue()

    expect(waiting).toMatchObject({ attempts: 1, sentAt: null, failedAt: null })
    expect(waiting.error).toContain('Come back later')
    expect(untouched).toMatchObject({ attempts: 1, sentAt: null })
    expect(await inbox.rowOf(id)).toMatchObject({ attempts: 2, sentAt: expect.any(Date), error: null })
    expect(server.received.filter(({ mail }) => mail.subject === 'Tried twice').at(-1)?.mail.messageId).toContain(id)
  })

  test.each(['recipient', 'data'] as const)(
    'is given up after a refusal for good (%s), and logged without the address',
    async (at) => {
      const words = 'Nobody here is called nemo@reef.example'
      const server = await startSmtpServer({ moods: [{ at, code: 550, words }] })
      const mailer = deliveryBy(server.url)
      const { id, recipient } = await inbox.post('Given up')

      await mailer.deliverDue()
      await inbox.makeDue(id)
      await mailer.deliverDue()

      expect(await inbox.rowOf(id)).toMatchObject({ attempts: 1, sentAt: null, failedAt: expect.any(Date) })
      expect((await inbox.rowOf(id)).error).toContain(words)
      const line = log.lines.find(({ fields }) => 'mailId' in fields && fields.mailId === id)
      expect(line).toMatchObject({
        level: 'warn',
        message: 'mail given up',
        fields: { reason: expect.stringContaining('550') },
      })
      for (const secret of [recipient, 'nemo', 'boats']) expect(JSON.stringify(log.lines)).not.toContain(secret)
    },
  )

  test('keeps its Message-ID when the server takes it and dies before it says so', async () => {
    const server = await startSmtpServer({ moods: [{ at: 'answer' }] })
    const mailer = deliveryBy(server.url)
    const { id } = await inbox.post('Perhaps twice')
    await sql`update mails set created_at = '2026-03-02T21:30:00Z' where id = ${id}`

    await mailer.deliverDue()
    expect(server.received).toHaveLength(1)
    expect(await inbox.rowOf(id)).toMatchObject({ attempts: 1, sentAt: null, failedAt: null })
    await inbox.makeDue(id)
    await mailer.deliverDue()

    expect(server.received.map(({ mail }) => mail.messageId)).toEqual(Array(2).fill(`<${id}@reef.example>`))
    expect(server.received.map(({ mail }) => mail.date)).toEqual(Array(2).fill('2026-03-02T21:30:00.000Z'))
    expect(await inbox.rowOf(id)).toMatchObject({ attempts: 2, sentAt: expect.any(Date) })
  })

  test('waits while there is no server', async () => {
    const { id } = await inbox.post('Nobody at home')

    await deliveryBy('smtp://127.0.0.1:1').deliverDue()

    expect(await inbox.rowOf(id)).toMatchObject({ attempts: 1, sentAt: null, failedAt: null })
    expect((await inbox.rowOf(id)).error).toContain('ESOCKET')
  })

  test('is tried once at a time, and not again and again with a server that hangs up', async () => {
    let calls = 0
    const server = createServer((socket) => {
      calls++
      socket.destroy()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { id } = await inbox.post('Hung up')

    await deliveryBy(`smtp://127.0.0.1:${(server.address() as AddressInfo).port}`).deliverDue()

    expect(calls).toBe(1)
    expect(await inbox.rowOf(id)).toMatchObject({ attempts: 1, sentAt: null, failedAt: null })
  })

  test('goes with the credentials of the URL', async () => {
    const seen: unknown[] = []
    const server = await startSmtpServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, answer) => {
        seen.push([username, password])
        answer(null, { user: username })
      },
    })
    const { id } = await inbox.post('Signed in')

    await deliveryBy(`smtp://ana%40reef:s%2Fnd@127.0.0.1:${server.port}`).deliverDue()

    expect(seen).toEqual([['ana@reef', 's/nd']])
    expect(await inbox.rowOf(id)).toMatchObject({ sentAt: expect.any(Date) })
  })

  test('waits when the credentials are refused, which says nothing of the mail, and gives them away nowhere', async () => {
    const server = await startSmtpServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ password }, _session, answer) => answer(new Error(`No such password: ${password}`)),
    })
    const { id } = await inbox.post('Locked out')

    await deliveryBy(`smtp://ana:sesame-open@127.0.0.1:${server.port}`).deliverDue()

    expect(await inbox.rowOf(id)).toMatchObject({
      attempts: 1,
      sentAt: null,
      failedAt: null,
      error: 'EAUTH 535 after AUTH PLAIN',
    })
    expect(await told()).not.toContain('sesame')
  })

  test('goes to no server whose certificate is not known', async () => {
    const server = await startSmtpServer({ secure: true })
    const { id } = await inbox.post('Eavesdropped')

    await deliveryBy(`smtps://127.0.0.1:${server.port}`).deliverDue()
    expect(await inbox.rowOf(id)).toMatchObject({ attempts: 1, sentAt: null, failedAt: null })
    await inbox.makeDue(id)
    await deliveryBy(`smtps://127.0.0.1:${server.port}?tls.rejectUnauthorized=false`).deliverDue()

    expect(await inbox.rowOf(id)).toMatchObject({ sentAt: expect.any(Date) })
  })
})

test('goes nowhere in the clear where the URL insists on TLS', async () => {
  const server = await startSmtpServer()
  const { id } = await inbox.post('Overheard')

  await deliveryBy(`${server.url}?requireTLS=true`).deliverDue()

  expect(server.received).toEqual([])
  expect(await inbox.rowOf(id)).toMatchObject({ attempts: 1, sentAt: null, failedAt: null })
})

describe('a recipient', () => {
  test.each([
    'ana@reef.example, ben@reef.example',
    'ana@reef.example;ben@reef.example',
    'Reef: ana@reef.example, ben@reef.example;',
    'Ana <ana@reef.example>',
    '<ana@reef.example>',
    'ana@reef.example (a comment)',
    'ana@reef.example\r\nBcc: ben@reef.example',
    'ana@reef.example\nben@reef.example',
    'ana@reef.example> SIZE=1',
    '"ana ben"@reef.example',
    'ana',
    '',
  ])('that is not one plain address gets nothing: %j', async (recipient) => {
    const server = await startSmtpServer()
    const id = await inbox.outbox.insert({ template: 'message', recipient, data: { subject: 'Sneaky', text: 'Hi' } })

    await deliveryBy(server.url).deliverDue()

    expect(server.received).toEqual([])
    expect(await inbox.rowOf(id)).toMatchObject({ failedAt: expect.any(Date), error: 'not an address' })
  })
})

test('a subject cannot begin another header', async () => {
  const server = await startSmtpServer()
  await inbox.post('Hello\r\nBcc: ben@reef.example\r\n\r\nAnother body')

  await deliveryBy(server.url).deliverDue()

  const [{ raw, mail, to }] = server.received as [(typeof server.received)[0]]
  expect(to).toHaveLength(1)
  expect(mail.bcc ?? []).toEqual([])
  expect(raw).not.toMatch(/^bcc:/im)
  expect(mail.text).toContain('The boats leave at six.')
})
