import type { Client } from 'openapi-fetch'
import { lists, operations } from './operation.ts'
import type { Items, Operation } from './operation-types.ts'
import type { FetchLike } from './options.ts'
import type { CallPolicy, Send } from './transport.ts'
import type { paths } from './types.ts'

/** What the namespaces are made from. */
export interface Api {
  /** An operation whose method tells whether it may be repeated after a lost answer. */
  operation: Operation
  /** One that may be, since the contract promises more than HTTP does. */
  repeatable: Operation
  /** One that must not be. */
  once: Operation
  /** All items of a list. */
  items: Items
  /** The contract, call by call. Never throws for a status. */
  http: Client<paths>
  /** The options of such a call, as openapi-fetch takes them. */
  with(policy: CallPolicy | undefined): { fetch: (request: Request) => Promise<Response> }
  /** How long a call may take, in milliseconds, unless it says otherwise. */
  limitMs: number
  /** What the client was given to use for files, which need no credentials. */
  fetch: FetchLike | undefined
}

export function apiOf(http: Client<paths>, send: Send, timeoutMs: number, fetch: FetchLike | undefined): Api {
  const operation = operations(http, send, timeoutMs)
  return {
    operation,
    repeatable: operations(http, send, timeoutMs, { isRepeatable: true }),
    once: operations(http, send, timeoutMs, { isRepeatable: false }),
    items: lists(operation),
    http,
    limitMs: timeoutMs,
    with: (policy) => ({ fetch: (request) => send(request, policy) }),
    fetch,
  }
}
