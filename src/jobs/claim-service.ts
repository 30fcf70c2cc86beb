import { v7 as uuid } from 'uuid'
import { jobTypes } from '../../generated/job-types.ts'
import type { components } from '../../generated/types.ts'
import type { Caller } from '../auth/caller.ts'
import { hashSecret, newSecret } from '../auth/secrets.ts'
import { AppError } from '../errors.ts'
import type { AssignmentStore } from './assignment-store.ts'
import type { ClaimRow, ClaimStore, Holder, Ticket } from './claim-store.ts'
import type { JobChanges } from './job-changes.ts'
import { type JobTypeName, toClaimableJob } from './job-rows.ts'
import type { JobSettlement } from './job-settlement.ts'
import type { JobStore } from './job-store.ts'
import { termsOf } from './job-types.ts'
import type { ReadyJobs } from './ready-jobs.ts'

type Schemas = components['schemas']

export interface ClaimServiceDeps {
  jobs: JobStore
  claims: ClaimStore
  assignments: Pick<AssignmentStore, 'release'>
  settlement: JobSettlement
  ready: ReadyJobs
  changes: JobChanges
  /** Who asks to wait longer is answered then. */
  longestWaitSeconds?: number | undefined
}

/** How workers come to jobs. A lease that has run out counts as expired for whoever looks, swept or not. */
export const claimService = (deps: ClaimServiceDeps) => {
  const { jobs, claims, assignments, settlement, ready, changes, longestWaitSeconds = Number.POSITIVE_INFINITY } = deps

  async function claimNow(types: JobTypeName[], limit: number, holder: Holder): Promise<Schemas['Claim'][]> {
    const tickets = Array.from({ length: limit }, newTicket)
    const terms = types.map(termsOf)
    let rows = await claims.claim(tickets, terms, holder)
    if (rows.length === 0 && (await settlement.expire()) > 0) rows = await claims.claim(tickets, terms, holder)
    for (const { id } of rows) changes.announce(id)
    return rows.map((row) => ({ job: toClaimableJob(row), assignment: toAssignment(row, tickets, holder) }))
  }

  /** Gives back what nobody will ever work on, as far as that is still ours to do. */
  const giveBack = (id: string, type: JobTypeName) => settlement.one(type, (tx) => assignments.release(id, tx))

  return {
    async poll(jobType: JobTypeName | undefined, limit: number): Promise<Schemas['JobPoll']> {
      await settlement.expire()
      const types = jobType ? [jobType] : (Object.keys(jobTypes) as JobTypeName[])
      return { jobs: (await jobs.pageOfPending(types, limit)).map(toClaimableJob) }
    },

    async assign(caller: Caller, { jobId, ...holder }: Schemas['AssignRequest']): Promise<Schemas['Assigned']> {
      let job = await jobs.find(jobId)
      if (job?.isLapsed) {
        await settlement.expire(jobId)
        job = await jobs.find(jobId)
      }
      if (!job) throw new AppError('job_not_found', `There is no job ${jobId}.`)
      const [ticket, by] = [newTicket(), { ...holder, userId: caller.userId }]
      const row = await claims.assign(jobId, ticket, termsOf(job.type), by)
      if (!row)
        throw new AppError(
          'job_not_available',
          'The job is not free: another worker has it, it is final, or it is not due yet.',
        )
      changes.announce(jobId)
      return { assignment: toAssignment(row, [ticket], by) }
    },

    /** Waits for a first job as long as asked. A claim whose client has gone is given back at once. */
    async claim(caller: Caller, request: Schemas['ClaimRequest'], signal: AbortSignal): Promise<Schemas['Claims']> {
      const { jobTypes: types, limit = 1, waitSeconds = 0, ...by } = request
      const holder = { ...by, userId: caller.userId }
      const end = performance.now() + Math.min(waitSeconds, longestWaitSeconds) * 1000
      using place = ready.enter(types)
      for (;;) {
        const taken = await claimNow(types, limit, holder)
        if (taken.length > 0 && signal.aborted) {
          await Promise.all(taken.map(({ assignment, job }) => giveBack(assignment.id, job.type)))
          return { claims: [] }
        }
        const left = end - performance.now()
        if (taken.length === limit) ready.passOn(types)
        if (taken.length > 0 || left <= 0 || signal.aborted) return { claims: taken }
        await place.wait(left, signal)
        if (signal.aborted) return { claims: [] }
      }
    },
  }
}

export type ClaimService = ReturnType<typeof claimService>

function newTicket(): Ticket & { token: string } {
  const token = newSecret('fsa_')
  return { id: uuid(), token, tokenHash: hashSecret(token) }
}

function toAssignment(row: ClaimRow, tickets: (Ticket & { token: string })[], holder: Holder): Schemas['Assignment'] {
  const { userId: _userId, ...named } = holder
  return {
    id: row.assignmentId,
    jobId: row.id,
    attempt: row.attempts,
    token: tickets.find(({ id }) => id === row.assignmentId)!.token,
    createdAt: row.assignedAt.toISOString(),
    expiresAt: row.leaseExpiresAt.toISOString(),
    deadlineAt: row.deadlineAt.toISOString(),
    ...named,
  }
}
