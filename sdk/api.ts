import type { Client } from 'openapi-fetch'
import { ApiError, ConnectionError } from './errors.ts'
import type { FetchLike } from './options.ts'
import type { CallPolicy, Send } from './transport.ts'
import type { paths } from './types.ts'

/** What the namespaces are made from. */
export interface Api {
  /** The contract, call by call. Never throws for a status. */
  http: Client<paths>
  /** The options of one call, as openapi-fetch takes them. */
  with(policy: CallPolicy | undefined, ...more: CallPolicy[]): { fetch: (request: Request) => Promise<Response> }
  /** How long a call may take, in milliseconds, unless it says otherwise. */
  timeoutMs: number
  /** What the client was given to use for files, which need no credentials. */
  fetch: FetchLike | undefined
}

export function apiOf(http: Client<paths>, send: Send, timeoutMs: number, fetch: FetchLike | undefined): Api {
  return {
    http,
    timeoutMs,
    fetch,
    with: (policy, ...more) => ({ fetch: (request) => send(request, Object.assign({}, policy, ...more)) }),
  }
}

/** What openapi-fetch gives back. */
interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The data of a call that went well. Throws `ApiError` for one that did not. */
export async function data<T>(call: Promise<Answer<T>>): Promise<T> {
  return (await answer(call)).data as T
}

/** The same, with the response for its headers. */
export async function answer<T>(call: Promise<Answer<T>>): Promise<{ data: T; response: Response }> {
  const { data, error, response } = await call.catch(refuseNonsense)
  if (!response.ok) throw new ApiError(response, error)
  return { data: data as T, response }
}

/** A success that is not JSON is no answer of the service: a sign-in page of some proxy, usually. */
function refuseNonsense(error: unknown): never {
  if (error instanceof SyntaxError)
    throw new ConnectionError('Something other than the service answered', { cause: error })
  throw error
}
