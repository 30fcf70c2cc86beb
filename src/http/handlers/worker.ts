import type { AssignmentService } from '../../jobs/assignment-service.ts'
import type { ClaimService } from '../../jobs/claim-service.ts'
import type { Handlers } from '../contract.ts'

type WorkerOperation =
  | 'pollJobs'
  | 'assignJob'
  | 'claimJobs'
  | 'heartbeat'
  | 'appendLogs'
  | 'listInputs'
  | 'createUploads'
  | 'releaseJob'
  | 'reportResult'

export interface WorkerHandlerDeps {
  claims: ClaimService
  assignments: AssignmentService
}

export const workerHandlers = ({ claims, assignments }: WorkerHandlerDeps): Handlers<WorkerOperation> => ({
  async pollJobs({ query }) {
    return { status: 200, body: await claims.poll(query.jobType, query.limit) }
  },

  async assignJob({ caller, body }) {
    return { status: 200, body: await claims.assign(caller, body) }
  },

  async claimJobs({ caller, body, signal }) {
    return { status: 200, body: await claims.claim(caller, body, signal) }
  },

  async heartbeat({ caller, path, body }) {
    return { status: 200, body: await assignments.heartbeat(caller, path.assignmentId, body) }
  },

  async appendLogs({ caller, path, body }) {
    await assignments.appendLogs(caller, path.assignmentId, body)
    return { status: 204 }
  },

  async listInputs({ caller, path }) {
    return { status: 200, body: await assignments.listInputs(caller, path.assignmentId) }
  },

  async createUploads({ caller, path, body }) {
    return { status: 200, body: await assignments.createUploads(caller, path.assignmentId, body) }
  },

  async releaseJob({ caller, path }) {
    await assignments.release(caller, path.assignmentId)
    return { status: 204 }
  },

  async reportResult({ caller, path, body }) {
    return { status: 200, body: await assignments.report(caller, path.assignmentId, body) }
  },
})
