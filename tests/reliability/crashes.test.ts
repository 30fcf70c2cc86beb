import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Client, createClient } from '../../sdk/index.ts'
import { connect } from '../../src/db/sql.ts'
import { lapse, testJob, untilBlocked } from '../support/jobs.ts'
import {
  admin,
  end,
  spawnNode,
  startServiceProcess,
  startWorkerProcess,
  temporaryFolder,
} from '../support/processes.ts'
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
    const wishes: { job: ReturnType<typeof testJob>; idempotencyKey: string; jobId?: string }[] = []
    const results = new Map<string, string>()
    let [inFlight, cutOff] = [0, 0]

    // Creates, claims and reports go on until the kill, and run into it wherever they happen to be.
    const asked = async <Answer>(question: Promise<Answer>): Promise<Answer> => {
      inFlight += 1
      const answer = await question.finally(() => (inFlight -= 1))
      const created = wishes.filter(({ jobId }) => jobId).length
      if (created >= 5 && results.size >= 3 && before.process.kill('SIGKILL')) cutOff ||= inFlight
      return answer
    }
    const create = async () => {
      const wish: (typeof wishes)[number] = { job: testJob(), idempotencyKey: randomUUID() }
      wishes.push(wish)
      wish.jobId = (await asked(client.jobs.create(wish.job, wish))).jobId
    }
    const work = async () => {
      const [claim] = await asked(worker.worker.claim({ jobTypes: ['TEST'], waitSeconds: 5 }))
      if (!claim) return
      const { id } = claim.job.inputPayload as { id: number }
      const result = { status: 'SUCCEEDED', resultPayload: { id } } as const
      const { jobId } = await asked(worker.worker.reportResult(claim.assignment.id, result))
      results.set(jobId, claim.assignment.id)
    }
    const loops = [...Array(6).fill(create), ...Array(6).fill(work)].map(untilCutOff)
    expect(await Promise.all(loops)).toEqual(loops.map(() => 'connection_failed'))
    expect(cutOff).toBeGreaterThan(0)
    expect(wishes.filter(({ jobId }) => jobId).length).toBeGreaterThanOrEqual(5)
    expect(wishes.filter(({ jobId }) => !jobId).length).toBeGreaterThan(0)
    expect(results.size).toBeGreaterThanOrEqual(3)

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

describe('SIGHUP', () => {
  test('stops the service in good order when its terminal is closed', async () => {
    const service = await start()

    expect(await end(service.process, 'SIGHUP')).toBe(0)
  })

  // What a closed terminal does to the log, and no other file that a test can have.
  test.skipIf(!existsSync('/dev/full'))('does so, too, where nobody can read what it logs', async () => {
    const unread = await open('/dev/full', 'w')
    const environment = { DATABASE_URL: databaseUrl, DATA_DIR: join(folder, 'unread'), PORT: '0', LOCAL_WORKERS: '0' }
    const child = spawnNode('src/main/node.ts', environment, { stderr: unread.fd })
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await unread.close()
    })
    for await (const chunk of child.stdout!) if (String(chunk).includes('ready at')) break

    expect(await end(child, 'SIGHUP')).toBe(0)
  })
})

describe('SIGTERM', () => {
  test('while the service starts stops it in good order', async () => {
    // The lock under which one process at a time migrates.
    const migrating = await sql.reserve()
    await migrating`select pg_advisory_lock(7318402651)`
    const starting = spawnNode('src/main/node.ts', {
      DATABASE_URL: databaseUrl,
      DATA_DIR: join(folder, 'slow'),
      PORT: '0',
    })
    await untilBlocked(sql)

    const ended = end(starting, 'SIGTERM')
    await migrating`select pg_advisory_unlock(7318402651)`
    migrating.release()

    expect(await ended).toBe(0)
  })

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

/** Does it again and again, and gives the code of the error that ended it. */
async function untilCutOff(work: () => Promise<void>): Promise<string> {
  try {
    for (;;) await work()
  } catch (error) {
    return (error as { code: string }).code
  }
}

/** Until a worker has the job. */
async function running({ jobs }: Client, jobId: string): Promise<void> {
  let job = await jobs.get(jobId)
  while (job.status === 'PENDING') job = await jobs.get(jobId, { waitSeconds: 10, afterEventId: job.lastEventId })
}
