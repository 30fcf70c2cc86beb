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
import { polygonService } from './polygons/polygon-service.ts'
import { polygonStore } from './polygons/polygon-store.ts'
import { assessmentInputs } from './regions/assessment-inputs.ts'
import { applyInspection, layerService } from './regions/layer-service.ts'
import { layerStore } from './regions/layer-store.ts'
import { regionService } from './regions/region-service.ts'
import { regionStore } from './regions/region-store.ts'
import type { ObjectStore } from './store/object-store.ts'

export interface JobParts {
  sql: Sql
  signals: Signals
  store: ObjectStore
  maxActiveJobs: number
  jobRetentionDays: number
  /** How requests wait, where that is otherwise than usual. */
  waiting?: { longestSeconds: number; lookMs: number } | undefined
  log: Log
}

/** Jobs, and the places that they compute on. */
export function composeJobs({ sql, signals, store, maxActiveJobs, jobRetentionDays, waiting, log }: JobParts) {
  const [polygonRows, regionRows, layerRows] = [polygonStore(sql), regionStore(sql), layerStore(sql)]
  const [jobRows, assignmentRows, eventRows] = [jobStore(sql), assignmentStore(sql), eventStore(sql)]
  const longestWaitSeconds = waiting?.longestSeconds

  const ready = new ReadyJobs({ signals, log, findDueTypes: jobRows.findDueTypes, pollMs: waiting?.lookMs })
  const changes = new JobChanges(signals, waiting?.lookMs)
  const reactions = { RASTER_INSPECTION: applyInspection(layerRows, jobRows) }
  const settlement = jobSettlement({ sql, assignments: assignmentRows, ready, changes, reactions, log })

  const polygons = polygonService(polygonRows)
  const resolvers = assessmentInputs({ regions: regionRows, layers: layerRows, polygons })
  const jobs = jobService({
    sql,
    jobs: jobRows,
    store,
    settlement,
    ready,
    changes,
    resolvers,
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
  const layers = layerService({ sql, layers: layerRows, store, jobs })

  return {
    services: {
      polygons,
      regions: regionService({ regions: regionRows, layers: layerRows }),
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
      'purge layers': layers.purge,
      'purge jobs': () => purgeJobs({ jobs: jobRows, store, retentionDays: jobRetentionDays }),
    },
  }
}
