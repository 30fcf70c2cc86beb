import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Hono } from 'hono'
import { generateSigningKey } from './auth/access-tokens.ts'
import type { Config } from './config.ts'
import { type DataDir, openDataDir } from './db/data-dir.ts'
import { startEmbeddedPostgres } from './db/embedded-postgres.ts'
import type { Log } from './log.ts'
import { folderTransport } from './mail/folder-transport.ts'
import { smtpTransport } from './mail/smtp-transport.ts'
import type { MailTransport } from './mail/transport.ts'
import { createDiskStore } from './store/disk-store.ts'
import { diskStoreRoutes } from './store/disk-store-routes.ts'
import type { ObjectStore } from './store/object-store.ts'
import { openS3Store } from './store/open-s3-store.ts'

/** What the service stands on: a database, an object store, and its secrets. */
export interface Backing {
  databaseUrl: string
  databaseDirectUrl: string | undefined
  store: ObjectStore
  objects: Hono | undefined
  mail: MailTransport
  signingKey: string
  dataDir: DataDir
  /** Where all this is, for people. */
  places: Record<string, string>
  close(): Promise<void>
}

/** Opens what the configuration names, and brings along what it leaves out. `publicUrl` is known once the service listens. */
export async function openBacking(config: Config, log: Log, publicUrl: () => string): Promise<Backing> {
  const dataDir = await openDataDir(resolve(config.DATA_DIR))
  try {
    const secret = (name: string) => dataDir.readOrCreateSecret(name, () => randomBytes(32).toString('base64url'))
    const signingKey = config.JWT_PRIVATE_KEY ?? (await dataDir.readOrCreateSecret('jwt-key.pem', generateSigningKey))
    const files = config.S3_BUCKET
      ? { store: openS3Store(config, config.S3_BUCKET), objects: undefined }
      : diskStore(`${dataDir.path}/objects`, await secret('store-secret'), publicUrl)
    const outbox = `${dataDir.path}/outbox`
    const mail = mailTransport(config, outbox)
    const embedded = config.DATABASE_URL ? undefined : await startEmbeddedPostgres({ dataDir, log })
    return {
      databaseUrl: config.DATABASE_URL ?? embedded!.url,
      databaseDirectUrl: config.DATABASE_DIRECT_URL,
      ...files,
      mail,
      signingKey,
      dataDir,
      places: {
        database: embedded ? `embedded PostgreSQL in ${dataDir.path}` : hostOf(config.DATABASE_URL!),
        files: config.S3_BUCKET ? `bucket ${config.S3_BUCKET}` : `${dataDir.path}/objects`,
        mail: config.SMTP_URL ? `mail server ${new URL(config.SMTP_URL).host}` : outbox,
      },
      async close() {
        mail.close()
        try {
          await embedded?.stop()
        } finally {
          dataDir.close()
        }
      },
    }
  } catch (error) {
    dataDir.close()
    throw error
  }
}

function diskStore(root: string, secret: string, publicUrl: () => string) {
  const store = createDiskStore({ root, secret, baseUrl: () => `${publicUrl()}/objects` })
  return { store, objects: diskStoreRoutes(store) }
}

function mailTransport({ SMTP_URL, MAIL_FROM: from }: Config, folder: string): MailTransport {
  return SMTP_URL ? smtpTransport({ url: SMTP_URL, from }) : folderTransport({ folder, from })
}

/** A database's address without its password. */
function hostOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `PostgreSQL at ${host}${pathname}`
}
