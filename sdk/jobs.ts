import type { Api } from './api.ts'
import { hex } from './hex.ts'
import { downloadFiles, type JobFile, type JobFilesOptions } from './job-downloads.ts'
import { type EventsOptions, jobEvents } from './job-events.ts'
import { type WaitOptions, waitForJob } from './job-wait.ts'
import type { CallOptions } from './options.ts'
import type {
  FinalJob,
  Job,
  JobCreate,
  JobCreated,
  JobDownload,
  JobEvent,
  JobId,
  JobLogEntry,
  JobRequest,
  JobType,
  JobTypeDescription,
  Page,
  Query,
  SucceededJob,
} from './types.ts'

/** What starting a job takes. */
export interface CreateJobOptions extends CallOptions {
  /** Ties repetitions together: for 24 hours the same key gives the same job. Made up for each call unless given. */
  idempotencyKey?: string | undefined
}

/** Starting long jobs, following them, and fetching what they made. */
export interface JobCalls {
  /**
   * Start a job.
   *
   * An equal job that is pending, running or succeeded is shared instead of started again (`cached`), where its type
   * allows. Both give the caller a request of their own. Priority above NORMAL is for admins, and so are unlimited
   * unfinished jobs.
   *
   * Throws `priority_reserved`, `idempotency_in_progress`, `unresolved_reference`, `idempotency_mismatch`,
   * `too_many_active_jobs`.
   *
   * @remarks
   * Safe to repeat, and repeated, by its idempotency key.
   */
  create<T extends JobType>(job: JobCreate & { type: T }, options?: CreateJobOptions): Promise<JobCreated<T>>
  /**
   * List jobs.
   *
   * The jobs that I asked for, newest first; for an admin everyone's.
   *
   * @remarks
   * One page; `listAll` follows them.
   */
  list(query?: Query<'listJobs'>, options?: CallOptions): Promise<Page<Job>>
  /** All of them, newest first. `limit` is the size of a page. */
  listAll(query?: Query<'listJobs'>, options?: CallOptions): AsyncGenerator<Job, void, undefined>
  /**
   * List job requests.
   *
   * What I asked for, newest first; for an admin what everyone asked for.
   *
   * @remarks
   * One page; `requestsAll` follows them. Equal wishes share a job.
   */
  requests(query?: Query<'listJobRequests'>, options?: CallOptions): Promise<Page<JobRequest>>
  /** All my wishes for jobs, newest first. `limit` is the size of a page. */
  requestsAll(query?: Query<'listJobRequests'>, options?: CallOptions): AsyncGenerator<JobRequest, void, undefined>
  /**
   * Show a job.
   *
   * For those who asked for it, admins, and workers that hold it or may claim it.
   *
   * Throws `job_not_found`.
   *
   * @remarks
   * With `waitSeconds` it answers after the next change, or that time.
   */
  get<T extends JobType>(jobId: JobId<T>, query?: Query<'getJob'>, options?: CallOptions): Promise<Job<T>>
  /**
   * Cancel a job.
   *
   * Withdraws my requests for the job. The job stops when nobody else wants it, or at once when an admin cancels it. A
   * worker learns of it at its next heartbeat. Cancelling a cancelled job answers the same.
   *
   * Throws `job_not_found`, `job_finished`.
   *
   * @remarks
   * Repeated after a lost answer.
   */
  cancel<T extends JobType>(jobId: JobId<T>, options?: CallOptions): Promise<Job<T>>
  /**
   * List a job's log.
   *
   * Oldest first.
   *
   * Throws `job_not_found`.
   *
   * @remarks
   * One page; `logsAll` follows them.
   */
  logs(jobId: string, query?: Query<'listJobLogs'>, options?: CallOptions): Promise<Page<JobLogEntry>>
  /** The whole log so far, oldest first. `limit` is the size of a page. */
  logsAll(
    jobId: string,
    query?: Query<'listJobLogs'>,
    options?: CallOptions,
  ): AsyncGenerator<JobLogEntry, void, undefined>
  /**
   * Follow a job.
   *
   * Server-sent events: `status`, `progress` and `log`. Every event so far comes first. Send the last id that you saw
   * as `Last-Event-ID` to go on from there. The stream ends when the job is final; asking again after its last event
   * answers 204. A comment comes every 15 seconds.
   *
   * Throws `job_not_found`.
   *
   * @remarks
   * Gives every event, old and new, once and in order, until the job is over. Broken connections are mended from the last event
   * that was seen; leaving the loop closes the connection.
   */
  events(jobId: string, options?: EventsOptions): AsyncGenerator<JobEvent, void, undefined>
  /**
   * Waits until the job is over, however it ended, or throws `JobFailedError` with `throwOnFailure`. Outlasts a service that is
   * away for a few minutes. Ends early with the signal's reason, or with `TimeoutError`; the job goes on then.
   */
  wait<T extends JobType>(jobId: JobId<T>, options: WaitOptions<T> & { throwOnFailure: true }): Promise<SucceededJob<T>>
  wait<T extends JobType>(jobId: JobId<T>, options?: WaitOptions<T>): Promise<FinalJob<T>>
  /**
   * Get links to a job's files.
   *
   * The files that the job's result named, and nothing that arrived later.
   *
   * Throws `job_not_found`, `job_not_succeeded`.
   *
   * @remarks
   * `downloadFiles` fetches them.
   */
  download(jobId: string, query?: Query<'downloadJob'>, options?: CallOptions): Promise<JobDownload>
  /** The files themselves, one after another. Read each `response` before asking for the next. */
  downloadFiles(jobId: string, options?: JobFilesOptions): AsyncGenerator<JobFile, void, undefined>
  /**
   * List job types.
   *
   * All that this service knows, with the schemas of what goes in and what comes out.
   */
  types(options?: CallOptions): Promise<Page<JobTypeDescription>>
  /**
   * Show a job type.
   *
   * Its settings and its schemas.
   *
   * Throws `job_type_not_found`.
   */
  type(type: JobType, options?: CallOptions): Promise<JobTypeDescription>
}

export function jobCalls(api: Api): JobCalls {
  const { operation, repeatable, items } = api
  // Which type a job has, its id alone remembers.
  const get = operation('get', '/api/jobs/{jobId}', 'query') as JobCalls['get']
  const create = operation('post', '/api/jobs', 'body')
  const download = operation('get', '/api/jobs/{jobId}/download', 'query')

  return {
    // Repeated, and safe to repeat, since it always has a key.
    create: (job, { idempotencyKey = randomKey(), ...options } = {}) => create(job, { idempotencyKey, ...options }),
    list: operation('get', '/api/jobs', 'query') as JobCalls['list'],
    listAll: items('/api/jobs') as JobCalls['listAll'],
    requests: operation('get', '/api/jobs/requests', 'query'),
    requestsAll: items('/api/jobs/requests'),
    get,
    cancel: repeatable('post', '/api/jobs/{jobId}/cancel') as JobCalls['cancel'],
    logs: operation('get', '/api/jobs/{jobId}/logs', 'query'),
    logsAll: items('/api/jobs/{jobId}/logs'),
    events: (jobId, options) => jobEvents(api, jobId, options),
    wait: (jobId: string, options?: WaitOptions) => waitForJob(get, jobId, options) as never,
    download,
    downloadFiles: (jobId, options) => downloadFiles(api.fetch, download, jobId, options),
    types: operation('get', '/api/job-types'),
    type: operation('get', '/api/job-types/{type}'),
  }
}

/** 128 random bits. `randomUUID` exists in secure contexts alone, and a laptop on a ship's network is none. */
const randomKey = () => hex(crypto.getRandomValues(new Uint8Array(16)))
