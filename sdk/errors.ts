import { retryAfterSeconds } from './retry-after.ts'
import type { FinalStatus, Problem, ProblemCode, ProblemError, UnsuccessfulJob } from './types.ts'

/** What every error of this package is. Tell them apart by `code`; messages are for people and may change. */
export abstract class FieldstationError extends Error {
  /** Tells errors apart. For `ApiError` it is the contract's. */
  abstract readonly code: string

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** The service refused. `code` is the contract's, or `unexpected_response` where something else answered, such as a proxy. */
export class ApiError extends FieldstationError {
  /** What went wrong, in the contract's word. */
  readonly code: ProblemCode | 'unexpected_response'
  /** The HTTP status. */
  readonly status: number
  /** The kind of problem in a few words. */
  readonly title: string
  /** What happened this time, for people. */
  readonly detail: string | undefined
  /** For invalid input: each fault and where it is. */
  readonly errors: readonly ProblemError[]
  /** Names the request in the service's logs. Quote it when asking for help. */
  readonly requestId: string | undefined
  /** When it makes sense to try again, where the service said so. */
  readonly retryAfterSeconds: number | undefined
  /** For its headers. The body has been read. */
  readonly response: Response

  constructor(response: Response, body: unknown) {
    const problem = asProblem(body)
    super(problem?.detail ?? problem?.title ?? unexpected(response))
    this.code = problem?.code ?? 'unexpected_response'
    this.status = response.status
    this.title = problem?.title ?? `HTTP ${response.status}`
    this.detail = problem?.detail
    this.errors = problem?.errors ?? []
    this.requestId = problem?.requestId ?? response.headers.get('x-request-id') ?? undefined
    this.retryAfterSeconds = retryAfterSeconds(response.headers)
    this.response = response
  }
}

/** No answer came: no network, no such host, a connection that broke. `cause` says more. Whether the request took effect is unknown. */
export class ConnectionError extends FieldstationError {
  /** The code of every such error. */
  readonly code = 'connection_failed'
}

/** The time that the caller gave was up. Whether the request took effect is unknown. */
export class TimeoutError extends FieldstationError {
  /** The code of every such error. */
  readonly code = 'timeout'
  /** The time that was given, in milliseconds. */
  readonly timeoutMs: number

  constructor(what: string, timeoutMs: number) {
    super(`${what} took longer than ${timeoutMs} ms`)
    this.timeoutMs = timeoutMs
  }
}

/** Thrown by `jobs.wait` with `throwOnFailure`: the job is over and has no result. */
export class JobFailedError extends FieldstationError {
  /** The code of every such error. */
  readonly code = 'job_failed'
  /** How the job ended. */
  readonly status: Exclude<FinalStatus, 'SUCCEEDED'>
  /** The job as it ended. */
  readonly job: UnsuccessfulJob

  constructor(job: UnsuccessfulJob) {
    super(`Job ${job.id} is ${job.status}${job.error ? `: ${job.error.message}` : ''}`)
    this.status = job.status
    this.job = job
  }
}

/** How a transfer went wrong. */
export type TransferErrorCode = 'upload_failed' | 'download_failed' | 'size_mismatch' | 'checksum_mismatch'

/** A file did not arrive as it should. Never names the signed URL. */
export class TransferError extends FieldstationError {
  /** How it went wrong. */
  readonly code: TransferErrorCode
  /** What the store answered, where it did. */
  readonly status: number | undefined

  constructor(code: TransferErrorCode, message: string, options?: ErrorOptions & { status?: number }) {
    super(message, options)
    this.code = code
    this.status = options?.status
  }
}

function asProblem(body: unknown): Problem | undefined {
  const problem = body as Partial<Problem> | null | undefined
  return typeof problem === 'object' && typeof problem?.code === 'string' ? (problem as Problem) : undefined
}

function unexpected(response: Response): string {
  const location = response.headers.get('location')
  if (location && response.status < 400) return `The service redirects to ${location}. Is that the base URL to use?`
  return `HTTP ${response.status}, and not from the service: something in between answered.`
}
