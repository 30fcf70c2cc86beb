import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import { expect, onTestFinished, test } from 'vitest'
import { createClient } from '../../sdk/index.ts'
import { generateSigningKey } from '../../src/auth/access-tokens.ts'
import { readConfig } from '../../src/config.ts'
import { startService } from '../../src/service.ts'
import { temporaryFolder } from '../support/processes.ts'
import { createDatabase, memoryLog } from '../support/service.ts'
import { startSmtpServer } from './smtp-server.ts'

const credentials = { email: 'ana@reef.example', password: 'slow-tides-carry-sand' }

/** The service in this process, with an admin, who has asked for a way back in. */
async function startAndRecover(environment: Record<string, string>) {
  const log = memoryLog()
  const config = readConfig({
    PORT: '0',
    LOCAL_WORKERS: '0',
    DATA_DIR: await temporaryFolder(),
    DATABASE_URL: await createDatabase(),
    ADMIN_EMAIL: credentials.email,
    ADMIN_PASSWORD: credentials.password,
    ...environment,
  })
  const service = await startService(config, log)
  onTestFinished(() => service.close())
  await createClient({ baseUrl: service.url }).auth.recoverPassword(credentials.email)
  return { ...service, log, config }
}

/** Where the link leads, and its token. */
const linkIn = (text = '') => /(https?:\S+)#token=(\S+)/.exec(text)?.slice(1) ?? []

test('without a mail server, mail is found in a folder, and its links lead to where the service listens', async () => {
  const { url, places, config } = await startAndRecover({})
  const folder = join(config.DATA_DIR, 'outbox')
  expect(places.mail).toBe(folder)

  const mails = async () => (await readdir(folder)).filter((file) => file.endsWith('.eml') && !file.startsWith('.'))
  await expect.poll(mails).toHaveLength(1)
  const [name] = await mails()
  const mail = await PostalMime.parse(await readFile(join(folder, name!)))

  expect(mail.from).toEqual({ name: 'Fieldstation', address: 'no-reply@fieldstation.local' })
  const [page, token] = linkIn(mail.text)
  expect(page).toBe(`${url}/reset-password`)
  const client = createClient({ baseUrl: url })
  await client.auth.resetPassword({ token: decodeURIComponent(token!), password: 'quick-tides-carry-shells' })
})

test('with a mail server, mail goes there, from whom and with a link to where the configuration says', async () => {
  const server = await startSmtpServer()

  const { places } = await startAndRecover({
    SMTP_URL: server.url,
    MAIL_FROM: 'Riff-Team <riff@reef.example>',
    PASSWORD_RESET_URL: 'https://www.reef.example/new-password',
  })
  await expect.poll(() => server.received).toHaveLength(1)

  expect(places.mail).toBe(`mail server 127.0.0.1:${server.port}`)
  const [{ mail, to }] = server.received as [(typeof server.received)[0]]
  expect(to).toEqual([credentials.email])
  expect(mail.from).toEqual({ name: 'Riff-Team', address: 'riff@reef.example' })
  expect(linkIn(mail.text)[0]).toBe('https://www.reef.example/new-password')
})

test('in production, a service without a mail server says that mail reaches nobody', async () => {
  const { log } = await startAndRecover({ NODE_ENV: 'production', JWT_PRIVATE_KEY: generateSigningKey() })

  expect(log.lines).toContainEqual(
    expect.objectContaining({ level: 'warn', message: expect.stringContaining('SMTP_URL') }),
  )
})
