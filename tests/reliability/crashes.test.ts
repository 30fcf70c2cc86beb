import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Client, createClient } from '../../sdk/index.ts'
import { connect } from '../../src/db/sql.ts'
import { lapse, testJob } from '../support/jobs.ts'
import { admin, end, startServiceProcess, startWorkerProcess, temporaryFolder } from '../support/processes.ts'
import { createDatabase } from '../support/service.ts'

const databaseUrl = await createDatabase()
const folder = await temporaryFolder()
const sql = connect(databaseUrl, { max: 3 })
const start = (environment: Record<string, string> = {}) =>
  startServiceProcess({ DATABASE_URL: databaseUrl, DATA_DIR: join(folder, 'service'), ...environment })

describe('kill -9 of a worker in the middle of a job', () => {
  test('costs an attempt: the job is offered again, and another worker does it', async () => {
    const service = await start()
    const client = createClient({ baseUrl: service.url, credentials: admin })
    const { key } = await client.users.createApiKey({ name: 'worker', scopes: ['jobs:work'] })
    const { jobId } = await client.jobs.create(testJob({ sleepSeconds: 2 }))
    const first = await startWorkerProcess(service.url, key)
    await running(client, jobId)
    await end(first, 'SIGKILL')
    await lapse(sql, jobId)

    const second = await startWorkerProcess(service.url, key)
    const job = await client.jobs.wait(jobId)

    expect(job).toMatchObject({ status: 'SUCCEEDED', attempts: 2 })
    expect(await sql`select outcome from job_assignments where job_id = ${jobId} order by attempt`).toEqual([
      { outcome: 'EXPIRED' },
      { outcome: 'SUCCEEDED' },
    ])
    expect(await end(second, 'SIGTERM')).toBe(0)
    expect(await end(service.process, 'SIGTERM')).toBe(0)
  })
})

describe('kill -9 of the service', () => {
  test('loses nothing that was answered, and the same keys give the same jobs', async () => {
    const before = await start()
    const client = createClient({ baseUrl: before.url, credentials: admin, retries: 0 })
    const { key } = await client.users.createApiKey({ name: 'worker', scopes: ['jobs:work'] })
    const worker = createClient({ baseUrl: before.url, apiKey: key, retries: 0 })
    const wishes = Array.from({ length: 40 }, () => ({ job: testJob(), idempotencyKey: randomUUID(), jobId: '' }))
    const results = new Map<string, string>()

    // Creates, claims and reports run into the kill wherever they happen to be.
    const creating = wishes.map(async (wish, index) => {
      if (index === 25) before.process.kill('SIGKILL')
      wish.jobId = (await client.jobs.create(wish.job, wish)).jobId
    })
    const working = Array.from({ length: 20 }, async () => {
      const [claim] = await worker.worker.claim({ jobTypes: ['TEST'], waitSeconds: 5 })
      if (!claim) return
      const input = claim.job.inputPayload as { id: number }
      const { jobId } = await worker.worker.reportResult(claim.assignment.id, {
        status: 'SUCCEEDED',
        resultPayload: { id: input.id },
      })
      results.set(jobId, claim.assignment.id)
    })
    await Promise.allSettled([...creating, ...working])

    const after = await start()
    const again = createClient({ baseUrl: after.url, credentials: admin })
    for (const { job, idempotencyKey, jobId } of wishes) {
      const { jobId: found } = await again.jobs.create(job, { idempotencyKey })
      if (jobId) expect(found).toBe(jobId)
    }
    for (const [jobId, assignmentId] of results) {
      expect(
        await sql`select from job_results where job_id = ${jobId} and assignment_id = ${assignmentId}`,
      ).toHaveLength(1)
    }
    const halfMade = await sql`
      select j.id
      from jobs j
      left join job_assignments a on a.job_id = j.id and a.ended_at is null
      left join job_payloads p on p.job_id = j.id
      where p.job_id is null or (j.status = 'IN_PROGRESS') <> (a.id is not null) or j.assignment_id is distinct from a.id
    `
    expect(halfMade).toEqual([])
    expect(await sql`select from job_payloads group by input having count(*) > 1`).toHaveLength(0)
    await end(after.process, 'SIGTERM')
  })
})

describe('SIGTERM', () => {
  test('answers those who wait, and ends with 0', async () => {
    const service = await start({ LOG_LEVEL: 'debug' })
    const client = createClient({ baseUrl: service.url, credentials: admin, retries: 0 })
    const claiming = client.worker.claim({ jobTypes: ['REGIONAL_ASSESSMENT'], waitSeconds: 20 })
    await service.printed('claim waits')

    const ended = await end(service.process, 'SIGTERM')

    expect(await claiming).toEqual([])
    expect(ended).toBe(0)
  })

  test('makes a worker give back what it has not finished, at no cost', async () => {
    const service = await start()
    const client = createClient({ baseUrl: service.url, credentials: admin })
    const { key } = await client.users.createApiKey({ name: 'worker', scopes: ['jobs:work'] })
    const { jobId } = await client.jobs.create(testJob({ sleepSeconds: 300 }))
    const worker = await startWorkerProcess(service.url, key)
    await running(client, jobId)

    expect(await end(worker, 'SIGTERM')).toBe(0)

    expect(await client.jobs.get(jobId)).toMatchObject({ status: 'PENDING', attempts: 0 })
    await end(service.process, 'SIGTERM')
  })
})

/** Until a worker has the job. */
async function running({ jobs }: Client, jobId: string): Promise<void> {
  let job = await jobs.get(jobId)
  while (job.status === 'PENDING') job = await jobs.get(jobId, { waitSeconds: 10, afterEventId: job.lastEventId })
}
