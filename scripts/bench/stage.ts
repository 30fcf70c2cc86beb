import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v7 as uuid } from 'uuid'
import { createClient } from '../../sdk/index.ts'
import { openDataDir } from '../../src/db/data-dir.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts'
import { connect, type Sql } from '../../src/db/sql.ts'

export interface Stage {
  /** The service, in a process of its own. */
  url: string
  /** Its process, for its CPU time. */
  pid: number
  /** The same database, past the service. */
  databaseUrl: string
  sql: Sql
  /** Headers of somebody who may start as many jobs as they like, and of a worker. */
  admin: Record<string, string>
  worker: Record<string, string>
  userId: string
  close(): Promise<void>
}

/** A PostgreSQL with durable defaults and the service beside it, in a temporary directory, on free ports. Logs are on, into a file. */
export async function setStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'fieldstation-bench-'))
  const dataDir = await openDataDir(join(folder, 'database'))
  const quiet = { info() {}, warn: console.warn, error: console.error }
  const database = await startEmbeddedPostgres({ dataDir, log: quiet })
  const password = randomBytes(18).toString('base64url')
  const { child, url } = await startServiceProcess(folder, {
    DATABASE_URL: database.url,
    DATA_DIR: join(folder, 'service'),
    ADMIN_EMAIL: 'admin@fieldstation.local',
    ADMIN_PASSWORD: password,
  })
  const sql = connect(database.url, { max: 8 })
  const client = createClient({ baseUrl: url })
  const { token } = await client.auth.login({ email: 'admin@fieldstation.local', password })
  const { key } = await client.users.createApiKey({ name: 'bench', scopes: ['jobs:work'] })
  const { id: userId } = await client.users.me()
  return {
    url,
    pid: child.pid!,
    databaseUrl: database.url,
    sql,
    userId,
    admin: { authorization: `Bearer ${token}` },
    worker: { 'x-api-key': key },
    async close() {
      await sql.end({ timeout: 5 })
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      await database.stop()
      dataDir.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startServiceProcess(folder: string, environment: Record<string, string>) {
  const log = openSync(join(folder, 'service.log'), 'a')
  const env = { ...environment, PORT: '0', LOCAL_WORKERS: '0', LOG_LEVEL: 'info' }
  const child: ChildProcess = fork('src/main/node.ts', { env, stdio: ['ignore', 'pipe', log, 'ipc'] })
  closeSync(log)
  const url = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const found = /ready at (\S+)/.exec(text)?.[1]
      if (found) resolve(found)
    })
    child.once('exit', (code) => reject(new Error(`The service ended with ${code}.`)))
  })
  return { child, url }
}

/** Finished jobs as they pile up over time, past the service: so many at once. */
export async function seedFinished({ sql, userId }: Stage, count: number): Promise<void> {
  const batch = 100_000
  for (let done = 0; done < count; done += batch) {
    await sql`
      with job as (
        insert into jobs (id, type, status, user_id, max_attempts, attempts, last_event_id, created_at, available_at, started_at, finished_at)
        select uuidv7(), 'TEST', 'SUCCEEDED', ${userId}, 3, 1, 3, now(), now(), now(), now()
        from generate_series(1, ${Math.min(batch, count - done)})
        returning id
      )
      insert into job_payloads (job_id, input, resolved)
      select id, '{"id": 1}', '{"id": 1}' from job
    `
  }
  await sql`vacuum analyze jobs, job_payloads`
}

/** Removes all jobs, and what hangs on them. */
export async function clearJobs({ sql }: Stage): Promise<void> {
  await sql`truncate jobs cascade`
}

export const newId = uuid
