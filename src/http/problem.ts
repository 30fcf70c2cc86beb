import type { z } from '@hono/zod-openapi'
import type { Context, Env } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { AppError, jsonPointer, type ProblemError, problems } from '../errors.ts'
import type { Log } from '../log.ts'

/** Names and paths are the caller's own, and of any length: nobody reads more of them. */
const brief = (text: string) => (text.length > 200 ? `${text.slice(0, 200).toWellFormed()}…` : text)

const typeBase = 'https://fieldstation.example/problems/'

/** A failure as an RFC 9457 problem. */
export function problemBody(error: AppError, instance: string, requestId: string) {
  const { status, title } = problems[error.code]
  return {
    type: typeBase + error.code.replaceAll('_', '-'),
    title,
    status,
    detail: error.message,
    instance,
    code: error.code,
    requestId,
    ...(error.errors && { errors: error.errors.map(briefly) }),
  }
}

/** Answers with a problem: how every request that reached the app and failed is answered. */
export function problemResponse<E extends Env>(c: Context<E>, error: AppError): Response {
  const { status } = problems[error.code]
  const body = problemBody(error, c.req.path, c.get('requestId' as never) as string)
  c.header('content-type', 'application/problem+json')
  for (const [name, value] of Object.entries(error.headers)) c.header(name, value)
  if (error.retryAfterSeconds !== undefined) c.header('retry-after', String(error.retryAfterSeconds))
  // RFC 9110, section 15.5.9: whatever else may come on this connection is not waited for.
  if (status === 408) c.header('connection', 'close')
  if (status === 401) c.header('www-authenticate', 'Bearer')
  return c.body(JSON.stringify(body), status as ContentfulStatusCode)
}

const briefly = ({ pointer, detail }: ProblemError) => ({ pointer: brief(pointer), detail: brief(detail) })

/** Says which dependency is down, if that is what the failure means. */
export type ExplainOutage = (error: unknown) => string | undefined

/** Turns whatever was thrown into what the caller may be told. What is a bug of ours is logged and stays untold. */
export function toAppError(error: unknown, log: Log, requestId: string, explainOutage: ExplainOutage): AppError {
  if (error instanceof AppError) return error
  if (error instanceof HTTPException && error.status < 500) return fromHono(error)
  const outage = explainOutage(error)
  if (outage) {
    log.warn('dependency unavailable', { requestId, error })
    return new AppError('service_unavailable', outage, { cause: error, retryAfterSeconds: 2 })
  }
  log.error('unhandled error', { requestId, error })
  return new AppError('internal', 'Something went wrong on our side.', { cause: error })
}

function fromHono(error: HTTPException): AppError {
  if (error.status === 413) return new AppError('payload_too_large', error.message)
  return new AppError('invalid_request', error.message || 'The request cannot be read.', {
    errors: [{ pointer: '', detail: error.message || 'The body is not JSON.' }],
  })
}

const places = { json: '', query: '/query', param: '/path', header: '/header' } as const

/** A body may have thousands, and nobody reads them. */
const mostFaults = 100

/** What zod found wrong, each with a pointer to where. */
export function faultsOf(error: z.core.$ZodError, target: string): ProblemError[] {
  const prefix = places[target as keyof typeof places] ?? ''
  return error.issues
    .slice(0, mostFaults)
    .flatMap((issue) => pointersOf(issue, prefix))
    .slice(0, mostFaults)
    .map(briefly)
}

/** An unknown member is named by itself: that is where the caller looks. */
function pointersOf(issue: z.core.$ZodIssue, prefix: string): ProblemError[] {
  const at = prefix + jsonPointer(issue.path)
  if (issue.code !== 'unrecognized_keys') return [{ pointer: at, detail: issue.message }]
  return issue.keys.slice(0, mostFaults).map((key) => ({
    pointer: at + jsonPointer([key]),
    detail: `Unknown: ${JSON.stringify(key)}`,
  }))
}
