import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { generateSigningKey } from '../../src/auth/access-tokens.ts'
import { openDataDir } from '../../src/db/data-dir.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts'
import { migrate } from '../../src/db/migrate.ts'
import { connect } from '../../src/db/sql.ts'

export interface Cluster {
  /** Where databases are made. */
  adminUrl: string
  /** The migrated database that each test file's own is cloned from. */
  template: string
  /** Making an RSA key takes long; one does for all. */
  signingKey: string
}

declare module 'vitest' {
  interface ProvidedContext {
    cluster: Cluster
  }
}

/** One PostgreSQL for the whole run: the embedded one, or the one that DATABASE_URL names. */
export default async function setUpCluster(project: TestProject) {
  const server = process.env.DATABASE_URL ? { url: process.env.DATABASE_URL, stop: async () => {} } : await startOwn()
  const template = `fieldstation_template_${randomUUID().slice(0, 8)}`
  const admin = connect(server.url, { max: 1 })
  await admin`create database ${admin(template)}`
  await migrate(databaseUrl(server.url, template))
  project.provide('cluster', { adminUrl: server.url, template, signingKey: generateSigningKey() })

  return async () => {
    await admin`drop database ${admin(template)} with (force)`
    await admin.end({ timeout: 5 })
    await server.stop()
  }
}

async function startOwn() {
  const path = await mkdtemp(join(tmpdir(), 'fieldstation-tests-'))
  const dataDir = await openDataDir(path)
  const log = { debug() {}, info() {}, warn: console.warn, error: console.error }
  // Only a superuser may end an autovacuum worker: `drop database` and who ends all connections would fail where one is at work.
  const settings = { max_connections: '300', autovacuum: 'off' }
  const server = await startEmbeddedPostgres({ dataDir, log, durable: false, settings })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      dataDir.close()
      await rm(path, { recursive: true, force: true })
    },
  }
}

/** The same server, another database. */
export function databaseUrl(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}
