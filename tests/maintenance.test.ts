import { createHash, randomBytes } from 'node:crypto'
import { v7 as uuid } from 'uuid'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { sessionStore } from '../src/auth/session-store.ts'
import { jobStore } from '../src/jobs/job-store.ts'
import { startMaintenance } from '../src/jobs/maintenance.ts'
import { claimOne } from './support/jobs.ts'
import { memoryLog, startTestService } from './support/service.ts'

describe('maintenance', () => {
  afterEach(() => vi.useRealTimers())

  test('goes on sweeping while a chore takes long, and starts neither it nor a sweep twice at once', async () => {
    vi.useFakeTimers()
    const [sweep, chore] = [vi.fn(async () => {}), vi.fn(() => new Promise(() => {}))]
    startMaintenance({
      sweep,
      chores: { slow: chore },
      log: memoryLog(),
      sweepMs: 10,
      choreMs: 20,
      firstChoreMs: () => 20,
    })

    await vi.advanceTimersByTimeAsync(100)

    expect(sweep).toHaveBeenCalledTimes(10)
    expect(chore).toHaveBeenCalledTimes(1)
  })

  test('stops once the run under way is over, and starts no other', async () => {
    vi.useFakeTimers()
    const run = Promise.withResolvers<boolean>()
    const chore = vi.fn(() => run.promise)
    const maintenance = startMaintenance({
      sweep: async () => {},
      chores: { slow: chore },
      log: memoryLog(),
      sweepMs: 10,
      choreMs: 10,
      firstChoreMs: () => 10,
    })
    await vi.advanceTimersByTimeAsync(35)

    const stopped = maintenance.stop()
    run.resolve(true)
    await stopped
    await vi.advanceTimersByTimeAsync(100)

    expect(chore).toHaveBeenCalledTimes(1)
  })

  test('comes back soon to a chore that has more to do, and late to one that has not, or that fails', async () => {
    vi.useFakeTimers()
    const chores = {
      much: vi.fn(async () => true),
      little: vi.fn(async () => 3),
      broken: vi.fn(() => Promise.reject(new Error('The tide is out.'))),
    }
    const log = memoryLog()
    const times = { sweepMs: 10, choreMs: 100, firstChoreMs: () => 100 }
    const maintenance = startMaintenance({ sweep: async () => {}, chores, log, ...times })

    await vi.advanceTimersByTimeAsync(150)
    await maintenance.stop()

    expect(chores.much).toHaveBeenCalledTimes(6)
    expect(chores.little).toHaveBeenCalledTimes(1)
    expect(chores.broken).toHaveBeenCalledTimes(1)
    expect(log.lines).toMatchObject([{ level: 'warn', message: 'chore failed', fields: { chore: 'broken' } }])
  })

  test('does each chore soon after the start, at its own time, and then late', async () => {
    vi.useFakeTimers()
    const firstTimes = [300, 700]
    const chores = { early: vi.fn(async () => {}), later: vi.fn(async () => {}) }
    const runs = () => Object.values(chores).map((chore) => chore.mock.calls.length)
    const maintenance = startMaintenance({
      sweep: async () => {},
      chores,
      log: memoryLog(),
      choreMs: 10_000,
      firstChoreMs: () => firstTimes.shift()!,
    })

    await vi.advanceTimersByTimeAsync(300)
    expect(runs()).toEqual([1, 0])
    await vi.advanceTimersByTimeAsync(400)
    expect(runs()).toEqual([1, 1])
    await vi.advanceTimersByTimeAsync(9000)
    expect(runs()).toEqual([1, 1])
    await vi.advanceTimersByTimeAsync(1000)
    await maintenance.stop()
    expect(runs()).toEqual([2, 2])
  })

  test('leaves a process 5 seconds to start, and does a chore within 15', async () => {
    vi.useFakeTimers()
    const chores = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`chore ${i}`, vi.fn(async () => {})]))
    const done = () => Object.values(chores).filter((chore) => chore.mock.calls.length > 0).length
    const maintenance = startMaintenance({ sweep: async () => {}, chores, log: memoryLog() })

    await vi.advanceTimersByTimeAsync(4999)
    expect(done()).toBe(0)
    await vi.advanceTimersByTimeAsync(10_001)
    await maintenance.stop()
    expect(done()).toBe(50)
  })
})

const service = await startTestService()
const { sql, store } = service
const [ana, worker] = [await service.person(), await service.worker()]

/** A job made so long ago; ids tell the time. */
async function jobOf(daysAgo: number, { isFinished = true } = {}): Promise<string> {
  const id = uuid({ msecs: Date.now() - daysAgo * 86_400_000 })
  const input = { id: 1 }
  const job = { id, requestId: uuid(), userId: ana.id, type: 'TEST', priority: 0, maxAttempts: 3, files: [] } as const
  await jobStore(sql).insert({ ...job, files: [], cacheKey: randomBytes(32), input, resolved: input }, undefined)
  if (isFinished) {
    await sql`
      update jobs
      set status = 'CANCELLED', finished_at = now() - make_interval(days => ${daysAgo})
      where id = ${id}
    `
  }
  return id
}

/** The same, done by a worker that left a file. Gives the key of the file, too. */
async function jobWithFile(daysAgo: number): Promise<{ jobId: string; objectKey: string }> {
  const jobId = await jobOf(daysAgo, { isFinished: false })
  const { assignment } = await claimOne(worker.client)
  const text = 'sand'
  const sha256 = createHash('sha256').update(text).digest('hex')
  const file = { name: 'a.txt', sizeBytes: text.length, sha256, contentType: 'text/plain' }
  const [upload] = await worker.client.worker.createUploads(assignment.id, [file])
  await service.fetch(new Request(upload!.url, { method: upload!.method, headers: upload!.headers, body: text }))
  const resultPayload = { id: 1 }
  await worker.client.worker.reportResult(assignment.id, { status: 'SUCCEEDED', resultPayload })
  await sql`update jobs set finished_at = now() - make_interval(days => ${daysAgo}) where id = ${jobId}`
  const objectKey = `results/${assignment.id}/a.txt`
  expect(await store.head(objectKey)).toBeDefined()
  return { jobId, objectKey }
}

const jobIds = async () => (await sql<{ id: string }[]>`select id from jobs order by id`).map(({ id }) => id)

describe('purge jobs', () => {
  afterEach(() => sql`delete from jobs`)

  test('deletes what finished before the retention period, with its files, and nothing else', async () => {
    const [old, young] = [await jobWithFile(91), await jobWithFile(89)]
    await jobOf(92)
    const unfinished = await jobOf(100, { isFinished: false })

    await service.chores['purge jobs']()

    expect(await jobIds()).toEqual([unfinished, young.jobId])
    expect(await store.head(old.objectKey)).toBeUndefined()
    expect(await store.head(young.objectKey)).toBeDefined()
  })

  test('finds the files again that it could not delete', async () => {
    const { jobId, objectKey } = await jobWithFile(91)
    vi.spyOn(store, 'delete').mockRejectedValueOnce(new Error('The store is away.'))

    await expect(service.chores['purge jobs']()).rejects.toThrow('away')
    expect(await jobIds()).toEqual([jobId])
    await service.chores['purge jobs']()

    expect(await jobIds()).toEqual([])
    expect(await store.head(objectKey)).toBeUndefined()
  })

  test('gives nobody a job from the cache whose files are going', async () => {
    const { jobId } = await jobWithFile(91)
    vi.spyOn(store, 'delete').mockRejectedValueOnce(new Error('The store is away.'))

    await expect(service.chores['purge jobs']()).rejects.toThrow('away')

    expect(await sql`select cache_key from jobs where id = ${jobId}`).toEqual([{ cacheKey: null }])
  })

  test('goes on after a batch of jobs that nobody ever worked on, one batch at a time', async () => {
    for (let n = 0; n < 101; n++) await jobOf(95)
    const { jobId } = await jobWithFile(91)

    expect(await service.chores['purge jobs']()).toBe(true)
    expect(await jobIds()).toContain(jobId)
    expect(await service.chores['purge jobs']()).toBe(false)

    expect(await jobIds()).toEqual([])
  })
})

describe('purge sessions', () => {
  test('forgets those that ended a month ago, by themselves or by signing out', async () => {
    const session = async (column: 'expires_at' | 'revoked_at', daysAgo: number) => {
      const id = uuid()
      await sessionStore(sql).insert({ id, userId: ana.id, tokenHash: randomBytes(32) })
      await sql`update sessions set ${sql(column)} = now() - make_interval(days => ${daysAgo}) where id = ${id}`
      return id
    }
    const forgotten = [await session('expires_at', 31), await session('revoked_at', 31)]
    const kept = [await session('expires_at', 29), await session('revoked_at', 29)]

    await service.chores['purge sessions']()

    const rows = await sql<{ id: string }[]>`select id from sessions where id = any(${[...forgotten, ...kept]})`
    expect(rows.map(({ id }) => id).sort()).toEqual(kept.sort())
    expect(await ana.client.users.me()).toMatchObject({ id: ana.id })
  })

  test('goes on after a batch, one batch at a time', async () => {
    await sql`
      insert into sessions (id, user_id, expires_at)
      select gen_random_uuid(), ${ana.id}, now() - interval '31 days'
      from generate_series(1, 201)
    `

    expect(await service.chores['purge sessions']()).toBe(true)
    expect(await sql`select count(*)::integer from sessions where expires_at < now() - interval '30 days'`).toEqual([
      { count: 1 },
    ])
    expect(await service.chores['purge sessions']()).toBe(false)

    expect(await sql`select from sessions where expires_at < now() - interval '30 days'`).toEqual([])
  })
})

describe('purge idempotency keys', () => {
  test('forgets those that are older than a day', async () => {
    const body = { type: 'TEST', inputPayload: { id: 7 } } as const
    const [old, young] = [uuid(), uuid()]
    for (const idempotencyKey of [old, young]) await ana.client.jobs.create(body, { idempotencyKey })
    await sql`update idempotency_keys set created_at = now() - interval '25 hours' where key = ${old}`

    await service.chores['purge idempotency keys']()

    expect(await sql`select key from idempotency_keys where user_id = ${ana.id}`).toEqual([{ key: young }])
  })

  test('goes on after a batch, one batch at a time', async () => {
    await sql`
      insert into idempotency_keys (user_id, operation, key, request_hash, created_at)
      select ${ana.id}, 'createJob', 'old ' || n, '', now() - interval '25 hours'
      from generate_series(1, 1001) n
    `

    expect(await service.chores['purge idempotency keys']()).toBe(true)
    expect(await sql`select from idempotency_keys where key like 'old %'`).toHaveLength(1)
    expect(await service.chores['purge idempotency keys']()).toBe(false)

    expect(await sql`select from idempotency_keys where key like 'old %'`).toEqual([])
  })
})
