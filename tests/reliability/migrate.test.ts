import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { MigrationFailed, migrate } from '../../src/db/migrate.ts'
import { connect } from '../../src/db/sql.ts'
import { temporaryFolder } from '../support/processes.ts'
import { createDatabase } from '../support/service.ts'

const databaseUrl = await createDatabase()
const sql = connect(databaseUrl, { max: 1 })
afterAll(() => sql.end())

async function folderWith(name: string, text: string): Promise<URL> {
  const folder = await temporaryFolder()
  await writeFile(join(folder, name), text)
  return pathToFileURL(`${folder}/`)
}

test('a migration may take its time, whatever the database allows others', async () => {
  const [{ name }] = (await sql`select current_database() as name`) as [{ name: string }]
  await sql`alter database ${sql(name)} set statement_timeout = '1s'`
  const folder = await folderWith(
    '9000_seen.sql',
    `create table seen as select current_setting('statement_timeout') as statement_timeout,
      current_setting('idle_in_transaction_session_timeout') as idle_timeout`,
  )

  expect(await migrate(databaseUrl, folder)).toEqual(['9000_seen.sql'])

  expect(await sql`select statement_timeout, idle_timeout from seen`).toEqual([
    { statementTimeout: '0', idleTimeout: '0' },
  ])
})

test('a migration that fails is named, and nothing of it is kept', async () => {
  const folder = await folderWith('9001_broken.sql', 'create table half (); select * from nowhere;')

  const failure = await migrate(databaseUrl, folder).catch((error: unknown) => error)

  expect(failure).toBeInstanceOf(MigrationFailed)
  expect((failure as Error).message).toBe(
    'Migration 9001_broken.sql failed and was taken back: relation "nowhere" does not exist',
  )
  expect(await sql`select to_regclass('half') as half`).toEqual([{ half: null }])
  expect(await sql`select from migrations where name = '9001_broken.sql'`).toEqual([])
})

describe('a migration that was changed after it was applied', () => {
  const name = '9002_kept.sql'

  test('is named, and nothing more is applied', async () => {
    const folder = await folderWith(name, 'create table kept ()')
    await migrate(databaseUrl, folder)
    await writeFile(new URL(name, folder), 'create table kept_otherwise ()')
    await writeFile(new URL('9003_later.sql', folder), 'create table later ()')

    const failure = await migrate(databaseUrl, folder).catch((error: unknown) => error)

    expect(failure).toBeInstanceOf(MigrationFailed)
    expect((failure as Error).message).toContain(`Changed since it was applied: ${name}.`)
    expect(await sql`select to_regclass('later') as later`).toEqual([{ later: null }])
  })

  test('is taken as it is found first, where it was applied before hashes were kept', async () => {
    await sql`alter table migrations drop column sha256`
    const folder = await folderWith(name, 'create table kept_otherwise ()')
    expect(await migrate(databaseUrl, folder)).toEqual([])
    await writeFile(new URL(name, folder), 'create table kept_in_another_way ()')

    await expect(migrate(databaseUrl, folder)).rejects.toThrow(MigrationFailed)
  })
})
