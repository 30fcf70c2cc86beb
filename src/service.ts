import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { newSecret } from './auth/secrets.ts'
import { openBacking } from './backing.ts'
import { compose, type Service } from './compose.ts'
import type { Config } from './config.ts'
import { migrate } from './db/migrate.ts'
import type { Log } from './log.ts'

export interface RunningService {
  /** Where clients find it. */
  url: string
  /** For people: what it stands on. */
  places: Record<string, string>
  /** The first admin, if one was made just now: the only time that its password is known. */
  newAdmin: { email: string; password: string } | undefined
  /** The key of the service's own workers. */
  workerKey(): Promise<string>
  /** Answers what is under way, takes nothing new, and lets go of everything. */
  close(): Promise<void>
}

const drainMs = 10_000

/** Starts the whole service: what it stands on, the schema, the first admin, and the server. */
export async function startService(config: Config, log: Log): Promise<RunningService> {
  let url = config.PUBLIC_URL ?? ''
  const backing = await openBacking(config, log, () => url)
  const undo = [() => backing.close()]
  try {
    await migrate(backing.databaseDirectUrl ?? backing.databaseUrl)
    const service = await compose({
      ...backing,
      poolSize: config.DATABASE_POOL_SIZE,
      isRegistrationOpen: config.ALLOW_REGISTRATION,
      maxActiveJobs: config.MAX_ACTIVE_JOBS,
      jobRetentionDays: config.JOB_RETENTION_DAYS,
      corsOrigins: config.CORS_ORIGINS,
      bodyLimitBytes: config.BODY_LIMIT_BYTES,
      log,
    })
    undo.unshift(() => service.close())
    const newAdmin = await bootstrapAdmin(service, config, log)
    const server = await listen(service, config)
    const { address, port } = server.address() as AddressInfo
    url ||= `http://${address.includes(':') ? `[${address}]` : address}:${port}`
    log.info('service started', { at: url })
    return {
      url,
      places: backing.places,
      newAdmin,
      workerKey: () => workerKey(service, backing.dataDir),
      async close() {
        service.beginShutdown()
        await drain(server)
        for (const step of undo) await step()
        log.info('service stopped')
      },
    }
  } catch (error) {
    for (const step of undo) await step().catch((cause: unknown) => log.error('clean-up failed', { error: cause }))
    throw error
  }
}

/** Makes the admin that the configuration names, or one with a password of its own where there is none at all. */
async function bootstrapAdmin({ users }: Service, { ADMIN_EMAIL, ADMIN_PASSWORD }: Config, log: Log) {
  const roles = ['USER', 'ADMIN'] as const
  if (ADMIN_EMAIL && ADMIN_PASSWORD) {
    const outcome = await users.createAccount(ADMIN_EMAIL, ADMIN_PASSWORD, [...roles])
    if (outcome === 'other') log.warn('ADMIN_EMAIL belongs to an account that is no admin: left as it is')
    return undefined
  }
  if (await users.hasAdmin()) return undefined
  const admin = { email: 'admin@fieldstation.local', password: randomBytes(18).toString('base64url') }
  return (await users.createAccount(admin.email, admin.password, [...roles])) === 'created' ? admin : undefined
}

/** Kept in the data directory, so that a restart goes on with the same key. */
async function workerKey(
  { users, apiKeys }: Service,
  dataDir: { readOrCreateSecret: (name: string, make: () => string) => Promise<string> },
) {
  const key = await dataDir.readOrCreateSecret('worker-key', () => newSecret('fs_'))
  const userId = await users.ensureServiceAccount('worker@fieldstation.local', 'Local worker', ['USER', 'WORKER'])
  await apiKeys.adopt(userId, key, 'Local worker', ['jobs:work'])
  return key
}

function listen({ app }: Service, { HOST, PORT }: Config): Promise<Server> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  // Long-polls and transfers take their time; headers must not.
  server.requestTimeout = 0
  server.headersTimeout = 20_000
  server.keepAliveTimeout = 65_000
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(PORT, HOST, () => resolve(server))
  })
}

async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), drainMs)
  await closed
  clearTimeout(timer)
}
