import { randomUUID } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { connect, type Sql, type Tx } from '../../src/db/sql.ts'
import { jobStore } from '../../src/jobs/job-store.ts'
import { createDatabase } from '../support/service.ts'

const sql = connect(await createDatabase(), { max: 1 })
afterAll(() => sql.end())

/** How many rows of the table this connection has looked at. */
async function rowsRead(tx: Tx): Promise<number> {
  const [row] = await tx<{ count: number }[]>`
    select (seq_tup_read + idx_tup_fetch)::integer as count
    from pg_stat_xact_user_tables
    where relname = 'jobs'
  `
  return row!.count
}

test('a list of what is in a rare state passes over nothing else', async () => {
  const userId = randomUUID()
  await sql`insert into users (id, email) values (${userId}, 'ana@reef.example')`
  await sql`
    with job as (
      insert into jobs (id, type, status, user_id, max_attempts, finished_at)
      select gen_random_uuid(), 'TEST', case when n % 2000 = 0 then 'FAILED' else 'SUCCEEDED' end, ${userId}, 1, now()
      from generate_series(1, 20000) n
      returning id
    )
    insert into job_payloads (job_id, input, resolved)
    select id, '{}', '{}'
    from job
  `
  await sql`analyze`

  const [found, read] = await sql.begin(async (tx) => {
    const before = await rowsRead(tx)
    const page = await jobStore(tx as unknown as Sql).page({ status: 'FAILED', limit: 5 })
    return [page, (await rowsRead(tx)) - before]
  })

  expect(found.map(({ status }) => status)).toEqual(Array(5).fill('FAILED'))
  expect(read).toBeLessThan(20)
})
