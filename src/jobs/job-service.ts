import { v7 as uuid } from 'uuid'
import { jobTypes } from '../../generated/job-types.ts'
import type { components } from '../../generated/types.ts'
import { type Caller, isAdmin, isWorker, ownerFor } from '../auth/caller.ts'
import type { Sql, Tx } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import { type PageQuery, pageOf, startOf } from '../page.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { hashJson, once } from './idempotency.ts'
import type { JobChanges } from './job-changes.ts'
import {
  isFinal,
  type JobFile,
  type JobRow,
  type JobStatus,
  type JobTypeName,
  type JsonObject,
  toJob,
  toPriorityNumber,
} from './job-rows.ts'
import type { JobSettlement } from './job-settlement.ts'
import type { JobRequestRow, JobStore, NewJob } from './job-store.ts'
import { assertSmall } from './payload-size.ts'
import type { ReadyJobs } from './ready-jobs.ts'

type Schemas = components['schemas']

/** What a worker is given. */
export interface ResolvedInput {
  /** The input with its references replaced by what they refer to now. */
  resolved: JsonObject
  /** The files that the job will read, as they are now. */
  files: JobFile[]
}
/** Checks that the caller may use what the input refers to, and resolves it. Throws `unresolved_reference`. */
export type InputResolver<Type extends JobTypeName> = (
  input: Extract<Schemas['JobCreate'], { type: Type }>['inputPayload'],
  caller: Caller,
  tx: Tx,
) => Promise<ResolvedInput>
export type InputResolvers = { [Type in JobTypeName]?: InputResolver<Type> }

export interface JobServiceDeps {
  sql: Sql
  jobs: JobStore
  store: ObjectStore
  settlement: JobSettlement
  ready: ReadyJobs
  changes: JobChanges
  resolvers: InputResolvers
  /** Unfinished jobs that one person may have. */
  maxActiveJobs: number
  /** Who asks to wait longer is answered then. */
  longestWaitSeconds?: number | undefined
}

const forsakenBatchSize = 100

export const jobService = (deps: JobServiceDeps) => {
  const { sql, jobs, store, settlement, ready, changes, resolvers, maxActiveJobs } = deps
  const { longestWaitSeconds = Number.POSITIVE_INFINITY } = deps

  /** The job, if the caller may know of it. Commits the expiry of its lease first, so that what is shown is true. */
  async function visible(jobId: string, caller: Caller): Promise<JobRow> {
    const row = await settledRow(jobId, caller)
    if (row && (await maySee(row, caller))) return row
    throw new AppError('job_not_found', `There is no job ${jobId} that you may see.`)
  }

  async function settledRow(jobId: string, caller: Caller): Promise<JobRow | undefined> {
    const viewerId = ownerFor(caller)
    const row = await jobs.find(jobId, viewerId)
    if (!row?.isLapsed) return row
    await settlement.expire(jobId)
    return jobs.find(jobId, viewerId)
  }

  async function maySee(row: JobRow, caller: Caller): Promise<boolean> {
    if (isAdmin(caller)) return true
    const isReader = caller.kind === 'session' || caller.scopes.includes('jobs:read')
    if (isReader && (await jobs.isRequestedBy(row.id, caller.userId))) return true
    return isWorker(caller) && (row.status === 'PENDING' || (await jobs.isHeldBy(row.id, caller.userId)))
  }

  /** What belongs to those who asked for the job, and is none of a worker's business. */
  async function requested(jobId: string, caller: Caller): Promise<JobRow> {
    const row = await settledRow(jobId, caller)
    if (row && (isAdmin(caller) || (await jobs.isRequestedBy(jobId, caller.userId)))) return row
    throw new AppError('job_not_found', `There is no job ${jobId} that you may see.`)
  }

  /** Inserts the job, or a request for the equal one that is there. Either may vanish under our hands; then the other is there. */
  async function insertOrShare(job: NewJob, isLimited: boolean, tx: Tx): Promise<Schemas['JobCreated']> {
    const limit = isLimited ? maxActiveJobs : undefined
    for (let tries = 0; tries < 5; tries++) {
      if (await jobs.insert(job, limit, tx)) return { jobId: job.id, cached: false, jobRequestId: job.requestId }
      const sharedId = job.cacheKey && (await jobs.insertSharedRequest(job, tx))
      if (sharedId) return { jobId: sharedId, cached: true, jobRequestId: job.requestId }
      if (limit !== undefined && (await jobs.countUnfinished(job.userId, limit, tx)) >= limit) {
        throw new AppError('too_many_active_jobs', `You have ${limit} unfinished jobs. Wait for some to finish.`, {
          retryAfterSeconds: 10,
        })
      }
    }
    throw new AppError('service_unavailable', 'An equal job comes and goes too quickly.', { retryAfterSeconds: 1 })
  }

  /** Withdraws a person's requests, and stops the job when nobody else waits for it, or it must stop. */
  const withdraw = ({ id, type }: Pick<JobRow, 'id' | 'type'>, userId: string, mustStop: boolean) =>
    settlement.within(async (tx) => {
      const { othersWait } = await jobs.withdrawRequests(id, userId, tx)
      const isStopped = (!othersWait || mustStop) && (await jobs.cancel(id, tx))
      return isStopped ? [{ id, type, status: 'CANCELLED' as const }] : []
    })

  return {
    async create(
      caller: Caller,
      input: Schemas['JobCreate'],
      idempotencyKey: string | undefined,
    ): Promise<Schemas['JobCreated']> {
      const { type, inputPayload, priority } = input
      if (jobTypes[type].isInternal)
        throw new AppError('forbidden', `Jobs of type ${type} are started by the service alone.`)
      if (priority === 'HIGH' && !isAdmin(caller))
        throw new AppError('priority_reserved', 'The priority HIGH is for admins.')

      assertSmall(inputPayload, '/inputPayload')
      const start = async (tx: Tx) => {
        const resolve = resolvers[type] as InputResolver<JobTypeName> | undefined
        const { resolved, files } = (await resolve?.(inputPayload as never, caller, tx)) ?? {
          resolved: inputPayload,
          files: [],
        }
        const job = newJob(type, caller.userId, { input: inputPayload, resolved, files, priority })
        return insertOrShare(job, !isAdmin(caller), tx)
      }
      const { userId } = caller
      const created = idempotencyKey
        ? await once(sql, { userId, operation: 'createJob', key: idempotencyKey, body: input }, start)
        : await start(sql)
      if (!created.cached) ready.announce(type)
      return created
    },

    /** Starts a job of the service's own in the given transaction. Say `announce` once that has committed. */
    async start(
      type: JobTypeName,
      userId: string,
      input: JsonObject,
      files: JobFile[],
      tx: Tx,
    ): Promise<{ jobId: string; announce(): void }> {
      const job = newJob(type, userId, { input, resolved: input, files })
      const { jobId } = await insertOrShare(job, false, tx)
      return { jobId, announce: () => ready.announce(type) }
    },

    /** Waits up to `waitSeconds` for an event beyond `afterEventId`, or beyond what is there now. */
    async get(
      caller: Caller,
      jobId: string,
      { waitSeconds, afterEventId }: { waitSeconds: number; afterEventId?: number | undefined },
      signal: AbortSignal,
    ): Promise<Schemas['Job']> {
      const row = await visible(jobId, caller)
      const seen = afterEventId ?? row.lastEventId
      if (waitSeconds === 0 || isFinal(row.status) || row.lastEventId > seen) return toJob(row)
      const waitMs = Math.min(waitSeconds, longestWaitSeconds) * 1000
      const changed = await changes.follow(jobId, waitMs, signal, async () => {
        const now = await settledRow(jobId, caller)
        return now && now.lastEventId > seen ? now : undefined
      })
      return toJob(changed ?? (await visible(jobId, caller)))
    },

    async list(
      caller: Caller,
      query: PageQuery & { status?: JobStatus; type?: JobTypeName },
    ): Promise<Schemas['JobPage']> {
      const { limit, status, type } = query
      const userId = ownerFor(caller)
      const rows = await jobs.page({ userId, status, type, beforeId: startOf(query), limit: limit + 1 })
      return pageOf(rows, limit, toJob)
    },

    async listRequests(caller: Caller, query: PageQuery): Promise<Schemas['JobRequestPage']> {
      const userId = ownerFor(caller)
      const rows = await jobs.pageOfRequests(userId, query.limit + 1, startOf(query))
      return pageOf(rows, query.limit, toJobRequest)
    },

    /** Withdraws the caller's requests, and stops the job when nobody else waits for it, or the caller is an admin. */
    async cancel(caller: Caller, jobId: string): Promise<Schemas['Job']> {
      const before = await requested(jobId, caller)
      if (isFinal(before.status) && before.status !== 'CANCELLED') throw finished(before.status)
      const stopped = await withdraw(before, caller.userId, isAdmin(caller))
      const after = await requested(jobId, caller)
      // It may have finished between the look and the lock.
      if (stopped.length === 0 && isFinal(after.status) && after.status !== 'CANCELLED') throw finished(after.status)
      return toJob(after)
    },

    /**
     * Withdraws what people who are deleted still wait for: a person, or anybody. Cut short anywhere, the next time does the rest. A job
     * that fails to stop holds up no other.
     */
    async withdrawForsaken(userId?: string): Promise<void> {
      for (;;) {
        const forsaken = await jobs.listForsaken(userId, forsakenBatchSize)
        const failures: unknown[] = []
        for (const job of forsaken) await withdraw(job, job.userId, false).catch((error) => failures.push(error))
        if (failures.length > 0) throw new AggregateError(failures, 'Not all wishes could be withdrawn.')
        if (forsaken.length < forsakenBatchSize) return
      }
    },

    /** Links to the files that the result named. */
    async download(caller: Caller, jobId: string, expirySeconds: number): Promise<Schemas['JobDownload']> {
      const { id, type, status } = await requested(jobId, caller)
      const manifest = await jobs.findResultFiles(jobId)
      if (!manifest) throw new AppError('job_not_succeeded', `The job is ${status} and has no result.`)
      const links = await Promise.all(
        manifest.map(async ({ name, objectKey, contentType }) => {
          const fileName = name.split('/').at(-1)!
          const { url } = await store.signDownload(objectKey, { expirySeconds, fileName, contentType })
          return [name, url] as const
        }),
      )
      return { job: { id, type, status }, files: Object.fromEntries(links) }
    },

    requested,
  }
}

export type JobService = ReturnType<typeof jobService>

interface JobContent {
  input: JsonObject
  resolved: JsonObject
  files: JobFile[]
  priority?: Schemas['JobPriority'] | undefined
}

function newJob(type: JobTypeName, userId: string, { input, resolved, files, priority }: JobContent): NewJob {
  const { version, isCacheable, maxAttempts } = jobTypes[type]
  const contents = files.map(({ name, sha256 }) => ({ name, sha256 }))
  const cacheKey = isCacheable ? hashJson({ type, version, resolved, contents }) : null
  const [id, requestId] = [uuid(), uuid()]
  return {
    id,
    requestId,
    userId,
    type,
    priority: toPriorityNumber(priority),
    maxAttempts,
    cacheKey,
    input,
    resolved,
    files,
  }
}

const finished = (status: JobStatus) =>
  new AppError('job_finished', `The job is ${status}. What is final cannot change.`)

const toJobRequest = (row: JobRequestRow): Schemas['JobRequest'] => ({
  id: row.id,
  jobId: row.jobId,
  type: row.type,
  status: row.status,
  cached: row.cached,
  createdAt: row.createdAt.toISOString(),
  ...(row.withdrawnAt && { withdrawnAt: row.withdrawnAt.toISOString() }),
})
