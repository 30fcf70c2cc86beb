import type { Sql, Tx } from '../db/sql.ts'
import type { JobError, JobFile, JobStatus, JobTypeName, JsonObject, SettledJob } from './job-rows.ts'

export interface AssignmentRow {
  id: string
  jobId: string
  type: JobTypeName
  userId: string
  /** Whether it owns its job now: the job's row says so, and the lease has not run out. */
  isLive: boolean
  outcome: 'SUCCEEDED' | 'FAILED' | 'EXPIRED' | 'CANCELLED' | 'RELEASED' | null
  willRetry: boolean | null
  reportHash: Buffer | null
  attempt: number
  maxAttempts: number
  /** Whether it has declared files. */
  hasFiles: boolean
}

export interface HeartbeatRow {
  jobId: string
  leaseExpiresAt: Date
  deadlineAt: Date
}

export interface Report {
  status: 'SUCCEEDED' | 'FAILED'
  willRetry: boolean
  reportHash: Buffer
  payload: JsonObject | null
  metadata: JsonObject | null
  error: JobError | null
  files: JobFile[]
}

/**
 * What workers do to the jobs that they hold. Each change is one statement that names the assignment and finds it in the job's own
 * row, with the lease still running by the database's clock: a worker that has lost its job changes nothing, however late it comes.
 */
export const assignmentStore = (sql: Sql) => {
  /** The job that the assignment owns right now, locked. */
  const owned = (assignmentId: string) => sql`
    select id
    from jobs
    where id = (select job_id from job_assignments where id = ${assignmentId})
      and assignment_id = ${assignmentId}
      and status = 'IN_PROGRESS'
      and lease_expires_at > now()
    for update
  `

  /** What every way out of a lease does to the job's row. */
  const leaseGivenUp = sql`
    assignment_id = null,
    lease_expires_at = null,
    deadline_at = null,
    updated_at = now(),
    last_event_id = j.last_event_id + 1
  `

  /** Each attempt waits twice as long as the one before, up to five minutes, and half of that is chance, so that no herd returns. */
  const nextAttemptAt = sql`now() + make_interval(secs => least(power(2, j.attempts - 1), 300) * (0.5 + random() / 2))`

  return {
    async find(id: string, tx: Tx = sql): Promise<AssignmentRow | undefined> {
      const [row] = await tx<AssignmentRow[]>`
        select
          a.id, a.job_id, j.type, a.user_id, a.outcome, a.will_retry, a.report_hash, a.attempt, j.max_attempts,
          coalesce(j.assignment_id = a.id and j.lease_expires_at > now(), false) as is_live,
          exists (select from job_files f where f.assignment_id = a.id) as has_files
        from job_assignments a
        join jobs j on j.id = a.job_id
        where a.id = ${id}
      `
      return row
    },

    /** None where the person who took the job has gone. */
    async findByToken(tokenHash: Buffer): Promise<{ id: string; userId: string } | undefined> {
      const [row] = await sql<{ id: string; userId: string }[]>`
        select a.id, a.user_id
        from job_assignments a
        join users u on u.id = a.user_id
        where a.token_hash = ${tokenHash} and u.deleted_at is null
      `
      return row
    },

    /** Extends the lease, never beyond the deadline. `undefined` if the assignment has lost its job. */
    async heartbeat(id: string, leaseSeconds: number, progress: number | null): Promise<HeartbeatRow | undefined> {
      const [row] = await sql<HeartbeatRow[]>`
        with owned as (${owned(id)}),
        job as (
          update jobs j
          set
            lease_expires_at = least(now() + make_interval(secs => ${leaseSeconds}), j.deadline_at),
            updated_at = now(),
            progress = coalesce(${progress}::float8, j.progress),
            last_event_id = j.last_event_id + (${progress}::float8 is not null)::integer
          from owned
          where j.id = owned.id
          returning j.id, j.lease_expires_at, j.deadline_at, j.last_event_id
        ), beat as (
          update job_assignments set heartbeat_at = now() where id = ${id} and exists (select from job)
        ), event as (
          insert into job_events (job_id, id, kind, data)
          select id, last_event_id, 'progress', jsonb_build_object('progress', ${progress}::float8)
          from job
          where ${progress}::float8 is not null
        )
        select id as job_id, lease_expires_at, deadline_at
        from job
      `
      return row
    },

    /** Appends to the job's events, in the given order. The job's id, or `undefined` if the assignment has lost its job. */
    async appendLogs(id: string, entries: { level: string; message: string }[]): Promise<string | undefined> {
      const [row] = await sql<{ jobId: string }[]>`
        with owned as (${owned(id)}),
        job as (
          update jobs j
          set last_event_id = j.last_event_id + ${entries.length}, updated_at = now()
          from owned
          where j.id = owned.id
          returning j.id, j.last_event_id - ${entries.length} as before
        ), events as (
          insert into job_events (job_id, id, kind, data)
          select job.id, job.before + entry.ordinal, 'log', entry.data
          from job
          cross join jsonb_array_elements(${sql.json(entries)}) with ordinality as entry (data, ordinal)
        )
        select id as job_id
        from job
      `
      return row?.jobId
    },

    async listInputs(jobId: string): Promise<JobFile[]> {
      const [row] = await sql<{ files: JobFile[] }[]>`select files from job_payloads where job_id = ${jobId}`
      return row?.files ?? []
    },

    /** Declares files, while the assignment owns its job. `false` if it has lost it. Names that are declared already stay as they are. */
    async declareFiles(id: string, files: JobFile[], tx: Tx = sql): Promise<boolean> {
      const [row] = await tx<{ isOwned: boolean }[]>`
        with owned as (${owned(id)}),
        declared as (
          insert into job_files (assignment_id, name, object_key, size_bytes, sha256, content_type)
          select ${id}, f."name", f."objectKey", f."sizeBytes", f."sha256", f."contentType"
          from owned
          cross join jsonb_to_recordset(${sql.json(files as never)})
            as f ("name" text, "objectKey" text, "sizeBytes" bigint, "sha256" text, "contentType" text)
          on conflict (assignment_id, name) do nothing
        )
        select exists (select from owned) as is_owned
      `
      return row!.isOwned
    },

    async listFiles(id: string, tx: Tx = sql): Promise<JobFile[]> {
      return tx<JobFile[]>`
        select name, object_key, size_bytes::float8 as size_bytes, sha256, content_type
        from job_files
        where assignment_id = ${id}
        order by name
      `
    },

    /** Gives the job back: it waits again at once, and the attempt does not count. */
    async release(id: string, tx: Tx = sql): Promise<SettledJob | undefined> {
      const [row] = await tx<SettledJob[]>`
        with owned as (${owned(id)}),
        ended as (
          update job_assignments
          set ended_at = now(), outcome = 'RELEASED', will_retry = true
          where id = ${id} and exists (select from owned)
        ), job as (
          update jobs j
          set
            status = 'PENDING',
            attempts = j.attempts - 1,
            progress = null,
            ${leaseGivenUp},
            available_at = now()
          from owned
          where j.id = owned.id
          returning j.id, j.type, j.status, j.last_event_id
        ), event as (
          insert into job_events (job_id, id, kind, data)
          select id, last_event_id, 'status', '{"status": "PENDING", "reason": "The worker gave the job back."}'
          from job
        )
        select id, type, status
        from job
      `
      return row
    },

    /** Ends the assignment with its report, and its job with the result (or sends it back to wait for another attempt). */
    async finish(id: string, report: Report, tx: Tx = sql): Promise<SettledJob | undefined> {
      const status: JobStatus = report.willRetry ? 'PENDING' : report.status
      const event = { status, ...(report.error && { reason: report.error.message }) }
      const [row] = await tx<SettledJob[]>`
        with owned as (${owned(id)}),
        ended as (
          update job_assignments
          set ended_at = now(), outcome = ${report.status}, will_retry = ${report.willRetry}, report_hash = ${report.reportHash}
          where id = ${id} and exists (select from owned)
        ), result as (
          insert into job_results (job_id, assignment_id, payload, metadata, files)
          select id, ${id}, ${nullable(report.payload)}, ${nullable(report.metadata)}, ${sql.json(report.files as never)}
          from owned
          where ${report.status === 'SUCCEEDED'}
        ), failure as (
          update job_payloads
          set error = ${nullable(report.error)}
          where ${report.error !== null} and job_id = (select id from owned)
        ), job as (
          update jobs j
          set
            status = ${status},
            progress = case when ${report.status === 'SUCCEEDED'} then 1 else j.progress end,
            ${leaseGivenUp},
            available_at = case when ${report.willRetry} then ${nextAttemptAt} else j.available_at end,
            finished_at = case when ${report.willRetry} then null else now() end
          from owned
          where j.id = owned.id
          returning j.id, j.type, j.status, j.last_event_id
        ), event as (
          insert into job_events (job_id, id, kind, data)
          select id, last_event_id, 'status', ${sql.json(event as never)}
          from job
        )
        select id, type, status
        from job
      `
      return row
    },

    /** Jobs whose lease has run out: one that is named, or any. */
    async listLapsed(jobId: string | undefined, limit: number): Promise<{ id: string; type: JobTypeName }[]> {
      return sql<{ id: string; type: JobTypeName }[]>`
        select id, type
        from jobs
        where status = 'IN_PROGRESS' and lease_expires_at <= now() and ${jobId ? sql`id = ${jobId}` : sql`true`}
        limit ${limit}
      `
    },

    /**
     * Ends leases that have run out: back to waiting where attempts are left, else TIMED_OUT. Skips jobs that somebody is just
     * changing; whoever that is settles them.
     */
    async expire(jobIds: string[], tx: Tx): Promise<SettledJob[]> {
      return tx<SettledJob[]>`
        with lapsed as materialized (
          select id, assignment_id, attempts < max_attempts as will_retry
          from jobs
          where id = any(${jobIds}) and status = 'IN_PROGRESS' and lease_expires_at <= now()
          for update skip locked
        ), ended as (
          update job_assignments a
          set ended_at = now(), outcome = 'EXPIRED', will_retry = lapsed.will_retry
          from lapsed
          where a.id = lapsed.assignment_id
        ), failure as (
          update job_payloads p
          set error = jsonb_build_object('message', ${expiryMessage}::text, 'retryable', true)
          from lapsed
          where p.job_id = lapsed.id
        ), job as (
          update jobs j
          set
            status = case when lapsed.will_retry then 'PENDING' else 'TIMED_OUT' end,
            ${leaseGivenUp},
            available_at = case when lapsed.will_retry then ${nextAttemptAt} else j.available_at end,
            finished_at = case when lapsed.will_retry then null else now() end
          from lapsed
          where j.id = lapsed.id
          returning j.id, j.type, j.status, j.last_event_id
        ), event as (
          insert into job_events (job_id, id, kind, data)
          select id, last_event_id, 'status', jsonb_build_object('status', status, 'reason', ${expiryMessage}::text)
          from job
        )
        select id, type, status
        from job
      `
    },
  }

  function nullable(value: object | null) {
    return value === null ? null : sql.json(value as never)
  }
}

export type AssignmentStore = ReturnType<typeof assignmentStore>

const expiryMessage = 'The worker fell silent or took too long: its lease ran out.'
