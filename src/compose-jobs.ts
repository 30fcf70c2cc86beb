import type { Places } from './compose-places.ts'
import type { Signals } from './db/signals.ts'
import type { Sql } from './db/sql.ts'
import { assignmentService } from './jobs/assignment-service.ts'
import { assignmentStore } from './jobs/assignment-store.ts'
import { claimService } from './jobs/claim-service.ts'
import { claimStore } from './jobs/claim-store.ts'
import { eventStore } from './jobs/event-store.ts'
import { purgeIdempotencyKeys } from './jobs/idempotency.ts'
import { JobChanges } from './jobs/job-changes.ts'
import { jobEvents } from './jobs/job-events.ts'
import { jobService } from './jobs/job-service.ts'
import { jobSettlement } from './jobs/job-settlement.ts'
import { jobStore } from './jobs/job-store.ts'
import { ReadyJobs } from './jobs/ready-jobs.ts'
import { purgeJobs } from './jobs/retention.ts'
import type { Log } from './log.ts'
import { applyInspection, layerService } from './regions/layer-service.ts'
import type { ObjectStore } from './store/object-store.ts'

export interface JobParts {
  sql: Sql
  signals: Signals
  store: ObjectStore
  /** What jobs compute on. */
  places: Pick<Places, 'layers' | 'resolvers'>
  maxActiveJobs: number
  jobRetentionDays: number
  /** How requests wait, where that is otherwise than usual. */
  waiting?: { longestSeconds: number; lookMs: number } | undefined
  log: Log
}

/** Jobs, those who run them, and the layers that one kind of them inspects. */
export function composeJobs({ sql, signals, store, places, maxActiveJobs, jobRetentionDays, waiting, log }: JobParts) {
  const [jobRows, assignmentRows, eventRows] = [jobStore(sql), assignmentStore(sql), eventStore(sql)]
  const longestWaitSeconds = waiting?.longestSeconds

  const ready = new ReadyJobs({ signals, log, findDueTypes: jobRows.findDueTypes, pollMs: waiting?.lookMs })
  const changes = new JobChanges(signals, waiting?.lookMs)
  const reactions = { RASTER_INSPECTION: applyInspection(places.layers, jobRows) }
  const settlement = jobSettlement({ sql, assignments: assignmentRows, ready, changes, reactions, log })

  const jobs = jobService({
    sql,
    jobs: jobRows,
    store,
    settlement,
    ready,
    changes,
    resolvers: places.resolvers,
    maxActiveJobs,
    longestWaitSeconds,
  })
  const claims = claimService({
    jobs: jobRows,
    claims: claimStore(sql),
    assignments: assignmentRows,
    settlement,
    ready,
    changes,
    longestWaitSeconds,
  })
  const layers = layerService({ sql, layers: places.layers, store, jobs })

  return {
    services: {
      layers,
      jobs,
      events: jobEvents({ jobs, events: eventRows, changes }),
      claims,
      assignments: assignmentService({ sql, assignments: assignmentRows, store, settlement, changes }),
    },
    settlement,
    findAssignment: assignmentRows.findByToken,
    chores: {
      'purge idempotency keys': () => purgeIdempotencyKeys(sql),
      'withdraw wishes of the deleted': () => jobs.withdrawForsaken(),
      'purge jobs': () => purgeJobs({ jobs: jobRows, store, retentionDays: jobRetentionDays }),
    },
  }
}
