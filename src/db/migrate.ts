import { readdir, readFile } from 'node:fs/promises'
import { connect } from './sql.ts'

const folder = new URL('./migrations/', import.meta.url)
/** Any number; it names the lock under which one process at a time migrates. */
const lockId = 7_318_402_651

/** Brings the database at `url` (a session connection, not a pooler) up to date. Several processes may call this at once. */
export async function migrate(url: string): Promise<string[]> {
  const sql = connect(url, { max: 1 })
  try {
    await sql`select pg_advisory_lock(${lockId})`
    await sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())`
    const applied = new Set((await sql<{ name: string }[]>`select name from migrations`).map(({ name }) => name))
    const pending = (await readdir(folder)).filter((name) => name.endsWith('.sql') && !applied.has(name)).sort()
    for (const name of pending) {
      const text = await readFile(new URL(name, folder), 'utf8')
      await sql.begin(async (tx) => {
        await tx.unsafe(text)
        await tx`insert into migrations (name) values (${name})`
      })
    }
    return pending
  } finally {
    await sql.end({ timeout: 5 })
  }
}
