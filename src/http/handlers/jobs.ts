import type { JobEvents } from '../../jobs/job-events.ts'
import type { JobService } from '../../jobs/job-service.ts'
import { describeJobType, describeJobTypes } from '../../jobs/job-types.ts'
import type { Handlers } from '../contract.ts'

type JobOperation =
  | 'listJobTypes'
  | 'getJobType'
  | 'listJobs'
  | 'createJob'
  | 'listJobRequests'
  | 'getJob'
  | 'cancelJob'
  | 'listJobLogs'
  | 'streamJobEvents'
  | 'downloadJob'

export const jobHandlers = ({ jobs, events }: { jobs: JobService; events: JobEvents }): Handlers<JobOperation> => ({
  async listJobTypes() {
    return { status: 200, body: { items: await describeJobTypes() } }
  },

  async getJobType({ path }) {
    return { status: 200, body: await describeJobType(path.type) }
  },

  async listJobs({ caller, query }) {
    return { status: 200, body: await jobs.list(caller, query) }
  },

  async createJob({ caller, body, headers }) {
    const created = await jobs.create(caller, body, headers['Idempotency-Key'])
    return { status: 201, body: created, headers: { Location: `/api/jobs/${created.jobId}` } }
  },

  async listJobRequests({ caller, query }) {
    return { status: 200, body: await jobs.listRequests(caller, query) }
  },

  async getJob({ caller, path, query, signal }) {
    return { status: 200, body: await jobs.get(caller, path.jobId, query, signal) }
  },

  async cancelJob({ caller, path }) {
    return { status: 200, body: await jobs.cancel(caller, path.jobId) }
  },

  async listJobLogs({ caller, path, query }) {
    return { status: 200, body: await events.logs(caller, path.jobId, query) }
  },

  async streamJobEvents({ caller, path, headers, signal }) {
    const raw = await events.stream(caller, path.jobId, headers['Last-Event-ID'] ?? 0, signal)
    return raw ? { status: 200, contentType: 'text/event-stream', raw } : { status: 204 }
  },

  async downloadJob({ caller, path, query }) {
    return { status: 200, body: await jobs.download(caller, path.jobId, query.expirySeconds) }
  },
})
