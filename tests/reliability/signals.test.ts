import { afterEach, describe, expect, test } from 'vitest'
import { claimOne, testJob } from '../support/jobs.ts'
import { createDatabase, startTestService } from '../support/service.ts'

const databaseUrl = await createDatabase()
const [one, two] = [await startTestService({ databaseUrl }), await startTestService({ databaseUrl })]
const [ana, worker] = [await one.person(), await one.worker()]
const workerAtTwo = two.client({ apiKey: worker.key })

afterEach(() => one.sql`delete from jobs`)

describe('two processes of the service', () => {
  test('wake each other: a job made in one is claimed by who waits in the other', async () => {
    const waiting = workerAtTwo.worker.claim({ jobTypes: ['TEST'], waitSeconds: 20 })

    const { jobId } = await ana.client.jobs.create(testJob())

    expect((await waiting).map(({ job }) => job.id)).toEqual([jobId])
  })

  test('tell each other what has changed', async () => {
    const { jobId } = await ana.client.jobs.create(testJob())
    const following = Array.fromAsync(ana.client.jobs.events(jobId))

    const { assignment } = await claimOne(workerAtTwo)
    await workerAtTwo.worker.reportResult(assignment.id, { status: 'FAILED' })

    expect((await following).at(-1)).toMatchObject({ status: 'FAILED' })
  })
})

describe('a word that was lost', () => {
  test('costs a second: who waits finds a job that nobody announced', async () => {
    const waiting = worker.client.worker.claim({ jobTypes: ['TEST'], waitSeconds: 20 })

    await one.sql`
      with job as (
        insert into jobs (id, type, user_id, max_attempts) values (gen_random_uuid(), 'TEST', ${ana.id}, 3) returning id
      )
      insert into job_payloads (job_id, input, resolved) select id, '{"id": 1}', '{"id": 1}' from job
    `

    expect(await waiting).toHaveLength(1)
  })

  test('is made up for when the ear was cut off meanwhile', async () => {
    await one.sql`
      select pg_terminate_backend(pid)
      from pg_stat_activity
      where datname = current_database() and query ilike 'listen%'
    `
    const waiting = workerAtTwo.worker.claim({ jobTypes: ['TEST'], waitSeconds: 20 })

    const { jobId } = await ana.client.jobs.create(testJob())

    expect((await waiting).map(({ job }) => job.id)).toEqual([jobId])
  })
})

describe('a job that waits for its next attempt', () => {
  test('is claimed by who waits once it is due', async () => {
    const { jobId } = await ana.client.jobs.create(testJob())
    const { assignment } = await claimOne(worker.client)
    const error = { message: 'The sea is rough.', retryable: true }
    await worker.client.worker.reportResult(assignment.id, { status: 'FAILED', error })

    const [claim] = await worker.client.worker.claim({ jobTypes: ['TEST'], waitSeconds: 20 })

    expect(claim).toMatchObject({ job: { id: jobId }, assignment: { attempt: 2 } })
  })
})
