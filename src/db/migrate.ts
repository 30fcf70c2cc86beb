import { readdir, readFile } from 'node:fs/promises'
import { connectForMigrating, type Sql } from './sql.ts'

/** The database cannot be reached, or a migration does not go through. The message says which, and nothing of it was kept. */
export class MigrationFailed extends Error {
  override name = 'MigrationFailed'
}

const ours = new URL('./migrations/', import.meta.url)
/** Any number; it names the lock under which one process at a time migrates. */
const lockId = 7_318_402_651

/** Brings the database at `url` (a session connection, not a pooler) up to date. Several processes may call this at once. */
export async function migrate(url: string, folder = ours): Promise<string[]> {
  const sql = connectForMigrating(url)
  try {
    await sql`select pg_advisory_lock(${lockId})`.catch(explain(`The database at ${new URL(url).host} cannot be used`))
    await sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())`.catch(
      explain('The table of migrations cannot be made'),
    )
    const applied = new Set((await sql<{ name: string }[]>`select name from migrations`).map(({ name }) => name))
    const pending = (await readdir(folder)).filter((name) => name.endsWith('.sql') && !applied.has(name)).sort()
    for (const name of pending) await apply(sql, name, await readFile(new URL(name, folder), 'utf8'))
    return pending
  } finally {
    await sql.end({ timeout: 5 })
  }
}

async function apply(sql: Sql, name: string, text: string): Promise<void> {
  await sql
    .begin(async (tx) => {
      await tx.unsafe(text)
      await tx`insert into migrations (name) values (${name})`
    })
    .catch(explain(`Migration ${name} failed and was taken back`))
}

/** A connection that failed at several addresses has a code and no words. */
const explain = (what: string) => (cause: Error & { code?: string }) => {
  throw new MigrationFailed(`${what}: ${cause.message || cause.code}`, { cause })
}
