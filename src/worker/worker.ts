import { hostname } from 'node:os'
import { createWorker, type JobHandlers, type Worker } from '../../sdk/node.ts'
import { BadConfiguration, type WorkerConfig } from '../config.ts'
import type { Log } from '../log.ts'
import { assessRegionJob, findSitesJob } from './handlers/assessments.ts'
import { inspectRasterJob } from './handlers/raster-inspection.ts'
import { runTest } from './handlers/test.ts'

/** What this worker can do. A new job type needs a line here, and the compiler says which. */
export const workerHandlers: Required<JobHandlers> = {
  TEST: runTest,
  REGIONAL_ASSESSMENT: assessRegionJob,
  SUITABILITY_ASSESSMENT: findSitesJob,
  RASTER_INSPECTION: inspectRasterJob,
}

/** Our worker: needs a URL and an API key, and knows the service through the SDK alone. */
export function fieldstationWorker(config: WorkerConfig, log: Log): Worker {
  return createWorker({
    baseUrl: config.FIELDSTATION_URL,
    apiKey: config.FIELDSTATION_API_KEY,
    handlers: chosen(config.WORKER_JOB_TYPES),
    concurrency: config.WORKER_CONCURRENCY,
    workerName: config.WORKER_NAME ?? hostname(),
    drainTimeoutMs: config.WORKER_DRAIN_SECONDS * 1000,
    idleTimeoutMs: config.WORKER_IDLE_SECONDS && config.WORKER_IDLE_SECONDS * 1000,
    log: ({ level, message, fields }) => log[level](message, fields),
  })
}

function chosen(types: string[] | undefined): JobHandlers {
  if (!types) return workerHandlers
  const unknown = types.filter((type) => !(type in workerHandlers))
  if (unknown.length > 0)
    throw new BadConfiguration(
      `WORKER_JOB_TYPES names ${unknown.join(', ')}; this worker knows ${Object.keys(workerHandlers).join(', ')}.`,
    )
  return Object.fromEntries(Object.entries(workerHandlers).filter(([type]) => types.includes(type)))
}
