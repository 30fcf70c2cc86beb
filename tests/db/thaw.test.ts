import { describe, expect, test } from 'vitest'
import { isDatabaseDown } from '../../src/db/failures.ts'
import { connect } from '../../src/db/sql.ts'
import { connectThawing } from '../../src/db/thaw.ts'
import { quietableNetwork } from '../support/quietable-network.ts'
import { createDatabase } from '../support/service.ts'

/** As an administrator does it, or a database that moves to another machine. */
async function endConnections(url: string) {
  const admin = connect(url, { max: 1 })
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`
  await admin.end()
}

describe('thaw', () => {
  test('keeps the connections that live', async () => {
    const network = await quietableNetwork(await createDatabase())
    const { sql, thaw } = connectThawing(network.url, { max: 2, isPooled: true })
    await Promise.all([sql`select pg_sleep(0.01)`, sql`select pg_sleep(0.01)`])

    for (let times = 0; times < 3; times++) await thaw()

    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    expect(network.count()).toBe(2)
    await sql.end()
  })

  test('opens none where none is open', async () => {
    const network = await quietableNetwork(await createDatabase())
    const { sql, thaw } = connectThawing(network.url, { max: 2 })

    await thaw()

    expect(network.count()).toBe(0)
    await sql.end()
  })

  test('replaces those on which nothing arrives any more', async () => {
    const network = await quietableNetwork(await createDatabase())
    const { sql, thaw } = connectThawing(network.url, { max: 2 })
    await Promise.all([sql`select pg_sleep(0.01)`, sql`select pg_sleep(0.01)`])
    network.goQuiet()

    await thaw()

    expect(await Promise.all([sql`select 1 as one`, sql`select 2 as two`])).toEqual([[{ one: 1 }], [{ two: 2 }]])
    await sql.end()
  })

  test('replaces those that the database has ended', async () => {
    const url = await createDatabase()
    const { sql, thaw } = connectThawing(url, { max: 1 })
    await sql`select 1`

    await endConnections(url)
    await thaw()

    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    await sql.end()
  })

  test('forgets the last words of a connection that ended under a query', async () => {
    const url = await createDatabase()
    const { sql, thaw } = connectThawing(url, { max: 1 })
    await sql`select 1`
    const asking = sql`select pg_sleep(20)`.catch((error: unknown) => error)

    await endConnections(url)
    expect(isDatabaseDown(await asking)).toBe(true)
    await thaw()

    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    await sql.end()
  })

  test('gives up on a database that is away, and leaves the query to say so', async () => {
    const { sql, thaw } = connectThawing('postgres://127.0.0.1:1/nowhere', { max: 1 })

    await thaw()

    await expect(sql`select 1`).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await sql.end()
  })
})
