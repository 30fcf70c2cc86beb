import type { Hooks } from './hooks.ts'
import type { Credentials, Tokens } from './types.ts'

/** How a client finds the service and who it is there. Give one of `credentials`, `token` and `apiKey`, or none. */
export interface ClientOptions extends Hooks {
  /** Where the service is, such as `https://reef.example`. Paths of the contract are added to it. */
  baseUrl: string
  /** Signs in with these when the first call needs it, and again when the session has ended. */
  credentials?: Credentials | undefined
  /** An access token, or a function that gives the current one and is asked before each request. */
  token?: string | (() => string | Promise<string>) | undefined
  /** Renews the access token. The service replaces it at each use: see `onTokens`. */
  refreshToken?: string | undefined
  /** An API key (`fs_…`), sent as `X-API-Key`. For services and workers. */
  apiKey?: string | undefined
  /** Called with each new pair of tokens, and with `undefined` when the session is over. For keeping a session; it sees secrets. */
  onTokens?: ((tokens: Tokens | undefined) => void) | undefined
  /** Used instead of the global `fetch`, for the service and for files. */
  fetch?: FetchLike | undefined
  /** How long a call may take, retries included, in milliseconds. 30 s unless told otherwise; `Infinity` is allowed. */
  timeoutMs?: number | undefined
  /** How often a call that is safe to repeat is tried again. 3 unless told otherwise. */
  retries?: number | undefined
}

/** What is needed of `fetch`. */
export type FetchLike = (request: Request) => Promise<Response> | Response

/** What every call takes. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** How long this call may take, retries included, in milliseconds, instead of the client's `timeoutMs`. */
  timeoutMs?: number | undefined
}
