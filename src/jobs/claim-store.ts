import type { Fragment, Sql } from '../db/sql.ts'
import type { ClaimableJobRow, JobTypeName } from './job-rows.ts'

/** Who takes jobs. */
export interface Holder {
  userId: string
  workerName?: string | undefined
  ecsTaskArn?: string | undefined
  ecsClusterArn?: string | undefined
}

/** How a type is leased. */
export interface LeaseTerms {
  type: JobTypeName
  leaseSeconds: number
  timeoutSeconds: number
}

/** An id and a token for an assignment that may come to be. */
export interface Ticket {
  id: string
  tokenHash: Buffer
}

export interface ClaimRow extends ClaimableJobRow {
  assignmentId: string
  assignedAt: Date
  leaseExpiresAt: Date
  deadlineAt: Date
}

/** How jobs come to workers: each claim is one statement that makes assignment and lease together. */
export const claimStore = (sql: Sql) => {
  /** Turns chosen jobs (`chosen`: id, ordinal) into assignments, in one go. */
  const take = (chosen: Fragment, tickets: Ticket[], terms: LeaseTerms[], holder: Holder) => sql`
    with chosen as materialized (${chosen}),
    ticket as (
      select *
      from unnest(
        ${tickets.map(({ id }) => id)}::uuid[],
        ${tickets.map(({ tokenHash }) => tokenHash.toString('hex'))}::text[]
      ) with ordinality as t (id, token_hash, ordinal)
    ), term as (
      select *
      from unnest(
        ${terms.map(({ type }) => type)}::text[],
        ${terms.map(({ leaseSeconds }) => leaseSeconds)}::integer[],
        ${terms.map(({ timeoutSeconds }) => timeoutSeconds)}::integer[]
      ) as t (type, lease_seconds, timeout_seconds)
    ), job as (
      update jobs j
      set
        status = 'IN_PROGRESS',
        attempts = j.attempts + 1,
        progress = null,
        assignment_id = ticket.id,
        lease_expires_at = now() + make_interval(secs => least(term.lease_seconds, term.timeout_seconds)),
        deadline_at = now() + make_interval(secs => term.timeout_seconds),
        started_at = now(),
        updated_at = now(),
        last_event_id = j.last_event_id + 1
      from chosen
      join ticket on ticket.ordinal = chosen.ordinal
      cross join term
      where j.id = chosen.id and term.type = j.type
      returning j.*, decode(ticket.token_hash, 'hex') as token_hash, chosen.ordinal
    ), assignment as (
      insert into job_assignments
        (id, job_id, user_id, attempt, token_hash, worker_name, ecs_task_arn, ecs_cluster_arn)
      select
        assignment_id, id, ${holder.userId}, attempts, token_hash,
        ${holder.workerName ?? null}, ${holder.ecsTaskArn ?? null}, ${holder.ecsClusterArn ?? null}
      from job
    ), event as (
      insert into job_events (job_id, id, kind, data)
      select id, last_event_id, 'status', '{"status": "IN_PROGRESS"}'
      from job
    )
    select
      j.id, j.type, j.priority, j.attempts, j.max_attempts, j.created_at, p.resolved as input,
      j.assignment_id, j.started_at as assigned_at, j.lease_expires_at, j.deadline_at
    from job j
    join job_payloads p on p.job_id = j.id
    order by j.ordinal
  `

  return {
    /** Takes up to as many jobs as there are tickets, most urgent first, past those that others are just taking. */
    async claim(tickets: Ticket[], terms: LeaseTerms[], holder: Holder): Promise<ClaimRow[]> {
      const limit = tickets.length
      const urgent = (type: Fragment) => sql`
        select id, priority, available_at
        from jobs
        where type = ${type} and status = 'PENDING' and available_at <= now()
        order by priority desc, available_at, id
        limit ${limit}
        for update skip locked
      `
      // Several types are looked at one by one, each along its own stretch of the index.
      const candidates =
        terms.length === 1
          ? urgent(sql`${terms[0]!.type}`)
          : sql`
              select j.*
              from unnest(${terms.map(({ type }) => type)}::text[]) as wanted (type)
              cross join lateral (${urgent(sql`wanted.type`)}) j
            `
      const chosen = sql`
        select id, row_number() over (order by priority desc, available_at, id) as ordinal
        from (${candidates}) candidate
        order by ordinal
        limit ${limit}
      `
      return sql<ClaimRow[]>`${take(chosen, tickets, terms, holder)}`
    },

    /** Takes the one job, if it is free. */
    async assign(jobId: string, ticket: Ticket, terms: LeaseTerms, holder: Holder): Promise<ClaimRow | undefined> {
      const chosen = sql`
        select id, 1 as ordinal
        from (
          select id from jobs where id = ${jobId} and status = 'PENDING' and available_at <= now() for update skip locked
        ) free
      `
      const [row] = await sql<ClaimRow[]>`${take(chosen, [ticket], [terms], holder)}`
      return row
    },
  }
}

export type ClaimStore = ReturnType<typeof claimStore>
