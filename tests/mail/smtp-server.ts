import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerError, type SMTPServerOptions } from 'smtp-server'
import { afterAll } from 'vitest'

export interface Received {
  raw: string
  mail: Email
  from: string
  to: string[]
}

/** What the server does with the next mail, instead of taking it. */
export type Mood = { at: 'recipient' | 'data'; code: number; words: string } | { at: 'answer' }

export type TestSmtpServer = Awaited<ReturnType<typeof startSmtpServer>>

/** A real mail server on a port of its own. It takes every mail, after it has gone through its moods. */
export async function startSmtpServer({ moods = [], ...options }: SMTPServerOptions & { moods?: Mood[] } = {}) {
  const received: Received[] = []
  const left = [...moods]
  const next = (at: Mood['at']) => (left[0]?.at === at ? left.shift() : undefined)
  const refusal = (mood: Mood | undefined) =>
    mood && mood.at !== 'answer'
      ? Object.assign(new Error(mood.words) as SMTPServerError, { responseCode: mood.code })
      : null

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 1,
    logger: false,
    ...options,
    onRcptTo: (_address, _session, answer) => answer(refusal(next('recipient'))),
    async onData(stream, session, answer) {
      const raw = (await buffer(stream)).toString()
      const { mailFrom, rcptTo } = session.envelope
      const mail = await PostalMime.parse(raw)
      received.push({ raw, mail, from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) })
      if (next('answer')) for (const { _socket } of server.connections) _socket.destroy()
      else answer(refusal(next('data')))
    },
  })
  // A connection that breaks is what some tests are about.
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => new Promise<void>((resolve) => server.close(resolve)))
  const { port } = server.server.address() as AddressInfo
  return { received, port, url: `smtp://127.0.0.1:${port}` }
}
