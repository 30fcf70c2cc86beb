import { createHash } from 'node:crypto'
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
    await prepare(sql).catch(explain('The table of migrations cannot be made'))
    const files = await readMigrations(folder)
    const applied = new Map(
      (await sql<AppliedRow[]>`select name, sha256 from migrations`).map((row) => [row.name, row]),
    )
    assertUnchanged(files, applied)
    for (const { name, sha256 } of files)
      if (applied.get(name)?.sha256 === null) await sql`update migrations set sha256 = ${sha256} where name = ${name}`
    const pending = files.filter(({ name }) => !applied.has(name))
    for (const migration of pending) await apply(sql, migration)
    return pending.map(({ name }) => name)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

interface Migration {
  name: string
  text: string
  sha256: Buffer
}

interface AppliedRow {
  name: string
  /** Null for what was applied before hashes were kept. */
  sha256: Buffer | null
}

async function prepare(sql: Sql): Promise<void> {
  await sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())`
  await sql`alter table migrations add column if not exists sha256 bytea`
}

async function readMigrations(folder: URL): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, folder), 'utf8')
      return { name, text, sha256: createHash('sha256').update(text).digest() }
    }),
  )
}

/** What is applied stays as it is: another schema than the one that the code was written for would go unnoticed for long. */
function assertUnchanged(files: Migration[], applied: Map<string, AppliedRow>): void {
  const changed = files.filter(({ name, sha256 }) => applied.get(name)?.sha256?.equals(sha256) === false)
  if (changed.length === 0) return
  const names = changed.map(({ name }) => name).join(', ')
  throw new MigrationFailed(`Changed since it was applied: ${names}. Put it back, and write a new migration instead.`)
}

async function apply(sql: Sql, { name, text, sha256 }: Migration): Promise<void> {
  await sql
    .begin(async (tx) => {
      await tx.unsafe(text)
      await tx`insert into migrations (name, sha256) values (${name}, ${sha256})`
    })
    .catch(explain(`Migration ${name} failed and was taken back`))
}

/** A connection that failed at several addresses has a code and no words. */
const explain = (what: string) => (cause: Error & { code?: string }) => {
  throw new MigrationFailed(`${what}: ${cause.message || cause.code}`, { cause })
}
