import { dayMs, firstIdAt } from '../db/id-time.ts'
import type { Sql, Tx } from '../db/sql.ts'
import type { ClaimableJobRow, JobFile, JobRow, JobStatus, JobTypeName, JsonObject } from './job-rows.ts'

export interface NewJob {
  id: string
  requestId: string
  userId: string
  type: JobTypeName
  priority: number
  maxAttempts: number
  cacheKey: Buffer | null
  input: JsonObject
  resolved: JsonObject
  files: JobFile[]
}

export interface JobFilter {
  /** Only jobs that this person asked for. */
  userId?: string | undefined
  status?: JobStatus | undefined
  type?: JobTypeName | undefined
  beforeId?: string | undefined
  limit: number
}

export interface JobRequestRow {
  id: string
  jobId: string
  type: JobTypeName
  status: JobStatus
  cached: boolean
  createdAt: Date
  withdrawnAt: Date | null
}

/** Jobs and requests: what people start, look at and cancel. What workers do is in `assignment-store.ts`. */
export const jobStore = (sql: Sql) => {
  /** With the input as the viewer wrote it: those who share a job may have said it in other words, of which only the meaning is shared. */
  const columns = (viewerId?: string) => sql`
    j.id, j.type, j.status, j.priority, j.attempts, j.max_attempts, j.last_event_id, j.progress, j.available_at,
    j.created_at, j.updated_at, j.started_at, j.finished_at,
    coalesce(j.lease_expires_at <= now(), false) as is_lapsed,
    ${viewerId ? ownInput(viewerId) : sql`p.input`} as input, p.error, r.payload as result_payload
  `
  const ownInput = (viewerId: string) => sql`
    coalesce(
      (
        select q.input
        from job_requests q
        where q.job_id = j.id and q.user_id = ${viewerId} and q.input is not null
        order by q.id desc
        limit 1
      ),
      p.input
    )
  `
  /** Counts no further than `limit`: more does not matter. */
  const unfinished = (userId: string, limit: number) => sql`
    select count(*)::integer as count
    from (select from jobs where user_id = ${userId} and status in ('PENDING', 'IN_PROGRESS') limit ${limit}) unfinished
  `
  /** Whether the person is told by mail once the job is over. Asked when they ask for the job, and again when it is over. */
  const wantsMail = (userId: string) => sql`(select wants_job_mail from users where id = ${userId})`
  const joined = sql`jobs j join job_payloads p on p.job_id = j.id left join job_results r on r.job_id = j.id`

  return {
    /**
     * One statement for the job, its payload, its first request and its first event. `false` if an equal job is there already, or the
     * person has as many unfinished ones as `limit` allows.
     */
    async insert(job: NewJob, limit: number | undefined, tx: Tx = sql): Promise<boolean> {
      const mayStart = limit === undefined ? sql`true` : sql`(${unfinished(job.userId, limit)}) < ${limit}`
      const { count } = await tx`
        with job as (
          insert into jobs (id, type, priority, user_id, max_attempts, last_event_id, cache_key)
          select ${job.id}, ${job.type}, ${job.priority}, ${job.userId}, ${job.maxAttempts}, 1, ${job.cacheKey}
          where ${mayStart}
          on conflict (cache_key) where cache_key is not null and status in ('PENDING', 'IN_PROGRESS', 'SUCCEEDED')
            do nothing
          returning id
        ), payload as (
          insert into job_payloads (job_id, input, resolved, files)
          select id, ${sql.json(job.input as never)}, ${sql.json(job.resolved as never)}, ${sql.json(job.files as never)}
          from job
        ), event as (
          insert into job_events (job_id, id, kind, data)
          select id, 1, 'status', '{"status": "PENDING"}'
          from job
        )
        insert into job_requests (id, job_id, user_id, cached, mail_due)
        select ${job.requestId}, id, ${job.userId}, false, ${wantsMail(job.userId)}
        from job
      `
      return count > 0
    },

    /** A request for the equal job that is there already. `undefined` if it has gone meanwhile. */
    async insertSharedRequest(
      { requestId, cacheKey, userId, input }: NewJob,
      tx: Tx = sql,
    ): Promise<string | undefined> {
      const [row] = await tx<{ jobId: string }[]>`
        insert into job_requests (id, job_id, user_id, cached, input, mail_due)
        select ${requestId}, id, ${userId}, true, ${sql.json(input as never)},
          finished_at is null and ${wantsMail(userId)}
        from jobs
        where cache_key = ${cacheKey} and status in ('PENDING', 'IN_PROGRESS', 'SUCCEEDED')
        for share
        returning job_id
      `
      return row?.jobId
    },

    async countUnfinished(userId: string, limit: number, tx: Tx = sql): Promise<number> {
      const [row] = await tx<{ count: number }[]>`${unfinished(userId, limit)}`
      return row!.count
    },

    async find(id: string, viewerId?: string, tx: Tx = sql): Promise<JobRow | undefined> {
      const [row] = await tx<JobRow[]>`select ${columns(viewerId)} from ${joined} where j.id = ${id}`
      return row
    },

    async isRequestedBy(id: string, userId: string): Promise<boolean> {
      const rows = await sql`select from job_requests where job_id = ${id} and user_id = ${userId} limit 1`
      return rows.length > 0
    },

    /** Whether a worker of this person holds the job now. */
    async isHeldBy(id: string, userId: string): Promise<boolean> {
      const rows = await sql`
        select from job_assignments
        where job_id = ${id} and user_id = ${userId} and ended_at is null
      `
      return rows.length > 0
    },

    /** Newest first. */
    async page({ userId, status, type, beforeId, limit }: JobFilter): Promise<JobRow[]> {
      const before = beforeId ? sql`j.id < ${beforeId}` : sql`true`
      const mine = userId
        ? sql`exists (select from job_requests q where q.user_id = ${userId} and q.job_id = j.id)`
        : sql`true`
      return sql<JobRow[]>`
        select ${columns(userId)}
        from ${joined}
        where ${mine}
          and ${before}
          and ${status ? sql`j.status = ${status}` : sql`true`}
          and ${type ? sql`j.type = ${type}` : sql`true`}
        order by j.id desc
        limit ${limit}
      `
    },

    async pageOfRequests(
      userId: string | undefined,
      limit: number,
      beforeId: string | undefined,
    ): Promise<JobRequestRow[]> {
      return sql<JobRequestRow[]>`
        select q.id, q.job_id, j.type, j.status, q.cached, q.created_at, q.withdrawn_at
        from job_requests q
        join jobs j on j.id = q.job_id
        where ${userId ? sql`q.user_id = ${userId}` : sql`true`}
          and ${beforeId ? sql`q.id < ${beforeId}` : sql`true`}
        order by q.id desc
        limit ${limit}
      `
    },

    /** What a worker may claim now, most urgent first. A job whose lease has lapsed counts once the sweep has been there. */
    async pageOfPending(types: JobTypeName[], limit: number): Promise<ClaimableJobRow[]> {
      return sql<ClaimableJobRow[]>`
        select j.id, j.type, j.priority, j.attempts, j.max_attempts, j.created_at, p.resolved as input
        from unnest(${types}::text[]) as wanted (type)
        cross join lateral (
          select *
          from jobs
          where type = wanted.type and status = 'PENDING' and available_at <= now()
          order by priority desc, available_at, id
          limit ${limit}
        ) j
        join job_payloads p on p.job_id = j.id
        order by j.priority desc, j.available_at, j.id
        limit ${limit}
      `
    },

    /** Which of these types have a job that is due. */
    async findDueTypes(types: JobTypeName[]): Promise<JobTypeName[]> {
      const rows = await sql<{ type: JobTypeName }[]>`
        select wanted.type
        from unnest(${types}::text[]) as wanted (type)
        where exists (select from jobs where type = wanted.type and status = 'PENDING' and available_at <= now())
      `
      return rows.map(({ type }) => type)
    },

    /** Withdraws a person's requests. Locks the job, so that a cancel and a new request for it come one after the other. */
    async withdrawRequests(id: string, userId: string, tx: Tx): Promise<{ othersWait: boolean }> {
      await tx`select from jobs where id = ${id} for update`
      await tx`update job_requests set withdrawn_at = now() where job_id = ${id} and user_id = ${userId} and withdrawn_at is null`
      const rows = await tx`select from job_requests where job_id = ${id} and withdrawn_at is null limit 1`
      return { othersWait: rows.length > 0 }
    },

    /** Unfinished jobs that somebody who is deleted still waits for: this person, or anybody. */
    async listForsaken(
      userId: string | undefined,
      limit: number,
    ): Promise<{ id: string; type: JobTypeName; userId: string }[]> {
      return sql<{ id: string; type: JobTypeName; userId: string }[]>`
        select distinct j.id, j.type, q.user_id
        from jobs j
        join job_requests q on q.job_id = j.id and q.withdrawn_at is null
        join users u on u.id = q.user_id and u.deleted_at is not null
        where j.status in ('PENDING', 'IN_PROGRESS') and ${userId ? sql`q.user_id = ${userId}` : sql`true`}
        limit ${limit}
      `
    },

    /** Cancels the job and ends its assignment. `false` if it was final already. */
    async cancel(id: string, tx: Tx): Promise<boolean> {
      const { count } = await tx`
        with held as (
          select id, assignment_id from jobs where id = ${id} and status in ('PENDING', 'IN_PROGRESS') for update
        ), ended as (
          update job_assignments a
          set ended_at = now(), outcome = 'CANCELLED', will_retry = false
          from held
          where a.id = held.assignment_id
        ), job as (
          update jobs
          set
            status = 'CANCELLED',
            assignment_id = null,
            lease_expires_at = null,
            deadline_at = null,
            finished_at = now(),
            updated_at = now(),
            last_event_id = last_event_id + 1
          where id = (select id from held)
          returning id, last_event_id
        )
        insert into job_events (job_id, id, kind, data)
        select id, last_event_id, 'status', '{"status": "CANCELLED"}'
        from job
      `
      return count > 0
    },

    async findResultFiles(id: string): Promise<JobFile[] | undefined> {
      const [row] = await sql<{ files: JobFile[] }[]>`select files from job_results where job_id = ${id}`
      return row?.files
    },

    /**
     * Jobs that finished before the retention period, oldest first, with all assignments they ever had. They leave the cache, so that
     * nobody is given one whose files are about to go. No job finishes before it is made, so the bound on the id leaves out none.
     */
    async retireFinished(retentionDays: number, limit: number): Promise<{ id: string; assignmentIds: string[] }[]> {
      return sql<{ id: string; assignmentIds: string[] }[]>`
        with old as (
          select id
          from jobs
          where finished_at < now() - make_interval(days => ${retentionDays})
            and id < ${firstIdAt(Date.now() - retentionDays * dayMs)}
          order by id
          limit ${limit}
          for update skip locked
        ), uncached as (
          update jobs set cache_key = null from old where jobs.id = old.id and jobs.cache_key is not null
        )
        select old.id, array(select a.id from job_assignments a where a.job_id = old.id) as assignment_ids
        from old
      `
    },

    /** Deletes jobs with all that hangs on them. Gone already, or being deleted by another process, is no error. */
    async purgeFinished(ids: string[]): Promise<void> {
      await sql`
        delete from jobs
        where id in (select id from jobs where id = any(${ids}::uuid[]) and finished_at is not null for update skip locked)
      `
    },
  }
}

export type JobStore = ReturnType<typeof jobStore>
