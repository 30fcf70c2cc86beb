import type { Bytes } from '../chunks.ts'
import type { JobInput, JobInputFile, JobResult, JobType, LogLevel } from '../types.ts'

/** A job as its handler gets it. */
export interface WorkerJob<T extends JobType = JobType> {
  /** The job's id. */
  id: string
  /** The job's type. */
  type: T
  /** What the contract calls `inputPayload`. The service has checked it. */
  input: JobInput<T>
  /** 1 for the first attempt. */
  attempt: number
  /** How many attempts there can be. */
  maxAttempts: number
  /** RFC 3339, by the service's clock. */
  createdAt: string
}

/** A file that a handler wants to keep with its result. */
export type ResultFile = { name: string; contentType: string } & ({ path: string } | { bytes: Bytes | string })

/** What a handler works with. */
export interface JobContext {
  /**
   * Aborts when the work is no longer wanted: with `LeaseLostError` when the job is not ours any more, with `WorkerStoppedError` when the
   * worker stops. Pass it on to whatever takes long.
   */
  readonly signal: AbortSignal
  /** The assignment's token, for code that talks to the service by itself. Good for this assignment alone, and dead with it. */
  readonly token: string
  /** What is done, as a fraction of 1. Cheap: only the newest value is sent, every two seconds at most. */
  progress(fraction: number): void
  /** Adds a line to the job's log, which its owner reads. Cheap: lines travel together. Signed URLs and keys are blotted out. */
  log(message: string, level?: LogLevel): void
  /** Fresh signed links to what the job reads. */
  inputs(): Promise<JobInputFile[]>
  /** Fetches one of them to disk, checked, and gives its path: below `workDir` unless told otherwise. */
  downloadInput(name: string, path?: string): Promise<string>
  /** Declares and sends files, one after another. They become the job's files when the handler succeeds. */
  uploadFiles(files: readonly ResultFile[]): Promise<void>
  /** A directory of this job's own, made when first asked for and removed when the job is over. */
  workDir(): Promise<string>
}

/** A result with something beside it. An object with exactly these two members is taken for one. */
export interface ResultWithMetadata<T extends JobType> {
  /** What the job came to. */
  result: JobResult<T>
  /** Whatever is worth keeping with the result, such as versions. */
  metadata: Record<string, unknown>
}

/** Does one job. Throw `RetryableError` where another attempt may succeed; any other error of its own ends the job as FAILED. */
export type JobHandler<T extends JobType> = (
  job: WorkerJob<T>,
  context: JobContext,
) => Promise<JobResult<T> | ResultWithMetadata<T>>

/** What a worker can do: a handler for each job type that it takes. */
export type JobHandlers = { [T in JobType]?: JobHandler<T> }
