import { connect as connectSocket, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { isDatabaseDown } from '../../src/db/failures.ts'
import { connect, type Sql } from '../../src/db/sql.ts'
import { quietableNetwork } from '../support/quietable-network.ts'
import { createDatabase } from '../support/service.ts'

describe('a connection that has gone quiet', () => {
  test('ends its query, and the pool goes on with a new one', async () => {
    const network = await quietableNetwork(await createDatabase())
    const sql = connect(network.url, { max: 1, silenceMs: 1000 })
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

describe('a connection that breaks as soon as it is open', () => {
  test.each<[string, (sql: Sql) => Promise<unknown>]>([
    ['a query', (sql) => sql`select 1`],
    ['a transaction', (sql) => sql.begin((tx) => tx`select 1`)],
  ])('fails %s that it was opened for, and nothing else', async (_, ask) => {
    const network = await quietableNetwork(await createDatabase())
    const sql = connect(network.url, { max: 1 })
    network.breakNextOnceOpen()

    expect(isDatabaseDown(await ask(sql).catch((error: unknown) => error))).toBe(true)

    expect(await sql`select 3 as three`).toEqual([{ three: 3 }])
    await sql.end()
  })
})

describe('arrays', () => {
  test.each<[string, unknown[]]>([
    ['integer', [-1, 0, 2147483647, null]],
    ['text', ['', 'plain', 'null', 'NULL', '{a,b}', ' a "b" \\ c\\"', 'ü\n', null]],
    ['bigint', ['9007199254740993']],
    ['double precision', [1.5, -0.1, 1e300]],
    ['uuid', ['019a8f00-0000-7000-8000-000000000001']],
    ['text', []],
  ])('of %s come back as they went, prepared or not: %j', async (type, items) => {
    const url = await createDatabase()
    for (const isPooled of [false, true]) {
      const sql = connect(url, { max: 1, isPooled })
      expect(await sql`select ${items as never}::${sql.unsafe(type)}[] as items`).toEqual([{ items }])
      await sql.end()
    }
  })

  test('have no undefined elements', async () => {
    const sql = connect(await createDatabase(), { max: 1 })

    await expect(sql`select ${['a', undefined] as never}::text[]`).rejects.toThrow('undefined element')
    await sql.end()
  })
})

describe('a query that fails in the midst of its rows', () => {
  const failing = `select 1 / (3 - g) from generate_series(1, 5) g`
  const answer = [{ answer: 42 }]

  test.each<[string, (sql: Sql) => Promise<unknown>]>([
    ['of itself', (sql) => sql.unsafe(failing)],
    ['as a prepared one', (sql) => sql`select 1 / (${3} - g) from generate_series(1, 5) g`],
    ['as values', (sql) => sql.unsafe(failing).values()],
    ['read by a cursor', (sql) => sql`select 1 / (3 - g) from generate_series(1, 5) g`.cursor(10, () => {})],
    ['in a transaction', (sql) => sql.begin((tx) => tx.unsafe(failing))],
    [
      'for its time being over',
      (sql) =>
        sql.unsafe(`
          set statement_timeout = '20ms';
          select repeat('x', 10000), pg_sleep(case when g = 100 then 60 else 0 end) from generate_series(1, 200) g
        `),
    ],
  ])('%s, leaves the next result as it is', async (_, fail) => {
    const sql = connect(await createDatabase(), { max: 1 })

    await expect(fail(sql)).rejects.toMatchObject({ code: expect.stringMatching(/22012|57014/) })

    expect([...(await sql`select 42 as answer`)]).toEqual(answer)
    await sql.end()
  })

  test('in a savepoint, leaves the next results of the transaction as they are', async () => {
    const sql = connect(await createDatabase(), { max: 1 })

    const results = await sql.begin(async (tx) => {
      await expect(tx.savepoint((inner) => inner.unsafe(failing))).rejects.toMatchObject({ code: '22012' })
      return [
        await tx`select 42 as answer`,
        await tx`select 42 as answer`.values(),
        await tx`select 42 as answer`.raw(),
      ]
    })

    expect(results.map((result) => [...result])).toEqual([answer, [[42]], [[Buffer.from('42')]]])
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
