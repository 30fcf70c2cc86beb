import { type Authentication, type AuthenticationHeaders, bearer, fixedAuthentication } from './authentication.ts'
import type { Bytes } from './chunks.ts'
import { type Deadline, deadline } from './deadline.ts'
import { ConnectionError } from './errors.ts'
import type { hookCalls, RequestInfo } from './hooks.ts'
import type { CallOptions, FetchLike } from './options.ts'
import { abortable, pause } from './pause.ts'
import { backoffMs, isIdempotent, retryDelayMs, settle } from './retry.ts'

/** What one call may ask of the transport beyond what the request says. */
export interface CallPolicy extends CallOptions {
  /** An assignment's token, sent instead of the client's credentials. */
  token?: string | undefined
  /** Whether it may be sent again, where the method does not tell: the contract may promise more than HTTP does. */
  isRepeatable?: boolean
  /** Makes the body for each try, where that is a form: its files are never held. */
  form?: () => Blob
  /** Whether an answer that went well is handed on as it comes. */
  isStreamed?: boolean
}

/** Sends a request with all that a call needs, and gives the last answer, whatever its status. */
export type Send = (request: Request, policy?: CallPolicy) => Promise<Response>

export interface TransportOptions {
  fetch: FetchLike
  authentication: Authentication
  isPublic: (path: string) => boolean
  hooks: ReturnType<typeof hookCalls>
  retries: number
  timeoutMs: number
}

/** A request that can be sent more than once, since its body was read beforehand or can be made again. */
interface Repeatable {
  request: Request
  path: string
  body: () => BodyInit | undefined
  isStreamed: boolean | undefined
  tries: number
  /** In whose name it is sent. */
  caller: Authentication
  /** One renewal for the whole call: refused again with fresh credentials is an answer. */
  isRenewed: boolean
  limit: Deadline
}

/** Time limit, credentials, retries and hooks around `fetch`. Throws `ConnectionError`, `TimeoutError` or the signal's reason. */
export function transport({ fetch, authentication, isPublic, hooks, retries, timeoutMs }: TransportOptions): Send {
  return async (request, policy = {}) => {
    const path = new URL(request.url).pathname
    const limit = deadline(`${request.method} ${path}`, policy.timeoutMs ?? timeoutMs, policy.signal ?? request.signal)
    try {
      limit.signal.throwIfAborted()
      const body = policy.form ?? (await bodyOf(request))
      const tries = (policy.isRepeatable ?? isIdempotent(request)) ? 1 + retries : 1
      const caller = callerOf(path, policy.token)
      const { isStreamed } = policy
      const response = await repeat({ request, path, body, isStreamed, tries, caller, isRenewed: false, limit })
      if (goesOn(response, isStreamed)) return goingOn(response, limit)
      limit.dispose()
      return response
    } catch (error) {
      limit.dispose()
      throw error
    }
  }

  function callerOf(path: string, token: string | undefined): Authentication {
    if (token !== undefined) return fixedAuthentication(bearer(token))
    return isPublic(path) ? fixedAuthentication({}) : authentication
  }

  async function repeat(call: Repeatable): Promise<Response> {
    const { request, path, tries, limit } = call
    for (let attempt = 1; ; attempt++) {
      const info = { method: request.method, path, attempt }
      const outcome = await attemptCall(call, info)
      const delayMs = attempt < tries ? await delayAfter(outcome, request, attempt) : undefined
      // Waiting longer than there is time for would only hide the answer behind a timeout.
      if (delayMs === undefined || delayMs >= limit.remainingMs()) return settle(outcome)
      hooks.retry({ ...info, status: !(outcome instanceof Error) ? outcome.status : undefined, delayMs })
      await pause(delayMs, limit.signal)
    }
  }

  async function attemptCall(call: Repeatable, info: RequestInfo): Promise<Response | ConnectionError> {
    const { caller, limit } = call
    const headers = await abortable(caller.headers(), limit.signal)
    const outcome = await exchange(call, headers, info)
    if (outcome instanceof Error || outcome.status !== 401 || call.isRenewed) return outcome
    call.isRenewed = true
    return (await abortable(caller.renew(headers), limit.signal)) ? attemptCall(call, info) : outcome
  }

  async function exchange(
    { request, body, isStreamed, limit: { signal } }: Repeatable,
    credentials: AuthenticationHeaders,
    info: RequestInfo,
  ): Promise<Response | ConnectionError> {
    hooks.request(info)
    const startedAt = performance.now()
    try {
      const attempt = withCredentials(request, body(), credentials, signal)
      // Raced, since an injected `fetch` may not know of signals.
      const response = await complete(await abortable(Promise.resolve(fetch(attempt)), signal), isStreamed, signal)
      const requestId = response.headers.get('x-request-id') ?? undefined
      hooks.response({ ...info, status: response.status, requestId, durationMs: performance.now() - startedAt })
      return response
    } catch (cause) {
      if (signal.aborted) throw signal.reason
      return new ConnectionError(`${info.method} ${info.path} got no answer`, { cause })
    }
  }
}

async function bodyOf(request: Request): Promise<() => ArrayBuffer | undefined> {
  const bytes = await request.arrayBuffer()
  return () => (bytes.byteLength ? bytes : undefined)
}

function withCredentials(
  request: Request,
  body: BodyInit | undefined,
  credentials: AuthenticationHeaders,
  signal: AbortSignal,
): Request {
  const headers = new Headers(request.headers)
  for (const [name, value] of Object.entries(credentials)) headers.set(name, value)
  // A redirect followed would carry an API key to wherever it leads, and turn a POST into a GET. Node keeps a copy of each body that
  // goes out, unless redirects are errors: too much for a form.
  const redirect = body instanceof Blob ? 'error' : 'manual'
  return new Request(request, { headers, signal, redirect, ...(body && { body }) })
}

/** Reads the body here, so that a connection that breaks in the middle counts as one that broke. Streams go on. */
async function complete(response: Response, isStreamed: boolean | undefined, signal: AbortSignal): Promise<Response> {
  if (goesOn(response, isStreamed)) return response
  if (response.status === 0) throw new Error('The service redirects. Its base URL is another.')
  const body = await abortable(response.arrayBuffer(), signal)
  return new Response(body.byteLength > 0 ? body : null, response)
}

const goesOn = (
  { ok, body, headers }: Response,
  isStreamed = headers.get('content-type')?.startsWith('text/event-stream'),
): boolean => ok && body !== null && isStreamed === true

/** The time of a stream is not limited, but the signal must end it, and is let go when it has ended. */
function goingOn(response: Response, { signal, disarm, dispose }: Deadline): Response {
  disarm()
  const { readable, writable } = new TransformStream<Bytes, Bytes>()
  // What breaks it off reaches who reads it.
  response.body
    ?.pipeTo(writable, { signal })
    .catch(() => {})
    .finally(dispose)
  return new Response(readable, response)
}

async function delayAfter(outcome: Response | ConnectionError, { headers }: Request, failures: number) {
  if (outcome instanceof Error) return backoffMs(failures)
  if (outcome.status === 409 && headers.has('idempotency-key')) return delayWhileInProgress(outcome, failures)
  return retryDelayMs(outcome, failures)
}

/** Our own first try, whose answer was lost, is still being worked on. */
async function delayWhileInProgress(conflict: Response, failures: number): Promise<number | undefined> {
  const problem = await conflict
    .clone()
    .json()
    .catch(() => undefined)
  return problem?.code === 'idempotency_in_progress' ? backoffMs(failures) : undefined
}
