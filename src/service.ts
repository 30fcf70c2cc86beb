import { randomBytes } from 'node:crypto'
import { faultOf } from './auth/password-rules.ts'
import { newSecret } from './auth/secrets.ts'
import { openBacking } from './backing.ts'
import { compose, type Service } from './compose.ts'
import { settingsOf } from './compose-services.ts'
import type { Config } from './config.ts'
import type { DataDir } from './db/data-dir.ts'
import { migrate } from './db/migrate.ts'
import type { Log } from './log.ts'
import { cleanUp } from './main/clean-up.ts'
import { startHttpServer } from './main/http-server.ts'

export interface RunningService {
  /** Where clients find it. */
  url: string
  /** For people: what it stands on. */
  places: Record<string, string>
  /** The first admin, if one was made just now: the only time that its password is known. */
  newAdmin: { email: string; password: string } | undefined
  /** The key of the service's own workers; none if their account is somebody else's. */
  workerKey: string | undefined
  /** Answers what is under way, takes nothing new, and lets go of everything. */
  close(): Promise<void>
}

/** Starts the whole service: what it stands on, the schema, the first admin, and the server. */
export async function startService(config: Config, log: Log): Promise<RunningService> {
  let url = config.PUBLIC_URL ?? ''
  const backing = await openBacking(config, log, () => url)
  const undo = [() => backing.close()]
  try {
    await migrate(backing.databaseDirectUrl ?? backing.databaseUrl)
    const service = await compose({
      ...backing,
      mail: { transport: backing.mail, publicUrl: () => url, passwordResetUrl: config.PASSWORD_RESET_URL },
      poolSize: config.DATABASE_POOL_SIZE,
      ...settingsOf(config),
      log,
    })
    undo.unshift(() => service.close())
    // The port is ours before an admin is made, whose password would be lost with a start that fails; accounts are there before the
    // first request, which could take their names.
    const accounts = Promise.withResolvers<void>()
    const fetch: typeof service.app.fetch = (...call) => accounts.promise.then(() => service.app.fetch(...call))
    const server = await startHttpServer({ fetch, host: config.HOST, port: config.PORT })
    undo.unshift(async () => {
      service.beginShutdown()
      await server.stop()
    })
    const made = await makeAccounts(service, config, backing.dataDir, log)
    url ||= server.url
    service.startMail()
    accounts.resolve()
    if (server.isOnAllAddresses && !config.PUBLIC_URL)
      log.warn('links to files lead to this machine alone: set PUBLIC_URL to how clients reach the service', {
        at: url,
      })
    if (config.NODE_ENV === 'production' && !config.SMTP_URL)
      log.warn('mail is put into a folder, and sent to nobody: set SMTP_URL', { folder: backing.places.mail })
    log.info('service started', { at: url })
    return {
      ...made,
      url,
      places: backing.places,
      async close() {
        await cleanUp(undo, log)
        log.info('service stopped')
      },
    }
  } catch (error) {
    // What went wrong first is what is told.
    await cleanUp(undo, log).catch(() => {})
    throw error
  }
}

const makeAccounts = async (service: Service, config: Config, dataDir: DataDir, log: Log) => ({
  newAdmin: await bootstrapAdmin(service, config, log),
  workerKey: await workerKey(service, dataDir, log),
})

/** Makes the admin that the configuration names, or one with a password of its own where there is none at all. */
async function bootstrapAdmin({ firstAccounts }: Service, { ADMIN_EMAIL, ADMIN_PASSWORD }: Config, log: Log) {
  const roles = ['USER', 'ADMIN'] as const
  if (ADMIN_EMAIL && ADMIN_PASSWORD) {
    const fault = await faultOf(ADMIN_PASSWORD, ADMIN_EMAIL)
    if (fault) log.warn('ADMIN_PASSWORD is easy to guess', { fault })
    const outcome = await firstAccounts.createAccount(ADMIN_EMAIL, ADMIN_PASSWORD, [...roles])
    if (outcome === 'other') log.warn('ADMIN_EMAIL belongs to an account that is no admin: left as it is')
    return undefined
  }
  if (await firstAccounts.hasAdmin()) return undefined
  const admin = { email: 'admin@fieldstation.local', password: randomBytes(18).toString('base64url') }
  return (await firstAccounts.createAccount(admin.email, admin.password, [...roles])) === 'created' ? admin : undefined
}

/** Kept in the data directory, so that a restart goes on with the same key. */
async function workerKey({ firstAccounts, apiKeys }: Service, dataDir: DataDir, log: Log): Promise<string | undefined> {
  const email = 'worker@fieldstation.local'
  const userId = await firstAccounts.ensureServiceAccount(email, 'Local worker', ['USER', 'WORKER'])
  if (!userId) {
    log.warn('the account of the local workers belongs to somebody else: there are none', { email })
    return undefined
  }
  const key = await dataDir.readOrCreateSecret('worker-key', () => newSecret('fs_'))
  await apiKeys.adopt(userId, key, 'Local worker', ['jobs:work'])
  return key
}
