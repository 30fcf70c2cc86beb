import { randomBytes, randomInt } from 'node:crypto'
import { assignmentStore } from '../../src/jobs/assignment-store.ts'
import { claimStore } from '../../src/jobs/claim-store.ts'
import { hashJson } from '../../src/jobs/idempotency.ts'
import { jobStore } from '../../src/jobs/job-store.ts'
import { cpuMicroseconds, median, rateOf, report } from './figures.ts'
import { HttpConnection } from './http-connection.ts'
import { clearJobs, newId, type Stage } from './stage.ts'

const rounds = 3
const seconds = 4
const terms = [{ type: 'TEST' as const, leaseSeconds: 20, timeoutSeconds: 900 }]

/** Create, claim and report, as the same single statements that the service runs, past the service. */
async function rawLifecycle({ sql, userId }: Stage): Promise<number> {
  const [jobs, claims, assignments] = [jobStore(sql), claimStore(sql), assignmentStore(sql)]
  const { rate } = await rateOf(8, seconds, async () => {
    const input = { id: randomInt(2 ** 31) }
    const cacheKey = hashJson(input)
    const job = {
      id: newId(),
      requestId: newId(),
      userId,
      type: 'TEST' as const,
      priority: 0,
      maxAttempts: 3,
      cacheKey,
    }
    await jobs.insert({ ...job, input, resolved: input, files: [] }, undefined)
    const claim = await untilClaimed(() =>
      claims.claim([{ id: newId(), tokenHash: randomBytes(32) }], terms, { userId }),
    )
    const outcome = {
      status: 'SUCCEEDED' as const,
      willRetry: false,
      metadata: null,
      error: null,
      files: [],
    }
    await assignments.finish(claim.assignmentId, { ...outcome, reportHash: hashJson(input), payload: claim.input })
  })
  return rate
}

/** The same three steps over HTTP, with authentication, validation and logs. */
async function httpLifecycle({ url, admin, worker, pid }: Stage, clients: number) {
  const connections = await Promise.all(Array.from({ length: clients }, () => HttpConnection.open(url)))
  const cpuBefore = cpuMicroseconds(pid)
  const { rate, took } = await rateOf(clients, seconds, async (n) => {
    const connection = connections[n]!
    await connection.send('POST', '/api/jobs', admin, { type: 'TEST', inputPayload: { id: randomInt(2 ** 31) } })
    const claim = await untilClaimed(async () => {
      const body = { jobTypes: ['TEST'] }
      return (await connection.send<{ claims: Claim[] }>('POST', '/api/jobs/claim', worker, body)).claims
    })
    const path = `/api/jobs/assignments/${claim.assignment.id}/result`
    await connection.send('POST', path, worker, {
      status: 'SUCCEEDED',
      resultPayload: { id: claim.job.inputPayload.id },
    })
  })
  const cpu = (cpuMicroseconds(pid) - cpuBefore) / took.length
  for (const connection of connections) connection.close()
  return { rate, cpu }
}

/** A claim may pass over the one job that it can see because another is just taking it, while that other's own came too late to be seen. */
async function untilClaimed<T>(claim: () => Promise<T[]>): Promise<T> {
  for (;;) {
    const [first] = await claim()
    if (first) return first
  }
}

interface Claim {
  job: { inputPayload: { id: number } }
  assignment: { id: string }
}

export async function benchLifecycle(stage: Stage): Promise<void> {
  const figures = {
    raw: [] as number[],
    ratio16: [] as number[],
    ratio64: [] as number[],
    rate16: [] as number[],
    rate64: [] as number[],
    cpu64: [] as number[],
  }
  await rawLifecycle(stage)
  await httpLifecycle(stage, 16)
  for (let round = 0; round < rounds; round++) {
    await clearJobs(stage)
    const raw = await rawLifecycle(stage)
    const at16 = await httpLifecycle(stage, 16)
    const at64 = await httpLifecycle(stage, 64)
    figures.raw.push(raw)
    figures.rate16.push(at16.rate)
    figures.rate64.push(at64.rate)
    figures.ratio16.push(at16.rate / raw)
    figures.ratio64.push(at64.rate / raw)
    figures.cpu64.push(at64.cpu)
  }
  const [doubles] = await stage.sql<{ count: number }[]>`
    select count(*)::integer as count
    from (select job_id from job_assignments group by job_id having count(*) > 1) twice
  `
  const perSecond = (values: number[]) => `${median(values).toFixed(0)}/s`
  report('create, claim and report as raw statements, 8 connections', perSecond(figures.raw), '')
  report(
    'the same over HTTP, 16 clients',
    `${perSecond(figures.rate16)}, ratio ${median(figures.ratio16).toFixed(2)}`,
    'first ≥ 0.60, then ≥ 0.9',
  )
  report(
    'the same over HTTP, 64 clients',
    `${perSecond(figures.rate64)}, ratio ${median(figures.ratio64).toFixed(2)}`,
    '≥ 2.0',
  )
  report('API CPU per lifecycle, 64 clients', `${median(figures.cpu64).toFixed(0)} µs`, '≤ 150 µs')
  report('jobs given to more than one worker', String(doubles!.count), '0')
}
