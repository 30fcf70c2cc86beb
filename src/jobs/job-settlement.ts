import type { Sql, Tx } from '../db/sql.ts'
import type { Log } from '../log.ts'
import type { AssignmentStore } from './assignment-store.ts'
import type { JobChanges } from './job-changes.ts'
import { isFinal, type JobTypeName, type SettledJob } from './job-rows.ts'
import type { ReadyJobs } from './ready-jobs.ts'

const batchSize = 100

/** What another room does when a job of a type becomes final, in the same transaction. */
export type SettlementReaction = (job: SettledJob, tx: Tx) => Promise<void>

export interface JobSettlementDeps {
  sql: Sql
  assignments: AssignmentStore
  ready: ReadyJobs
  changes: JobChanges
  reactions: Partial<Record<JobTypeName, SettlementReaction>>
  log: Log
}

export type JobSettlement = ReturnType<typeof jobSettlement>

/** Every transition that takes a job from its worker goes through here: reactions commit with it, and those who wait are told after. */
export const jobSettlement = ({ sql, assignments, ready, changes, reactions, log }: JobSettlementDeps) => {
  function announce(settled: readonly SettledJob[]) {
    for (const job of settled) {
      changes.announce(job.id)
      if (job.status === 'PENDING') ready.announce(job.type)
    }
  }

  /** Runs transitions and the reactions to them in one transaction. */
  async function within(transition: (tx: Tx) => Promise<SettledJob[]>): Promise<SettledJob[]> {
    const settled = await sql.begin(async (tx) => {
      const jobs = await transition(tx)
      for (const job of jobs) if (isFinal(job.status)) await reactions[job.type]?.(job, tx)
      return jobs
    })
    announce(settled)
    return settled
  }

  /** Ends leases that have run out, of one job or of any, and gives how many there were. Looking is cheap where there are none. */
  async function expire(jobId?: string): Promise<number> {
    const lapsed = await assignments.listLapsed(jobId, batchSize)
    const plain = lapsed.filter(({ type }) => !reactions[type]).map(({ id }) => id)
    const settled = plain.length > 0 ? await within((tx) => assignments.expire(plain, tx)) : []
    let count = settled.length
    // A reaction may fail, and that must hold up nobody else: each has a transaction of its own.
    for (const { id } of lapsed.filter(({ type }) => reactions[type])) {
      try {
        count += (await within((tx) => assignments.expire([id], tx))).length
      } catch (error) {
        log.error('expiry failed', { error, jobId: id })
      }
    }
    return count
  }

  return {
    within,

    /** One statement is a transaction by itself: a job that nobody reacts to needs no other. */
    async one(
      type: JobTypeName,
      transition: (tx: Tx) => Promise<SettledJob | undefined>,
    ): Promise<SettledJob | undefined> {
      const asList = async (tx: Tx) => [await transition(tx)].filter((job) => job !== undefined)
      if (reactions[type]) return (await within(asList))[0]
      const settled = await asList(sql)
      announce(settled)
      return settled[0]
    },

    expire,

    /** All that have run out. */
    async sweep(): Promise<void> {
      while ((await expire()) === batchSize) {}
    },
  }
}
