import type { Sql } from '../db/sql.ts'
import type { JobStatus, JobTypeName } from '../jobs/job-rows.ts'
import type { OutboxStore } from './outbox-store.ts'

/** Jobs at a time. */
const batchSize = 50

interface FulfilledWish {
  jobId: string
  type: JobTypeName
  status: JobStatus
  finishedAt: Date
  reason: string | null
  userId: string
  recipient: string
}

export interface JobMailDeps {
  sql: Sql
  outbox: Pick<OutboxStore, 'insert'>
}

/**
 * Turns the wishes to hear of jobs that have finished into mails, a batch of jobs a call, and tells whether there may be more. Wish and
 * mail change in one transaction. What counts is the wish that is cleared here: of two processes one clears it, whatever both have seen.
 */
export const jobMails =
  ({ sql, outbox }: JobMailDeps) =>
  async (): Promise<boolean> =>
    sql.begin(async (tx) => {
      const wishes = await tx<(FulfilledWish & { isWanted: boolean })[]>`
        with finished as materialized (
          select id, type, status, finished_at
          from jobs
          where finished_at is not null and id in (select job_id from job_requests where mail_due)
          order by id
          limit ${batchSize}
          for no key update skip locked
        ), wish as (
          update job_requests q
          set mail_due = false
          from finished j
          where q.job_id = j.id and q.mail_due
          returning j.id as job_id, j.type, j.status, j.finished_at, q.user_id, q.withdrawn_at
        )
        select
          w.job_id, w.type, w.status, w.finished_at, w.user_id, u.email as recipient,
          left(p.error ->> 'message', 2000) as reason,
          w.withdrawn_at is null and u.wants_job_mail and u.deleted_at is null and w.status <> 'CANCELLED' as is_wanted
        from wish w
        join users u on u.id = w.user_id
        join job_payloads p on p.job_id = w.job_id
      `
      for (const wish of onePerPerson(wishes.filter(({ isWanted }) => isWanted))) await outbox.insert(mailOf(wish), tx)
      return new Set(wishes.map(({ jobId }) => jobId)).size === batchSize
    })

/** Somebody may have asked for the same job twice. */
const onePerPerson = (wishes: FulfilledWish[]) => [
  ...new Map(wishes.map((wish) => [`${wish.jobId} ${wish.userId}`, wish])).values(),
]

function mailOf({ jobId, type, status, finishedAt, reason, userId, recipient }: FulfilledWish) {
  const facts = { jobId, type, finishedAt: finishedAt.toISOString() }
  if (status === 'SUCCEEDED') return { template: 'job-finished' as const, recipient, userId, data: facts }
  return {
    template: 'job-failed' as const,
    recipient,
    userId,
    data: { ...facts, status, ...(reason && { reason }) },
  }
}
