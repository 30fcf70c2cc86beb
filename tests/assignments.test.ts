import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import type { Client } from '../sdk/index.ts'
import type { Tx } from '../src/db/sql.ts'
import { type AssignmentStore, assignmentStore } from '../src/jobs/assignment-store.ts'
import { claimOne, holdOpen, lapse, makeDue, testJob, untilBlocked } from './support/jobs.ts'
import { startTestService } from './support/service.ts'

const service = await startTestService({ poolSize: 12 })
const { sql } = service
const [ana, worker, other] = [await service.person(), await service.worker(), await service.worker()]

// What one test leaves waiting or running is no job for the next.
afterEach(() => sql`delete from jobs`)

/** A report as the service hands it to the store. */
const failure = {
  status: 'FAILED' as const,
  willRetry: false,
  reportHash: Buffer.from('late'),
  payload: null,
  metadata: null,
  error: { message: 'late' },
  files: [],
}

/** A job that the worker holds. */
async function heldJob(client: Client = worker.client) {
  const job = testJob()
  const { jobId } = await ana.client.jobs.create(job)
  const assignment = await client.worker.assign({ jobId })
  return { jobId, id: assignment.id, token: assignment.token, result: { id: job.inputPayload.id } }
}

const succeeded = (result: { id: number }) => ({ status: 'SUCCEEDED' as const, resultPayload: result })
const fileOf = (name: string, text: string) => ({
  name,
  sizeBytes: Buffer.byteLength(text),
  sha256: createHash('sha256').update(text).digest('hex'),
  contentType: 'text/plain',
})

describe('claimJobs', () => {
  test('takes the most urgent first, then the oldest', async () => {
    const admin = await service.person('ADMIN')
    const { jobId: low } = await admin.client.jobs.create({ ...testJob(), priority: 'LOW' })
    const { jobId: old } = await admin.client.jobs.create(testJob())
    const { jobId: young } = await admin.client.jobs.create(testJob())
    const { jobId: high } = await admin.client.jobs.create({ ...testJob(), priority: 'HIGH' })

    const claims = await worker.client.worker.claim({ jobTypes: ['TEST', 'REGIONAL_ASSESSMENT'], limit: 4 })

    expect(claims.map(({ job }) => job.id)).toEqual([high, old, young, low])
    for (const { job, assignment } of claims) {
      expect(assignment.jobId).toBe(job.id)
      await worker.client.worker.reportResult(assignment.id, { status: 'FAILED' })
    }
  })

  test('passes over a job that another claim is just taking', async () => {
    const [first, second] = [await ana.client.jobs.create(testJob()), await ana.client.jobs.create(testJob())]
    const taking = await holdOpen(sql, (tx) => tx`select from jobs where id = ${first.jobId} for update`)

    const { job } = await claimOne(worker.client)

    expect(job.id).toBe(second.jobId)
    await taking.commit()
    expect((await claimOne(worker.client)).job.id).toBe(first.jobId)
  })

  test('never gives a job to two of many who ask at once, and leaves none', async () => {
    const jobs = await Promise.all(Array.from({ length: 20 }, () => ana.client.jobs.create(testJob())))

    const rounds = await Promise.all(
      Array.from({ length: 12 }, () => worker.client.worker.claim({ jobTypes: ['TEST'], limit: 2 })),
    )

    const claimed = rounds.flat().map(({ job }) => job.id)
    expect(claimed.toSorted()).toEqual(jobs.map(({ jobId }) => jobId).toSorted())
  })

  test('wakes one who waits as soon as there is a job', async () => {
    const waiting = worker.client.worker.claim({ jobTypes: ['TEST'], waitSeconds: 20 })

    const { jobId } = await ana.client.jobs.create(testJob())

    expect((await waiting).map(({ job }) => job.id)).toEqual([jobId])
  })

  test('answers nothing when nothing came', async () => {
    expect(await worker.client.worker.claim({ jobTypes: ['TEST'] })).toEqual([])
  })

  test('gives back what it took for a client that has gone', async () => {
    const leaving = new AbortController()
    const { jobId } = await ana.client.jobs.create(testJob())
    const taking = await holdOpen(sql, (tx) => tx`lock table job_assignments in share mode`)
    const request = new Request(`${service.baseUrl}/api/jobs/claim`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': worker.key },
      body: JSON.stringify({ jobTypes: ['TEST'] }),
      signal: leaving.signal,
    })
    const claiming = service.fetch(request)
    await untilBlocked(sql)
    leaving.abort()
    await taking.commit()
    await claiming

    expect(await ana.client.jobs.get(jobId)).toMatchObject({ status: 'PENDING', attempts: 0 })
    await ana.client.jobs.cancel(jobId)
  })

  test('treats a lease that has run out as expired, before any sweep has been there', async () => {
    const { jobId, id } = await heldJob()
    await lapse(sql, jobId)
    expect(await other.client.worker.claim({ jobTypes: ['TEST'] })).toEqual([])
    expect(
      await sql`select from jobs where id = ${jobId} and status = 'PENDING' and available_at > now()`,
    ).toHaveLength(1)
    await makeDue(sql, jobId)

    const claim = await claimOne(other.client)

    expect(claim).toMatchObject({ job: { id: jobId }, assignment: { attempt: 2 } })
    await expect(worker.client.worker.heartbeat(id)).rejects.toMatchObject({ code: 'assignment_lost' })
  })
})

describe('assignJob', () => {
  test('answers 409 for a job that somebody has', async () => {
    const { jobId } = await heldJob()

    await expect(other.client.worker.assign({ jobId })).rejects.toMatchObject({
      status: 409,
      code: 'job_not_available',
    })
  })

  test('has one winner of two who ask at once, whichever comes first', async () => {
    const { jobId } = await ana.client.jobs.create(testJob())

    const outcomes = await Promise.allSettled([worker, other].map(({ client }) => client.worker.assign({ jobId })))

    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(await sql`select from job_assignments where job_id = ${jobId}`).toHaveLength(1)
  })

  test('keeps what the worker says of itself', async () => {
    const { jobId } = await ana.client.jobs.create(testJob())
    const self = { ecsTaskArn: 'arn:aws:ecs:task/1', ecsClusterArn: 'arn:aws:ecs:cluster/1', workerName: 'hpc-node-17' }

    expect(await worker.client.worker.assign({ jobId, ...self })).toMatchObject({ jobId, attempt: 1, ...self })
  })
})

describe('an assignment', () => {
  test('is never live twice for a job, whatever the code does', async () => {
    const { jobId } = await heldJob()

    const second = sql`
      insert into job_assignments (id, job_id, user_id, attempt, token_hash)
      values (gen_random_uuid(), ${jobId}, ${worker.id}, 2, 'x')
    `

    await expect(second).rejects.toThrow('job_assignments_live_unique')
  })

  test('opens to its own token, which opens nothing else', async () => {
    const [mine, another] = [await heldJob(), await heldJob()]
    const holder = service.client({ token: mine.token })

    await holder.worker.heartbeat(mine.id)

    await expect(holder.worker.heartbeat(another.id)).rejects.toMatchObject({
      status: 404,
      code: 'assignment_not_found',
    })
    await expect(holder.jobs.get(mine.jobId)).rejects.toMatchObject({ status: 403 })
    await expect(holder.worker.claim({ jobTypes: ['TEST'] })).rejects.toMatchObject({ status: 403 })
  })

  test('is the same by an id in capitals', async () => {
    const { jobId, id, token, result } = await heldJob()
    const client = service.client({ token })

    const [upload] = await client.worker.createUploads(id.toUpperCase(), [fileOf('a.txt', 'a')])
    await client.transfers.upload(upload!, new Blob(['a']))
    await client.worker.reportResult(id.toUpperCase(), succeeded(result))

    expect(await ana.client.jobs.get(jobId.toUpperCase())).toMatchObject({ id: jobId, status: 'SUCCEEDED' })
    expect(await sql`select object_key from job_files where assignment_id = ${id}`).toEqual([
      { objectKey: `results/${id}/a.txt` },
    ])
  })

  test('does not exist for another worker', async () => {
    const { id, result } = await heldJob()

    for (const call of [
      () => other.client.worker.heartbeat(id),
      () => other.client.worker.appendLogs(id, [{ message: 'hello' }]),
      () => other.client.worker.inputs(id),
      () => other.client.worker.createUploads(id, [fileOf('a.txt', 'a')]),
      () => other.client.worker.release(id),
      () => other.client.worker.reportResult(id, succeeded(result)),
    ]) {
      await expect(call()).rejects.toMatchObject({ status: 404, code: 'assignment_not_found' })
    }
  })

  test('lets an admin do what its worker may', async () => {
    const admin = await service.person('ADMIN')
    const { id, jobId, result } = await heldJob()

    await admin.client.worker.reportResult(id, succeeded(result))

    expect(await ana.client.jobs.get(jobId)).toMatchObject({ status: 'SUCCEEDED' })
  })
})

describe('a worker that comes late', () => {
  test('changes nothing: the new owner and its result stand', async () => {
    const { jobId, id, token, result } = await heldJob()
    await lapse(sql, jobId)
    await service.settlement.sweep()
    await makeDue(sql, jobId)
    const { id: newId } = await other.client.worker.assign({ jobId })
    const late = service.client({ token })

    for (const call of [
      () => late.worker.heartbeat(id, { progress: 0.9 }),
      () => late.worker.appendLogs(id, [{ message: 'still here' }]),
      () => late.worker.inputs(id),
      () => late.worker.createUploads(id, [fileOf('a.txt', 'a')]),
      () => late.worker.release(id),
      () => late.worker.reportResult(id, succeeded({ id: -1 })),
    ]) {
      await expect(call()).rejects.toMatchObject({ status: 409, code: 'assignment_lost' })
    }

    await other.client.worker.reportResult(newId, succeeded(result))
    expect(await ana.client.jobs.get(jobId)).toMatchObject({ status: 'SUCCEEDED', attempts: 2, resultPayload: result })
  })

  // The service looks before it acts; here the job is lost in between, so that only the guard within the statement is left.
  describe.each([
    [
      'the lease has run out',
      (tx, { jobId }) => tx`update jobs set lease_expires_at = now() - interval '1 millisecond' where id = ${jobId}`,
    ],
    [
      'another worker has the job',
      async (tx, { jobId, id }) => {
        await tx`update job_assignments set ended_at = now(), outcome = 'EXPIRED' where id = ${id}`
        await tx`update jobs set assignment_id = gen_random_uuid() where id = ${jobId}`
      },
    ],
    [
      'the job waits again',
      async (tx, { jobId, id }) => {
        await tx`update job_assignments set ended_at = now(), outcome = 'EXPIRED' where id = ${id}`
        await tx`update jobs set status = 'PENDING', assignment_id = null, lease_expires_at = null where id = ${jobId}`
      },
    ],
  ] satisfies [string, (tx: Tx, held: { jobId: string; id: string }) => Promise<unknown>][])(
    'is stopped by the statement itself, when %s',
    (_why, lose) => {
      test.each([
        ['heartbeat', (store, id) => store.heartbeat(id, 20, 0.5)],
        ['log', (store, id) => store.appendLogs(id, [{ level: 'INFO', message: 'late' }])],
        ['upload', async (store, id) => ((await store.declareFiles(id, [])) ? 'declared' : undefined)],
        ['release', (store, id) => store.release(id)],
        ['result', (store, id) => store.finish(id, failure)],
      ] satisfies [string, (store: AssignmentStore, id: string) => Promise<unknown>][])('%s', async (_name, act) => {
        const held = await heldJob()
        const losing = await holdOpen(sql, (tx) => lose(tx, held))
        const acting = act(assignmentStore(sql), held.id)
        await untilBlocked(sql)
        await losing.commit()

        expect(await acting).toBeUndefined()
        expect(await sql`select id from job_events where job_id = ${held.jobId} and id > 2`).toEqual([])
      })
    },
  )
})

describe('heartbeat', () => {
  test('extends the lease by the clock of the database, and never beyond the deadline', async () => {
    const { id, jobId } = await heldJob()
    await sql`update jobs set lease_expires_at = now() + interval '5 seconds' where id = ${jobId}`
    const before = await worker.client.worker.heartbeat(id)
    await sql`update jobs set deadline_at = now() + interval '10 seconds' where id = ${jobId}`

    const after = await worker.client.worker.heartbeat(id)

    const [row] = await sql<
      { seconds: number }[]
    >`select extract(epoch from ${before.expiresAt}::timestamptz - now())::float8 as seconds`
    expect(row!.seconds).toBeGreaterThan(10)
    expect(after.expiresAt).toBe(after.deadlineAt)
  })

  test('takes the smallest of numbers for progress', async () => {
    const { id, jobId } = await heldJob()

    await worker.client.worker.heartbeat(id, { progress: 5e-324 })

    expect(await ana.client.jobs.get(jobId)).toMatchObject({ progress: 5e-324 })
  })

  test('does not revive a lease that has run out', async () => {
    const { id, jobId } = await heldJob()
    await lapse(sql, jobId)

    await expect(worker.client.worker.heartbeat(id)).rejects.toMatchObject({ code: 'assignment_lost' })
  })
})

describe('releaseJob', () => {
  test('lets the job wait again at once, at no cost', async () => {
    const { id, jobId } = await heldJob()

    await worker.client.worker.release(id)

    expect(await ana.client.jobs.get(jobId)).toMatchObject({ status: 'PENDING', attempts: 0 })
    expect((await claimOne(other.client)).job.id).toBe(jobId)
  })
})

describe('reportResult', () => {
  test('ends the job with its result', async () => {
    const { id, jobId, result } = await heldJob()

    expect(await worker.client.worker.reportResult(id, succeeded(result))).toMatchObject({
      status: 'SUCCEEDED',
      willRetry: false,
    })

    expect(await ana.client.jobs.get(jobId)).toMatchObject({ status: 'SUCCEEDED', resultPayload: result, progress: 1 })
  })

  test('answers the same report the same, and refuses another one', async () => {
    const { id, jobId, result } = await heldJob()
    const first = await worker.client.worker.reportResult(id, succeeded(result))

    expect(await worker.client.worker.reportResult(id, succeeded(result))).toEqual(first)
    await expect(worker.client.worker.reportResult(id, { status: 'FAILED' })).rejects.toMatchObject({
      status: 409,
      code: 'result_conflict',
    })
    expect(await sql`select from job_results where job_id = ${jobId}`).toHaveLength(1)
  })

  test('applies a report once that comes twice at once', async () => {
    const { id, jobId, result } = await heldJob()
    const row = await holdOpen(sql, (tx) => tx`select from jobs where id = ${jobId} for update`)
    const reporting = [1, 2].map(() => worker.client.worker.reportResult(id, succeeded(result)))
    await untilBlocked(sql, 2)
    await row.commit()

    const [first, second] = await Promise.all(reporting)

    expect(second).toEqual(first)
    expect(await sql`select from job_events where job_id = ${jobId} and data->>'status' = 'SUCCEEDED'`).toHaveLength(1)
  })

  test('sends a failure that may pass back to wait, later each time, until the attempts are used up', async () => {
    const { jobId } = await ana.client.jobs.create(testJob())
    const error = { message: 'The sea is rough.', retryable: true }
    for (const attempt of [1, 2, 3]) {
      await makeDue(sql, jobId)
      const { id } = await worker.client.worker.assign({ jobId })
      const answer = await worker.client.worker.reportResult(id, { status: 'FAILED', error })
      expect(answer.willRetry).toBe(attempt < 3)
      if (attempt < 3)
        await expect(worker.client.worker.assign({ jobId })).rejects.toMatchObject({ code: 'job_not_available' })
    }

    expect(await ana.client.jobs.get(jobId)).toMatchObject({ status: 'FAILED', attempts: 3, error })
  })

  test('refuses what belongs into a file', async () => {
    const { id, result } = await heldJob()
    const metadata = { huge: 'x'.repeat(300_000) }

    const refusal = worker.client.worker.reportResult(id, { ...succeeded(result), metadata })

    await expect(refusal).rejects.toMatchObject({ status: 413, errors: [{ pointer: '/metadata' }] })
  })

  test('holds a result against its schema, and lets the worker try again', async () => {
    const { id, result } = await heldJob()

    const refusal = worker.client.worker.reportResult(id, { status: 'SUCCEEDED', resultPayload: { id: 'seven' } })

    await expect(refusal).rejects.toMatchObject({ status: 400, errors: [{ pointer: '/resultPayload/id' }] })
    await expect(worker.client.worker.reportResult(id, { status: 'SUCCEEDED' })).rejects.toMatchObject({ status: 400 })
    await worker.client.worker.reportResult(id, succeeded(result))
  })
})

describe('a terminal state', () => {
  test('never changes, whatever the code does', async () => {
    const { id, jobId, result } = await heldJob()
    await worker.client.worker.reportResult(id, succeeded(result))

    await expect(sql`update jobs set status = 'FAILED' where id = ${jobId}`).rejects.toThrow('final')
  })

  // Whoever gets the job's row first wins; the other finds that it is over.
  test('is reached once where a cancel meets a result', async () => {
    const { id, jobId, result } = await heldJob()
    const row = await holdOpen(sql, (tx) => tx`select from jobs where id = ${jobId} for update`)
    const cancelling = ana.client.jobs.cancel(jobId)
    await untilBlocked(sql, 1)
    const reporting = worker.client.worker.reportResult(id, succeeded(result)).catch((error: { code: string }) => error)
    await untilBlocked(sql, 2)
    await row.commit()

    expect(await cancelling).toMatchObject({ status: 'CANCELLED' })
    expect(await reporting).toMatchObject({ code: 'job_cancelled' })
    expect(await sql`select from job_results where job_id = ${jobId}`).toHaveLength(0)
  })

  test('is reached once where a result meets a cancel', async () => {
    const { id, jobId, result } = await heldJob()
    const row = await holdOpen(sql, (tx) => tx`select from jobs where id = ${jobId} for update`)
    const reporting = worker.client.worker.reportResult(id, succeeded(result))
    await untilBlocked(sql, 1)
    const cancelling = ana.client.jobs.cancel(jobId).catch((error: { code: string }) => error)
    await untilBlocked(sql, 2)
    await row.commit()

    expect(await reporting).toMatchObject({ status: 'SUCCEEDED' })
    expect(await cancelling).toMatchObject({ code: 'job_finished' })
    expect(await ana.client.jobs.get(jobId)).toMatchObject({ status: 'SUCCEEDED' })
  })

  test('is reached once where the sweep meets a result that is being written', async () => {
    const { id, jobId, result } = await heldJob()
    // To the result's transaction, which began before, the lease holds; to any later one it has run out. The sweep must not have the row.
    const writing = await holdOpen(sql, async (tx) => {
      await sql`update jobs set lease_expires_at = clock_timestamp() where id = ${jobId}`
      await assignmentStore(sql).finish(id, { ...failure, status: 'SUCCEEDED', payload: result, error: null }, tx)
    })
    expect(await service.settlement.expire(jobId)).toBe(0)
    await writing.commit()

    await service.settlement.sweep()
    expect(await ana.client.jobs.get(jobId)).toMatchObject({ status: 'SUCCEEDED', attempts: 1 })
  })

  test('is reached once where a result meets the sweep', async () => {
    const { id, jobId, result } = await heldJob()
    await lapse(sql, jobId)
    const sweeping = await holdOpen(sql, (tx) => assignmentStore(sql).expire([jobId], tx))
    const reporting = assignmentStore(sql).finish(id, { ...failure, status: 'SUCCEEDED', payload: result, error: null })
    await sweeping.commit()

    expect(await reporting).toBeUndefined()
    expect(await ana.client.jobs.get(jobId)).toMatchObject({ status: 'PENDING', attempts: 1 })
  })

  test('is reached once where a cancel meets a claim', async () => {
    const { jobId } = await ana.client.jobs.create(testJob())
    const row = await holdOpen(sql, (tx) => tx`select from jobs where id = ${jobId} for update`)
    const cancelling = ana.client.jobs.cancel(jobId)
    await untilBlocked(sql, 1)
    expect(await worker.client.worker.claim({ jobTypes: ['TEST'] })).toEqual([])
    await row.commit()

    expect(await cancelling).toMatchObject({ status: 'CANCELLED' })
    expect(await worker.client.worker.claim({ jobTypes: ['TEST'] })).toEqual([])
  })
})

describe('createUploads', () => {
  test('takes files that the result then names, and serves those alone', async () => {
    const { id, jobId, result } = await heldJob()
    const text = 'one site\n'
    const [upload] = await worker.client.worker.createUploads(id, [fileOf('sites/one.txt', text)])
    await worker.client.transfers.upload(upload!, new Blob([text]))
    await worker.client.worker.reportResult(id, succeeded(result))

    const { files } = await ana.client.jobs.download(jobId)

    expect(Object.keys(files)).toEqual(['sites/one.txt'])
    const response = await service.fetch(new Request(files['sites/one.txt']!))
    expect(await response.text()).toBe(text)
    expect(response.headers.get('content-disposition')).toContain('one.txt')
  })

  test('refuses a result while a declared file is missing, and goes on after it has arrived', async () => {
    const { id, result } = await heldJob()
    const [upload] = await worker.client.worker.createUploads(id, [fileOf('a.txt', 'a')])

    const refusal = worker.client.worker.reportResult(id, succeeded(result))

    await expect(refusal).rejects.toMatchObject({ status: 409, code: 'upload_incomplete' })
    await worker.client.transfers.upload(upload!, new Blob(['a']))
    await worker.client.worker.reportResult(id, succeeded(result))
  })

  test('gives a fresh link for the same file, and refuses another under its name', async () => {
    const { id } = await heldJob()
    await worker.client.worker.createUploads(id, [fileOf('a.txt', 'a')])

    expect(await worker.client.worker.createUploads(id, [fileOf('a.txt', 'a')])).toHaveLength(1)
    await expect(worker.client.worker.createUploads(id, [fileOf('a.txt', 'b')])).rejects.toMatchObject({
      code: 'file_conflict',
    })
  })

  test.each(['../x', '/x', 'a/../b', '.hidden', 'a//b', 'a\\b', 'x'.repeat(201)])(
    'refuses the name %j',
    async (name) => {
      const { id } = await heldJob()

      await expect(worker.client.worker.createUploads(id, [fileOf(name, 'a')])).rejects.toMatchObject({ status: 400 })
    },
  )
})

describe('createUploads of several files', () => {
  test('declares all of them or none', async () => {
    const { id } = await heldJob()
    await worker.client.worker.createUploads(id, [fileOf('a.txt', 'a')])

    const refusal = worker.client.worker.createUploads(id, [fileOf('b.txt', 'b'), fileOf('a.txt', 'other')])

    await expect(refusal).rejects.toMatchObject({ code: 'file_conflict' })
    expect(await worker.client.worker.createUploads(id, [fileOf('b.txt', 'another')])).toHaveLength(1)
  })
})

describe('downloadJob', () => {
  test('refuses a job that has no result', async () => {
    const { jobId } = await heldJob()

    await expect(ana.client.jobs.download(jobId)).rejects.toMatchObject({ status: 409, code: 'job_not_succeeded' })
  })
})

describe('pollJobs', () => {
  test('shows what waits, and takes nothing', async () => {
    const { jobId } = await ana.client.jobs.create(testJob())

    expect((await worker.client.worker.poll({ jobType: 'TEST' })).map(({ id }) => id)).toContain(jobId)
    expect((await worker.client.worker.poll({ jobType: 'TEST' })).map(({ id }) => id)).toContain(jobId)
    expect(await worker.client.worker.poll({ jobType: 'REGIONAL_ASSESSMENT' })).toEqual([])
    await ana.client.jobs.cancel(jobId)
  })

  test('is for workers', async () => {
    await expect(ana.client.worker.poll()).rejects.toMatchObject({ status: 403, code: 'forbidden' })
  })
})
