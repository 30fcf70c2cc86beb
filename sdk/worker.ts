import type { Api } from './api.ts'
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
 * What a worker does: claim a job, keep its lease, upload files, report the result.
 *
 * @remarks
 * `createWorker` of `@fieldstation/sdk/node` does it for you.
 *
 * Every call for an assignment throws `assignment_lost` or `job_cancelled` once that is over: stop working then.
 */
export interface WorkerCalls {
  /**
   * See which jobs wait.
   *
   * The jobs that a worker may claim now, most urgent first. Looking takes none of them: use `claim`, or `assign`.
   */
  poll(query?: Query<'pollJobs'>, options?: CallOptions): Promise<ClaimableJob[]>
  /**
   * Take one job.
   *
   * Takes the named job, or answers 409 if it is not free. A job never has two owners.
   *
   * Throws `job_not_found`, `job_not_available`.
   *
   * @remarks
   * Never repeated by itself: see `claim`.
   */
  assign(job: AssignRequest, options?: CallOptions): Promise<Assignment>
  /**
   * Take the next jobs.
   *
   * Takes up to `limit` jobs of the named types, most urgent first, and waits for one if there is none. An empty answer
   * is no error.
   *
   * @remarks
   * Never repeated by itself: if the answer is lost, the jobs in it are taken all the same, and come back when their leases expire.
   * A repetition could not get them any sooner, and would take more.
   */
  claim(request: ClaimRequest, options?: CallOptions): Promise<Claim[]>
  /**
   * Keep an assignment.
   *
   * Extends the lease and may report progress. 409 tells the worker to stop: the lease is lost, or the job was
   * cancelled.
   *
   * Throws `assignment_not_found`, `assignment_lost`, `job_cancelled`.
   *
   * @remarks
   * Repeated after a lost answer.
   */
  heartbeat(assignmentId: string, body?: HeartbeatRequest, options?: AssignmentCallOptions): Promise<Heartbeat>
  /**
   * Add to the log.
   *
   * The entries become events of the job, in this order.
   *
   * Throws `assignment_not_found`, `assignment_lost`, `job_cancelled`.
   *
   * @remarks
   * Not repeated by itself: after a lost answer that would log twice.
   */
  appendLogs(assignmentId: string, entries: LogEntries['entries'], options?: AssignmentCallOptions): Promise<void>
  /**
   * Get links to what the job reads.
   *
   * Signed links to the files that the job's input refers to, as they were when it was created.
   *
   * Throws `assignment_not_found`, `assignment_lost`, `job_cancelled`.
   */
  inputs(assignmentId: string, options?: AssignmentCallOptions): Promise<JobInputFile[]>
  /**
   * Get links for files to upload.
   *
   * Declares files with their exact size and checksum, and gives a signed URL for each. The result then names all that
   * were declared. Declaring a file again gives a fresh link; with another size or checksum it is refused.
   *
   * Throws `assignment_not_found`, `assignment_lost`, `job_cancelled`, `file_conflict`.
   *
   * @remarks
   * Repeated after a lost answer.
   */
  createUploads(
    assignmentId: string,
    files: FileDeclaration[],
    options?: AssignmentCallOptions,
  ): Promise<SignedUpload[]>
  /**
   * Give a job back.
   *
   * The job waits again at once, and the attempt does not count.
   *
   * Throws `assignment_not_found`, `assignment_lost`, `job_cancelled`.
   *
   * @remarks
   * After a lost answer the repetition may throw `assignment_lost`.
   */
  release(assignmentId: string, options?: AssignmentCallOptions): Promise<void>
  /**
   * Report the result.
   *
   * Ends the assignment. The same report again answers the same; another one is refused. Files that were declared but
   * never arrived are named in a 409 (`upload_incomplete`), and the assignment goes on.
   *
   * Throws `assignment_not_found`, `assignment_lost`, `job_cancelled`, `upload_incomplete`, `result_conflict`.
   *
   * @remarks
   * Repeated after a lost answer.
   */
  reportResult(assignmentId: string, result: ResultRequest, options?: AssignmentCallOptions): Promise<ResultAccepted>
}

export function workerCalls({ operation, repeatable }: Api): WorkerCalls {
  const poll = operation('get', '/api/jobs/poll', 'query')
  const assign = operation('post', '/api/jobs/assign', 'body')
  const claim = operation('post', '/api/jobs/claim', 'body')
  const heartbeat = repeatable('post', '/api/jobs/assignments/{assignmentId}/heartbeat', 'body')
  const appendLogs = operation('post', '/api/jobs/assignments/{assignmentId}/logs', 'body')
  const inputs = operation('get', '/api/jobs/assignments/{assignmentId}/inputs')
  const createUploads = repeatable('post', '/api/jobs/assignments/{assignmentId}/uploads', 'body')

  return {
    poll: async (query, options) => (await poll(query, options)).jobs,
    assign: async (job, options) => (await assign(job, options)).assignment,
    claim: async (request, options) => (await claim(request, options)).claims,
    heartbeat: (assignmentId, body = {}, options) => heartbeat(assignmentId, body, options),
    appendLogs: (assignmentId, entries, options) => appendLogs(assignmentId, { entries }, options),
    inputs: async (assignmentId, options) => (await inputs(assignmentId, options)).items,
    createUploads: async (assignmentId, files, options) =>
      (await createUploads(assignmentId, { files }, options)).items,
    release: repeatable('post', '/api/jobs/assignments/{assignmentId}/release'),
    reportResult: repeatable('post', '/api/jobs/assignments/{assignmentId}/result', 'body'),
  }
}
