import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { isDatabaseDown } from '../../src/db/failures.ts'
import { connect } from '../../src/db/sql.ts'
import { createDatabase } from '../support/service.ts'

/** A network between us and the database that can go quiet: connections stay open and nothing arrives any more. */
async function quietableNetwork(databaseUrl: string) {
  const { hostname, port } = new URL(databaseUrl)
  const pairs = new Set<[Socket, Socket]>()
  const server: Server = createServer((near) => {
    const far = connectSocket(Number(port), hostname)
    pairs.add([near, far])
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => {
    for (const pair of pairs) for (const socket of pair) socket.destroy()
    server.close()
  })
  const through = new URL(databaseUrl)
  through.host = `127.0.0.1:${(server.address() as { port: number }).port}`
  return {
    url: through.href,
    /** What is open now breaks with an error; new connections work. */
    reset() {
      for (const [near] of pairs) near.resetAndDestroy()
    },
    /** What is open now goes quiet; new connections work. */
    goQuiet() {
      for (const [near, far] of pairs) {
        near.unpipe(far)
        far.unpipe(near)
        near.pause()
        far.pause()
      }
    },
  }
}

describe('a connection that has gone quiet', () => {
  test('ends its query, and the pool goes on with a new one', async () => {
    const network = await quietableNetwork(await createDatabase())
    const sql = connect(network.url, { max: 1, silenceMs: 200 })
    await sql`select 1`
    network.goQuiet()

    const failure = await sql`select 2`.catch((error: unknown) => error)

    expect(isDatabaseDown(failure)).toBe(true)
    expect(await sql`select 3 as three`).toEqual([{ three: 3 }])
    await sql.end()
  })
})

describe('a connection that breaks', () => {
  test('leaves behind no query that nobody settles, also of those that are sent at that very moment', async () => {
    const network = await quietableNetwork(await createDatabase())
    const sql = connect(network.url, { max: 1 })
    await sql`select 1`
    const asking = sql`select pg_sleep(10)`.catch(async (error: unknown) => {
      const again = await sql`select 2 as two`.catch((failure: unknown) => failure)
      return [error, again]
    })
    await new Promise(setImmediate)
    network.reset()

    const [error, again] = (await asking) as unknown[]

    expect(isDatabaseDown(error)).toBe(true)
    expect(isDatabaseDown(again) || Array.isArray(again)).toBe(true)
    expect(await sql`select 3 as three`).toEqual([{ three: 3 }])
    await sql.end()
  })
})

describe('connect', () => {
  test('changes the case of columns and not of what is inside them', async () => {
    const sql = connect(await createDatabase(), { max: 1 })

    const [row] = await sql`select '{"snake_case": 1}'::jsonb as some_value`

    expect(row).toEqual({ someValue: { snake_case: 1 } })
    await sql.end()
  })

  test('ends a statement that takes too long', async () => {
    const sql = connect(await createDatabase(), { max: 1 })

    expect(await sql`show statement_timeout`).toEqual([{ statementTimeout: '15s' }])
    await sql.end()
  })

  test('comes back when there was nobody to connect to', async () => {
    const databaseUrl = await createDatabase()
    const { port } = new URL(databaseUrl)
    const reserved = createServer()
    await new Promise<void>((resolve) => reserved.listen(0, '127.0.0.1', resolve))
    const free = (reserved.address() as { port: number }).port
    await new Promise((resolve) => reserved.close(resolve))
    const through = new URL(databaseUrl)
    through.host = `127.0.0.1:${free}`
    const sql = connect(through.href, { max: 2 })
    for (let n = 0; n < 5; n++) expect(isDatabaseDown(await sql`select 1`.catch((error: unknown) => error))).toBe(true)

    const server = createServer((near) => near.pipe(connectSocket(Number(port), '127.0.0.1')).pipe(near))
    await new Promise<void>((resolve) => server.listen(free, '127.0.0.1', resolve))

    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    await sql.end()
    server.close()
  })
})
