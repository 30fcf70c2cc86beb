import { type Api, data } from './api.ts'
import { downloadFiles, type JobFile, type JobFilesOptions } from './job-downloads.ts'
import { type EventsOptions, jobEvents } from './job-events.ts'
import { type WaitOptions, waitForJob } from './job-wait.ts'
import type { CallOptions } from './options.ts'
import { allItems } from './pages.ts'
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
   * Starts a job, or shares an equal one that is there already (`cached`). Safe to repeat, and repeated, by its idempotency key.
   * Throws `invalid_request`, `unresolved_reference`, `too_many_active_jobs`, `priority_reserved`.
   */
  create<T extends JobType>(job: JobCreate & { type: T }, options?: CreateJobOptions): Promise<JobCreated<T>>
  /** One page of the jobs that I asked for, newest first. */
  list(query?: Query<'listJobs'>, options?: CallOptions): Promise<Page<Job>>
  /** All of them. `limit` is the size of a page. */
  listAll(query?: Query<'listJobs'>, options?: CallOptions): AsyncGenerator<Job, void, undefined>
  /** One page of my wishes for jobs, newest first; equal wishes share a job. */
  requests(query?: Query<'listJobRequests'>, options?: CallOptions): Promise<Page<JobRequest>>
  /** All of them. `limit` is the size of a page. */
  requestsAll(query?: Query<'listJobRequests'>, options?: CallOptions): AsyncGenerator<JobRequest, void, undefined>
  /** The job as it is, or, with `waitSeconds`, as it is after its next change or that time. Throws `job_not_found`. */
  get<T extends JobType>(jobId: JobId<T>, query?: Query<'getJob'>, options?: CallOptions): Promise<Job<T>>
  /** Withdraws my wish for the job, which stops when nobody else wants it. Safe to repeat. Throws `job_finished`. */
  cancel<T extends JobType>(jobId: JobId<T>, options?: CallOptions): Promise<Job<T>>
  /** One page of the log, oldest first. */
  logs(jobId: string, query?: Query<'listJobLogs'>, options?: CallOptions): Promise<Page<JobLogEntry>>
  /** The whole log so far, oldest first. `limit` is the size of a page. */
  logsAll(
    jobId: string,
    query?: Query<'listJobLogs'>,
    options?: CallOptions,
  ): AsyncGenerator<JobLogEntry, void, undefined>
  /** Every event of the job, old and new, each once and in order, until the job is over. Goes on after broken connections. */
  events(jobId: string, options?: EventsOptions): AsyncGenerator<JobEvent, void, undefined>
  /**
   * Waits until the job is over, however it ended, or throws `JobFailedError` with `throwOnFailure`. Outlasts a service that is
   * away for a few minutes. Ends early with the signal's reason, or with `TimeoutError`; the job goes on then.
   */
  wait<T extends JobType>(jobId: JobId<T>, options: WaitOptions<T> & { throwOnFailure: true }): Promise<SucceededJob<T>>
  wait<T extends JobType>(jobId: JobId<T>, options?: WaitOptions<T>): Promise<FinalJob<T>>
  /** Links to the files of a job that succeeded. Throws `job_not_succeeded`. */
  download(jobId: string, query?: Query<'downloadJob'>, options?: CallOptions): Promise<JobDownload>
  /** The files themselves, one after another. Read each `response` before asking for the next. */
  downloadFiles(jobId: string, options?: JobFilesOptions): AsyncGenerator<JobFile, void, undefined>
  /** What kinds of job there are. */
  types(options?: CallOptions): Promise<Page<JobTypeDescription>>
  /** One kind of job. Throws `job_type_not_found`. */
  type(type: JobType, options?: CallOptions): Promise<JobTypeDescription>
}

export function jobCalls(api: Api): JobCalls {
  const { http } = api

  const get: JobCalls['get'] = async (jobId, query, options) =>
    (await data(
      http.GET('/api/jobs/{jobId}', {
        params: { path: { jobId }, query },
        ...api.with(patient(api, options, query?.waitSeconds)),
      }),
    )) as never

  const list: JobCalls['list'] = async (query, options) =>
    (await data(http.GET('/api/jobs', { params: { query }, ...api.with(options) }))) as Page<Job>

  const requests: JobCalls['requests'] = (query, options) =>
    data(http.GET('/api/jobs/requests', { params: { query }, ...api.with(options) }))

  const logs: JobCalls['logs'] = (jobId, query, options) =>
    data(http.GET('/api/jobs/{jobId}/logs', { params: { path: { jobId }, query }, ...api.with(options) }))

  const download: JobCalls['download'] = (jobId, query, options) =>
    data(http.GET('/api/jobs/{jobId}/download', { params: { path: { jobId }, query }, ...api.with(options) }))

  return {
    get,
    list,
    requests,
    logs,
    download,

    create: (job, { idempotencyKey = randomKey(), ...options } = {}) =>
      data(
        http.POST('/api/jobs', {
          body: job,
          params: { header: { 'Idempotency-Key': idempotencyKey } },
          ...api.with(options),
        }),
      ),

    listAll: (query, options) => allItems((cursor) => list({ ...query, cursor }, options), query?.cursor),
    requestsAll: (query, options) => allItems((cursor) => requests({ ...query, cursor }, options), query?.cursor),
    logsAll: (jobId, query, options) => allItems((cursor) => logs(jobId, { ...query, cursor }, options), query?.cursor),

    cancel: async (jobId, options) =>
      (await data(
        http.POST('/api/jobs/{jobId}/cancel', {
          params: { path: { jobId } },
          ...api.with(options, { isRepeatable: true }),
        }),
      )) as never,

    events: (jobId, options) => jobEvents(api, jobId, options),
    wait: (jobId: string, options?: WaitOptions) => waitForJob(get, jobId, options) as never,
    downloadFiles: (jobId, options) => downloadFiles(api.fetch, download, jobId, options),

    types: (options) => data(http.GET('/api/job-types', api.with(options))),
    type: (type, options) =>
      data(http.GET('/api/job-types/{type}', { params: { path: { type } }, ...api.with(options) })),
  }
}

/** Adds the time that the service was asked to wait to the time that the call may take. */
export const patient = (
  api: Pick<Api, 'timeoutMs'>,
  options: CallOptions | undefined,
  waitSeconds = 0,
): CallOptions => ({ ...options, timeoutMs: options?.timeoutMs ?? api.timeoutMs + waitSeconds * 1000 })

/** 128 random bits. `randomUUID` exists in secure contexts alone, and a laptop on a ship's network is none. */
const randomKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
