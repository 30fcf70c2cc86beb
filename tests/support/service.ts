import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v7 as uuid } from 'uuid'
import { inject } from 'vitest'
import { type Client, type ClientOptions, createClient } from '../../sdk/index.ts'
import { accessTokens } from '../../src/auth/access-tokens.ts'
import type { Role, Scope } from '../../src/auth/caller.ts'
import { sessionStore } from '../../src/auth/session-store.ts'
import { compose, type Parts } from '../../src/compose.ts'
import { connect } from '../../src/db/sql.ts'
import type { Log } from '../../src/log.ts'
import type { MailTransport, OutgoingMail } from '../../src/mail/transport.ts'
import { createDiskStore } from '../../src/store/disk-store.ts'
import { diskStoreRoutes } from '../../src/store/disk-store-routes.ts'
import { userStore } from '../../src/users/user-store.ts'
import { atEnd } from './at-end.ts'
import { databaseUrl } from './cluster.ts'
import { checkAgainstContract } from './contract-check.ts'

const baseUrl = 'http://fieldstation.test'
const { signingKey } = inject('cluster')
const tokens = await accessTokens(signingKey)

export interface Person {
  id: string
  email: string
  token: string
  client: Client
}

type TestOptions = Partial<Parts> & { log?: ReturnType<typeof memoryLog> }
export type TestService = Awaited<ReturnType<typeof startTestService>>

/** An empty database of the file's own, dropped when its tests are over. */
export async function createDatabase(): Promise<string> {
  const { adminUrl, template } = inject('cluster')
  const name = `fieldstation_test_${randomUUID().replaceAll('-', '')}`
  const admin = connect(adminUrl, { max: 1 })
  await admin`create database ${admin(name)} template ${admin(template)}`
  atEnd(async () => {
    await admin`drop database ${admin(name)} with (force)`
    await admin.end({ timeout: 5 })
  })
  return databaseUrl(adminUrl, name)
}

/** Lines are kept, so that a test can look for them; an error that nobody expects is printed. */
export function memoryLog({
  expectsErrors = false,
} = {}): Log & { lines: { level: string; message: string; fields: object }[] } {
  const lines: { level: string; message: string; fields: object }[] = []
  const note =
    (level: string) =>
    (message: string, fields: object = {}) => {
      lines.push({ level, message, fields })
      if (level === 'error' && !expectsErrors) console.error(message, fields)
    }
  return { lines, debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
}

/** Mail that goes nowhere, in the order in which it was sent. */
export function memoryTransport(): MailTransport & { sent: OutgoingMail[] } {
  const sent: OutgoingMail[] = []
  return { sent, send: async (mail) => void sent.push(mail), close: () => {} }
}

/**
 * The whole service on a database of its own, reached through the SDK with no network in between.
 * Every answer is held against the contract.
 */
export async function startTestService({ log = memoryLog(), ...overrides }: TestOptions = {}) {
  const url = overrides.databaseUrl ?? (await createDatabase())
  const root = await mkdtemp(join(tmpdir(), 'fieldstation-objects-'))
  const store = createDiskStore({ root, secret: randomUUID(), baseUrl: `${baseUrl}/objects` })
  const transport = memoryTransport()
  const service = await compose({
    mail: { transport, publicUrl: () => baseUrl },
    databaseUrl: url,
    poolSize: 5,
    store,
    objects: diskStoreRoutes(store),
    signingKey,
    trustedIssuers: [],
    isRegistrationOpen: true,
    maxActiveJobs: 1000,
    jobRetentionDays: 90,
    corsOrigins: ['https://console.reef.example'],
    bodyLimitBytes: 1024 * 1024,
    imageLimitBytes: 256 * 1024 * 1024,
    trustedProxies: 1,
    // Whoever tests a chore calls it.
    firstChoreMs: () => 600_000,
    log,
    ...overrides,
  })
  atEnd(async () => {
    await service.close()
    await rm(root, { recursive: true, force: true })
  })

  async function fetch(request: Request): Promise<Response> {
    const response = await service.app.fetch(request)
    await checkAgainstContract(request, response)
    return response
  }
  /** A request as it comes, past the SDK: for what the SDK would never send. */
  const send = (path: string, init?: RequestInit) => fetch(new Request(`${baseUrl}${path}`, init))
  const client = (options: Partial<ClientOptions> = {}) => createClient({ baseUrl, fetch, retries: 0, ...options })

  return { ...service, databaseUrl: url, store, log, baseUrl, fetch, send, client, person, worker, mails }

  /** Sends all mail that is due, and gives what this address, or anybody, was sent so far: `subject`, `text`, `html`. Oldest first. */
  async function mails(recipient?: string): Promise<OutgoingMail[]> {
    await service.mailer.deliverDue()
    return transport.sent.filter((mail) => recipient === undefined || mail.recipient === recipient)
  }

  /** Somebody who is signed in. Spares the password hash, which is slow on purpose; the tests of Auth do it in full. */
  async function person(...roles: Role[]): Promise<Person> {
    const [id, sessionId, email] = [uuid(), uuid(), `${randomUUID()}@reef.example`]
    await userStore(service.sql).insert({ id, email, roles: ['USER', ...roles] })
    await sessionStore(service.sql).insert({ id: sessionId, userId: id, tokenHash: randomBytes(32) })
    const token = await tokens.sign(id, sessionId)
    return { id, email, token, client: client({ token }) }
  }

  /** A worker with an API key of its own. */
  async function worker(scopes: Scope[] = ['jobs:work']): Promise<Person & { key: string }> {
    const owner = await person('WORKER')
    const { key } = await owner.client.users.createApiKey({ name: 'A worker', scopes })
    return { ...owner, key, client: client({ apiKey: key }) }
  }
}
