import type { Sql, Tx } from '../db/sql.ts'
import type { AssignmentStore } from './assignment-store.ts'
import type { JobChanges } from './job-changes.ts'
import { isFinal, type JobTypeName, type SettledJob } from './job-rows.ts'
import type { ReadyJobs } from './ready-jobs.ts'

const batchSize = 100
/** Any number; it names the lock under which one process at a time sweeps. */
const sweepLockId = 7_318_402_652

/** What another room does when a job of a type becomes final, in the same transaction. */
export type SettlementReaction = (job: SettledJob, tx: Tx) => Promise<void>

export interface JobSettlementDeps {
  sql: Sql
  assignments: AssignmentStore
  ready: ReadyJobs
  changes: JobChanges
  reactions: Partial<Record<JobTypeName, SettlementReaction>>
}

export type JobSettlement = ReturnType<typeof jobSettlement>

/** Every transition that takes a job from its worker goes through here: reactions commit with it, and those who wait are told after. */
export const jobSettlement = ({ sql, assignments, ready, changes, reactions }: JobSettlementDeps) => {
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

    /** Ends leases that have run out, of one job or of any, and gives how many there were. Looking is cheap where there are none. */
    async expire(jobId?: string): Promise<number> {
      if (!(await assignments.hasLapsed(jobId))) return 0
      return (await within((tx) => assignments.expire(jobId, batchSize, tx))).length
    },

    /** The same for all, one process at a time. */
    async sweep(): Promise<void> {
      let expired = 0
      do {
        if (!(await assignments.hasLapsed())) return
        const settled = await within(async (tx) => {
          const [lock] = await tx<{ isOurs: boolean }[]>`select pg_try_advisory_xact_lock(${sweepLockId}) as is_ours`
          return lock!.isOurs ? assignments.expire(undefined, batchSize, tx) : []
        })
        expired = settled.length
      } while (expired === batchSize)
    },
  }
}
