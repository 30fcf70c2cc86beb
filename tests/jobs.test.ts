import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { holdOpen, lapse, makeDue, testJob, untilBlocked } from './support/jobs.ts'
import { startTestService } from './support/service.ts'

const service = await startTestService({ maxActiveJobs: 5 })
const { sql } = service

describe('createJob', () => {
  test('starts a job that waits', async () => {
    const { client } = await service.person()
    const job = testJob()

    const { jobId, cached } = await client.jobs.create(job)

    expect(cached).toBe(false)
    expect(await client.jobs.get(jobId)).toMatchObject({
      status: 'PENDING',
      inputPayload: job.inputPayload,
      attempts: 0,
    })
  })

  test('shares an equal job, whoever asks, however it is written', async () => {
    const [ana, ben] = [await service.person(), await service.person()]
    const { id } = testJob().inputPayload

    const first = await ana.client.jobs.create({ type: 'TEST', inputPayload: { id, sleepSeconds: 1 } })
    const second = await ben.client.jobs.create({ type: 'TEST', inputPayload: { sleepSeconds: 1.0, id } })

    expect(second).toMatchObject({ jobId: first.jobId, cached: true })
    expect(second.jobRequestId).not.toBe(first.jobRequestId)
    expect((await ben.client.jobs.get(first.jobId)).id).toBe(first.jobId)
  })

  test('shares a job that has succeeded, and never one that has failed', async () => {
    const [{ client }, worker] = [await service.person(), await service.worker()]
    const [good, bad] = [testJob(), testJob()]
    for (const job of [good, bad]) {
      const { jobId } = await client.jobs.create(job)
      const { id } = await worker.client.worker.assign({ jobId })
      const succeeded = { status: 'SUCCEEDED' as const, resultPayload: { id: job.inputPayload.id } }
      await worker.client.worker.reportResult(id, job === good ? succeeded : { status: 'FAILED' })
    }

    expect(await client.jobs.create(good)).toMatchObject({ cached: true })
    expect(await client.jobs.create(bad)).toMatchObject({ cached: false })
  })

  test('makes one job of equal wishes that come at the same time', async () => {
    const people = await Promise.all([1, 2, 3, 4].map(() => service.person()))
    const job = testJob()

    const created = await Promise.all(people.map(({ client }) => client.jobs.create(job)))

    expect(new Set(created.map(({ jobId }) => jobId)).size).toBe(1)
    expect(created.filter(({ cached }) => !cached)).toHaveLength(1)
  })

  test('answers the same key and body with the same job, and refuses the key for another body', async () => {
    const { client } = await service.person()
    const [job, idempotencyKey] = [testJob(), randomUUID()]

    const first = await client.jobs.create(job, { idempotencyKey })
    const again = await client.jobs.create(job, { idempotencyKey })

    expect(again).toEqual(first)
    await expect(client.jobs.create(testJob(), { idempotencyKey })).rejects.toMatchObject({
      status: 422,
      code: 'idempotency_mismatch',
    })
  })

  test('looks the key up before the cache', async () => {
    const { client } = await service.person()
    const [job, idempotencyKey] = [testJob(), randomUUID()]
    const first = await client.jobs.create(job, { idempotencyKey })
    await client.jobs.cancel(first.jobId)

    expect(await client.jobs.create(job, { idempotencyKey })).toEqual(first)
  })

  test('says that the first request is under way while it is', async () => {
    const { client, id } = await service.person()
    const [job, idempotencyKey] = [testJob(), randomUUID()]
    const table = await holdOpen(sql, (tx) => tx`lock table idempotency_keys in access exclusive mode`)
    const creating = client.jobs.create(job, { idempotencyKey })
    await untilBlocked(sql)

    await expect(client.jobs.create(job, { idempotencyKey })).rejects.toMatchObject({
      status: 409,
      code: 'idempotency_in_progress',
    })

    await table.commit()
    expect(await creating).toMatchObject({ cached: false })
    expect(await sql`select from idempotency_keys where user_id = ${id}`).toHaveLength(1)
  })

  test('keeps the keys of one person apart from those of another', async () => {
    const [ana, ben] = [await service.person(), await service.person()]
    const idempotencyKey = randomUUID()

    const mine = await ana.client.jobs.create(testJob(), { idempotencyKey })
    const yours = await ben.client.jobs.create(testJob(), { idempotencyKey })

    expect(yours.jobId).not.toBe(mine.jobId)
  })

  test('caps the unfinished jobs of a person, but not of an admin, and not what is shared', async () => {
    const [ana, ben, admin] = [await service.person(), await service.person(), await service.person('ADMIN')]
    const shared = testJob()
    await ben.client.jobs.create(shared)
    for (let n = 0; n < 5; n++) await ana.client.jobs.create(testJob())

    const refusal = ana.client.jobs.create(testJob())

    await expect(refusal).rejects.toMatchObject({ status: 429, code: 'too_many_active_jobs', retryAfterSeconds: 10 })
    expect(await ana.client.jobs.create(shared)).toMatchObject({ cached: true })
    for (let n = 0; n < 6; n++) await admin.client.jobs.create(testJob())
  })

  test('keeps the priority HIGH for admins', async () => {
    const [ana, admin] = [await service.person(), await service.person('ADMIN')]

    await expect(ana.client.jobs.create({ ...testJob(), priority: 'HIGH' })).rejects.toMatchObject({
      code: 'priority_reserved',
    })
    await expect(admin.client.jobs.create({ ...testJob(), priority: 'HIGH' })).resolves.toMatchObject({ cached: false })
  })

  test('refuses a job type that the service keeps for itself', async () => {
    const admin = await service.person('ADMIN')
    const inputPayload = { region: 'lizard-island', layer: 'depth', version: 1 }

    await expect(admin.client.jobs.create({ type: 'RASTER_INSPECTION', inputPayload })).rejects.toMatchObject({
      code: 'forbidden',
    })
  })

  test('points at what does not fit the type, and starts nothing', async () => {
    const { client } = await service.person()

    const refusal = client.jobs.create({ type: 'TEST', inputPayload: { id: 1.5, bogus: true } as never })

    await expect(refusal).rejects.toMatchObject({
      status: 400,
      errors: [{ pointer: '/inputPayload/id' }, { pointer: '/inputPayload/bogus' }],
    })
    expect((await client.jobs.list()).items).toEqual([])
  })
})

describe('getJob', () => {
  test('shows a job to those who asked for it and to admins, and to nobody else', async () => {
    const [ana, ben, admin] = [await service.person(), await service.person(), await service.person('ADMIN')]
    const { jobId } = await ana.client.jobs.create(testJob())

    await expect(ben.client.jobs.get(jobId)).rejects.toMatchObject({ status: 404, code: 'job_not_found' })
    expect((await admin.client.jobs.get(jobId)).id).toBe(jobId)
    for (const look of ['logs', 'download', 'cancel'] as const) {
      await expect(ben.client.jobs[look](jobId)).rejects.toMatchObject({ code: 'job_not_found' })
    }
    await expect(ben.client.jobs.events(jobId).next()).rejects.toMatchObject({ code: 'job_not_found' })
  })

  test('shows a worker what it may claim and what it holds, and not what others hold', async () => {
    const [ana, first, second] = [await service.person(), await service.worker(), await service.worker()]
    const { jobId } = await ana.client.jobs.create(testJob())
    expect((await second.client.jobs.get(jobId)).status).toBe('PENDING')

    await first.client.worker.assign({ jobId })

    expect((await first.client.jobs.get(jobId)).status).toBe('IN_PROGRESS')
    await expect(second.client.jobs.get(jobId)).rejects.toMatchObject({ code: 'job_not_found' })
  })

  test('commits the expiry of a lease that has run out before it shows the job', async () => {
    const [ana, worker] = [await service.person(), await service.worker()]
    const { jobId } = await ana.client.jobs.create(testJob())
    await worker.client.worker.assign({ jobId })
    await lapse(sql, jobId)

    expect(await ana.client.jobs.get(jobId)).toMatchObject({
      status: 'PENDING',
      attempts: 1,
      error: { retryable: true },
    })
  })

  test('waits for a change, and answers a final job at once', async () => {
    const [ana, worker] = [await service.person(), await service.worker()]
    const { jobId } = await ana.client.jobs.create(testJob())
    const { lastEventId } = await ana.client.jobs.get(jobId)

    const waiting = ana.client.jobs.get(jobId, { waitSeconds: 20, afterEventId: lastEventId })
    const { id } = await worker.client.worker.assign({ jobId })
    expect(await waiting).toMatchObject({ status: 'IN_PROGRESS' })

    await worker.client.worker.reportResult(id, { status: 'FAILED' })
    expect(await ana.client.jobs.get(jobId, { waitSeconds: 20 })).toMatchObject({ status: 'FAILED' })
  })

  test('answers what has changed before it was asked', async () => {
    const [ana, worker] = [await service.person(), await service.worker()]
    const { jobId } = await ana.client.jobs.create(testJob())
    await worker.client.worker.assign({ jobId })

    expect(await ana.client.jobs.get(jobId, { waitSeconds: 20, afterEventId: 1 })).toMatchObject({
      status: 'IN_PROGRESS',
    })
  })
})

describe('listJobs', () => {
  test('pages through mine, newest first, each once', async () => {
    const { client } = await service.person()
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.unshift((await client.jobs.create(testJob())).jobId)

    const listed = await Array.fromAsync(client.jobs.listAll({ limit: 2 }), ({ id }) => id)

    expect(listed).toEqual(ids)
  })

  test('holds what I share, once, however often I asked', async () => {
    const [ana, ben] = [await service.person(), await service.person()]
    const job = testJob()
    const { jobId } = await ana.client.jobs.create(job)
    await ben.client.jobs.create(job)
    await ben.client.jobs.create(job)

    expect((await ben.client.jobs.list()).items.map(({ id }) => id)).toEqual([jobId])
    expect((await ben.client.jobs.requests()).items).toMatchObject([
      { jobId, cached: true },
      { jobId, cached: true },
    ])
  })

  test('keeps to a state and a type', async () => {
    const { client } = await service.person()
    const { jobId } = await client.jobs.create(testJob())
    await client.jobs.create(testJob())
    await client.jobs.cancel(jobId)

    expect((await client.jobs.list({ status: 'CANCELLED', type: 'TEST' })).items.map(({ id }) => id)).toEqual([jobId])
    expect((await client.jobs.list({ type: 'REGIONAL_ASSESSMENT' })).items).toEqual([])
  })

  test('refuses a cursor that is not ours', async () => {
    const { client } = await service.person()

    await expect(client.jobs.list({ cursor: 'bogus' })).rejects.toMatchObject({
      status: 400,
      errors: [{ pointer: '/query/cursor' }],
    })
  })
})

describe('cancelJob', () => {
  test('stops a job that waits, and again answers the same', async () => {
    const { client } = await service.person()
    const { jobId } = await client.jobs.create(testJob())

    expect(await client.jobs.cancel(jobId)).toMatchObject({ status: 'CANCELLED' })
    expect(await client.jobs.cancel(jobId)).toMatchObject({ status: 'CANCELLED' })
  })

  test('reaches the worker of a running job at its next heartbeat', async () => {
    const [ana, worker] = [await service.person(), await service.worker()]
    const { jobId } = await ana.client.jobs.create(testJob())
    const { id } = await worker.client.worker.assign({ jobId })

    await ana.client.jobs.cancel(jobId)

    await expect(worker.client.worker.heartbeat(id)).rejects.toMatchObject({ status: 409, code: 'job_cancelled' })
    await expect(worker.client.worker.reportResult(id, { status: 'FAILED' })).rejects.toMatchObject({
      code: 'job_cancelled',
    })
    expect(await ana.client.jobs.get(jobId)).toMatchObject({ status: 'CANCELLED' })
  })

  test('withdraws my wish alone while others wait, and stops the job with the last', async () => {
    const [ana, ben] = [await service.person(), await service.person()]
    const job = testJob()
    const { jobId } = await ana.client.jobs.create(job)
    await ben.client.jobs.create(job)

    expect(await ana.client.jobs.cancel(jobId)).toMatchObject({ status: 'PENDING' })
    expect((await ana.client.jobs.requests()).items[0]).toHaveProperty('withdrawnAt')
    expect(await ben.client.jobs.cancel(jobId)).toMatchObject({ status: 'CANCELLED' })
  })

  test('stops a job at once for an admin', async () => {
    const [ana, ben, admin] = [await service.person(), await service.person(), await service.person('ADMIN')]
    const job = testJob()
    const { jobId } = await ana.client.jobs.create(job)
    await ben.client.jobs.create(job)

    expect(await admin.client.jobs.cancel(jobId)).toMatchObject({ status: 'CANCELLED' })
  })

  test('refuses what is final', async () => {
    const [ana, worker] = [await service.person(), await service.worker()]
    const { jobId } = await ana.client.jobs.create(testJob())
    const { id } = await worker.client.worker.assign({ jobId })
    await worker.client.worker.reportResult(id, { status: 'FAILED' })

    await expect(ana.client.jobs.cancel(jobId)).rejects.toMatchObject({ status: 409, code: 'job_finished' })
  })
})

describe('streamJobEvents', () => {
  test('tells everything from the start, in order, and ends with the job', async () => {
    const [ana, worker] = [await service.person(), await service.worker()]
    const { jobId } = await ana.client.jobs.create(testJob())
    const following = Array.fromAsync(ana.client.jobs.events(jobId))
    const { id } = await worker.client.worker.assign({ jobId })
    await worker.client.worker.appendLogs(id, [{ message: 'one' }, { message: 'two', level: 'WARNING' }])
    await worker.client.worker.heartbeat(id, { progress: 0.5 })
    await worker.client.worker.reportResult(id, { status: 'FAILED', error: { message: 'The sea is rough.' } })

    expect(await following).toMatchObject([
      { id: 1, kind: 'status', status: 'PENDING' },
      { id: 2, kind: 'status', status: 'IN_PROGRESS' },
      { id: 3, kind: 'log', level: 'INFO', message: 'one' },
      { id: 4, kind: 'log', level: 'WARNING', message: 'two' },
      { id: 5, kind: 'progress', progress: 0.5 },
      { id: 6, kind: 'status', status: 'FAILED', reason: 'The sea is rough.' },
    ])
  })

  test('goes on after the last id that was seen, and answers 204 when that was all', async () => {
    const { client } = await service.person()
    const { jobId } = await client.jobs.create(testJob())
    await client.jobs.cancel(jobId)

    expect(await Array.fromAsync(client.jobs.events(jobId, { lastEventId: 1 }))).toMatchObject([
      { id: 2, status: 'CANCELLED' },
    ])
    expect(await Array.fromAsync(client.jobs.events(jobId, { lastEventId: 2 }))).toEqual([])
  })
})

describe('listJobLogs', () => {
  test('pages through the log, oldest first', async () => {
    const [ana, worker] = [await service.person(), await service.worker()]
    const { jobId } = await ana.client.jobs.create(testJob())
    const { id } = await worker.client.worker.assign({ jobId })
    const messages = ['a', 'b', 'c', 'd', 'e']
    await worker.client.worker.appendLogs(
      id,
      messages.map((message) => ({ message })),
    )

    expect(await Array.fromAsync(ana.client.jobs.logsAll(jobId, { limit: 2 }), ({ message }) => message)).toEqual(
      messages,
    )
  })
})

describe('listJobTypes', () => {
  test('describes each type, with the schemas of what goes in and what comes out', async () => {
    const { client } = await service.person()

    const { items } = await client.jobs.types()

    expect(items.map(({ type }) => type)).toEqual([
      'RASTER_INSPECTION',
      'REGIONAL_ASSESSMENT',
      'SUITABILITY_ASSESSMENT',
      'TEST',
    ])
    expect(await client.jobs.type('TEST')).toMatchObject({
      inputSchema: { required: ['id'] },
      resultSchema: { required: ['id'] },
    })
    await expect(client.jobs.type('NOPE' as never)).rejects.toMatchObject({ status: 404, code: 'job_type_not_found' })
  })
})

describe('a lease that nobody extends', () => {
  test('ends TIMED_OUT once the attempts are used up', async () => {
    const [ana, worker] = [await service.person(), await service.worker()]
    const { jobId } = await ana.client.jobs.create(testJob())
    for (let attempt = 1; attempt <= 3; attempt++) {
      await makeDue(sql, jobId)
      await worker.client.worker.assign({ jobId })
      await lapse(sql, jobId)
      await service.settlement.sweep()
    }

    expect(await ana.client.jobs.get(jobId)).toMatchObject({ status: 'TIMED_OUT', attempts: 3 })
    expect(await sql`select from job_assignments where job_id = ${jobId}`).toHaveLength(3)
    await expect(worker.client.worker.assign({ jobId })).rejects.toMatchObject({ code: 'job_not_available' })
  })
})
