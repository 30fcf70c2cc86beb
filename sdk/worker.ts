import { type Api, data } from './api.ts'
import { patient } from './jobs.ts'
import type { CallOptions } from './options.ts'
import type {
  Assignment,
  AssignRequest,
  Claim,
  ClaimableJob,
  ClaimRequest,
  FileDeclaration,
  Heartbeat,
  HeartbeatRequest,
  JobInputFile,
  LogEntries,
  Query,
  ResultAccepted,
  ResultRequest,
  SignedUpload,
} from './types.ts'

/** What calls for one assignment take. */
export interface AssignmentCallOptions extends CallOptions {
  /** The assignment's token, used instead of the client's credentials. Opens this assignment and nothing else. */
  token?: string | undefined
}

/**
 * What a worker does, call by call. `createWorker` of `@fieldstation/sdk/node` does it for you.
 *
 * Every call for an assignment throws `assignment_lost` or `job_cancelled` once that is over: stop working then.
 */
export interface WorkerCalls {
  /** The jobs that wait, most urgent first. Takes none of them. */
  poll(query?: Query<'pollJobs'>, options?: CallOptions): Promise<ClaimableJob[]>
  /** Takes one named job. Throws `job_not_available`. Never repeated: see `claim`. */
  assign(job: AssignRequest, options?: CallOptions): Promise<Assignment>
  /**
   * Takes the next jobs, waiting up to `waitSeconds` for a first one. Empty when none came.
   *
   * Never repeated by itself: if the answer is lost, the jobs in it are taken all the same, and come back when their leases expire.
   * A repetition could not get them any sooner, and would take more.
   */
  claim(request: ClaimRequest, options?: CallOptions): Promise<Claim[]>
  /** Extends the lease. Safe to repeat. */
  heartbeat(assignmentId: string, body?: HeartbeatRequest, options?: AssignmentCallOptions): Promise<Heartbeat>
  /** Adds to the job's log, in this order. Not repeated by itself: after a lost answer that would log twice. */
  appendLogs(assignmentId: string, entries: LogEntries['entries'], options?: AssignmentCallOptions): Promise<void>
  /** Signed links to what the job reads. */
  inputs(assignmentId: string, options?: AssignmentCallOptions): Promise<JobInputFile[]>
  /** Declares files and gives a signed URL for each. Safe to repeat. Throws `file_conflict`. */
  createUploads(
    assignmentId: string,
    files: FileDeclaration[],
    options?: AssignmentCallOptions,
  ): Promise<SignedUpload[]>
  /** Gives the job back; the attempt does not count. After a lost answer the repetition may throw `assignment_lost`. */
  release(assignmentId: string, options?: AssignmentCallOptions): Promise<void>
  /** Ends the assignment. The same report again answers the same, so it is repeated. Throws `upload_incomplete`, `result_conflict`. */
  reportResult(assignmentId: string, result: ResultRequest, options?: AssignmentCallOptions): Promise<ResultAccepted>
}

export function workerCalls(api: Api): WorkerCalls {
  const { http } = api
  const of = (assignmentId: string) => ({ params: { path: { assignmentId } } })
  const repeatable = { isRepeatable: true }

  return {
    poll: async (query, options) =>
      (await data(http.GET('/api/jobs/poll', { params: { query }, ...api.with(options) }))).jobs,

    assign: async (job, options) =>
      (await data(http.POST('/api/jobs/assign', { body: job, ...api.with(options) }))).assignment,

    claim: async (request, options) => {
      const policy = api.with(patient(api, options, request.waitSeconds))
      return (await data(http.POST('/api/jobs/claim', { body: request, ...policy }))).claims
    },

    heartbeat: (assignmentId, body = {}, options) =>
      data(
        http.POST('/api/jobs/assignments/{assignmentId}/heartbeat', {
          ...of(assignmentId),
          body,
          ...api.with(options, repeatable),
        }),
      ),

    appendLogs: (assignmentId, entries, options) =>
      data(
        http.POST('/api/jobs/assignments/{assignmentId}/logs', {
          ...of(assignmentId),
          body: { entries },
          ...api.with(options),
        }),
      ),

    inputs: async (assignmentId, options) => {
      const call = http.GET('/api/jobs/assignments/{assignmentId}/inputs', {
        ...of(assignmentId),
        ...api.with(options),
      })
      return (await data(call)).items
    },

    createUploads: async (assignmentId, files, options) => {
      const call = http.POST('/api/jobs/assignments/{assignmentId}/uploads', {
        ...of(assignmentId),
        body: { files },
        ...api.with(options, repeatable),
      })
      return (await data(call)).items
    },

    release: (assignmentId, options) =>
      data(
        http.POST('/api/jobs/assignments/{assignmentId}/release', {
          ...of(assignmentId),
          ...api.with(options, repeatable),
        }),
      ),

    reportResult: (assignmentId, result, options) =>
      data(
        http.POST('/api/jobs/assignments/{assignmentId}/result', {
          ...of(assignmentId),
          body: result,
          ...api.with(options, repeatable),
        }),
      ),
  }
}
