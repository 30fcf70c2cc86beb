import { type Authentication, type AuthenticationHeaders, bearer } from './authentication.ts'
import { type Deadline, deadline } from './deadline.ts'
import { ConnectionError } from './errors.ts'
import type { hookCalls, RequestInfo } from './hooks.ts'
import type { CallOptions, FetchLike } from './options.ts'
import { abortable, pause } from './pause.ts'
import { backoffMs, isIdempotent, retryDelayMs } from './retry.ts'

/** What one call may ask of the transport beyond what the request says. */
export interface CallPolicy extends CallOptions {
  /** An assignment's token, sent instead of the client's credentials. */
  token?: string | undefined
  /** Whether it may be sent again, where the method does not tell: the contract may promise more than HTTP does. */
  isRepeatable?: boolean
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

/** A request that can be sent more than once, since its body was read beforehand. */
interface Repeatable {
  request: Request
  path: string
  body: ArrayBuffer | undefined
  policy: CallPolicy
}

/** Time limit, credentials, retries and hooks around `fetch`. Throws `ConnectionError`, `TimeoutError` or the signal's reason. */
export function transport({ fetch, authentication, isPublic, hooks, retries, timeoutMs }: TransportOptions): Send {
  return async (request, policy = {}) => {
    const path = new URL(request.url).pathname
    const limit = deadline(`${request.method} ${path}`, policy.timeoutMs ?? timeoutMs, policy.signal ?? request.signal)
    try {
      limit.signal.throwIfAborted()
      const body = hasBody(request) ? await request.arrayBuffer() : undefined
      const response = await repeat({ request, path, body, policy }, limit)
      // A stream goes on: its time is not limited, but the signal must still end it.
      if (isEventStream(response)) limit.disarm()
      else limit.dispose()
      return response
    } catch (error) {
      limit.dispose()
      throw error
    }
  }

  async function repeat(call: Repeatable, limit: Deadline): Promise<Response> {
    const tries = (call.policy.isRepeatable ?? isIdempotent(call.request)) ? 1 + retries : 1
    const renewals = { left: 1 }
    for (let attempt = 1; ; attempt++) {
      const info = { method: call.request.method, path: call.path, attempt }
      const outcome = await attemptCall(call, info, limit, renewals)
      const delayMs = attempt < tries ? await delayAfter(outcome, call, attempt) : undefined
      // Waiting longer than there is time for would only hide the answer behind a timeout.
      if (delayMs === undefined || delayMs >= limit.remainingMs()) return settle(outcome)
      hooks.retry({ ...info, status: !(outcome instanceof Error) ? outcome.status : undefined, delayMs })
      await pause(delayMs, limit.signal)
    }
  }

  async function attemptCall(call: Repeatable, info: RequestInfo, limit: Deadline, renewals: { left: number }) {
    const headers = await credentialsFor(call, limit)
    const outcome = await exchange(call, headers, info, limit)
    if (outcome instanceof Error || outcome.status !== 401) return outcome
    if (isForeign(call) || renewals.left === 0) return outcome
    // One renewal for the whole call: refused again with fresh credentials is an answer.
    renewals.left = 0
    if (!(await abortable(authentication.renew(headers), limit.signal))) return outcome
    return exchange(call, await credentialsFor(call, limit), info, limit)
  }

  /** Calls whose credentials are none of the client's. */
  function isForeign({ path, policy }: Repeatable): boolean {
    return policy.token !== undefined || isPublic(path)
  }

  async function credentialsFor(call: Repeatable, limit: Deadline): Promise<AuthenticationHeaders> {
    if (call.policy.token !== undefined) return bearer(call.policy.token)
    return isForeign(call) ? {} : abortable(authentication.headers(), limit.signal)
  }

  async function exchange(
    { request, body }: Repeatable,
    credentials: AuthenticationHeaders,
    info: RequestInfo,
    limit: Deadline,
  ): Promise<Response | ConnectionError> {
    hooks.request(info)
    const startedAt = performance.now()
    try {
      const attempt = withCredentials(request, body, credentials, limit.signal)
      // Raced, since an injected `fetch` may not know of signals.
      const answer = await abortable(Promise.resolve(fetch(attempt)), limit.signal)
      const response = await complete(answer, limit)
      const requestId = response.headers.get('x-request-id') ?? undefined
      hooks.response({ ...info, status: response.status, requestId, durationMs: performance.now() - startedAt })
      return response
    } catch (cause) {
      if (limit.signal.aborted) throw limit.signal.reason
      return new ConnectionError(`${info.method} ${info.path} got no answer`, { cause })
    }
  }
}

const hasBody = ({ method }: Request) => method !== 'GET' && method !== 'HEAD'

function withCredentials(
  request: Request,
  body: ArrayBuffer | undefined,
  credentials: AuthenticationHeaders,
  signal: AbortSignal,
): Request {
  const headers = new Headers(request.headers)
  for (const [name, value] of Object.entries(credentials)) headers.set(name, value)
  // A redirect followed would carry an API key to wherever it leads, and turn a POST into a GET.
  return new Request(request, { headers, signal, redirect: 'manual', ...(body?.byteLength ? { body } : {}) })
}

/** Reads the body here, so that a connection that breaks in the middle counts as one that broke. Event streams go on. */
async function complete(response: Response, limit: Deadline): Promise<Response> {
  if (isEventStream(response)) return response
  if (response.status === 0) throw new Error('The service redirects. Its base URL is another.')
  const body = await abortable(response.arrayBuffer(), limit.signal)
  return new Response(body.byteLength > 0 ? body : null, response)
}

const isEventStream = ({ headers }: Response) => headers.get('content-type')?.startsWith('text/event-stream') ?? false

async function delayAfter(outcome: Response | ConnectionError, { request }: Repeatable, failures: number) {
  if (outcome instanceof Error) return backoffMs(failures)
  if (outcome.status === 409 && request.headers.has('idempotency-key')) return delayWhileInProgress(outcome, failures)
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

function settle(outcome: Response | ConnectionError): Response {
  if (!(outcome instanceof Error)) return outcome
  throw outcome
}
