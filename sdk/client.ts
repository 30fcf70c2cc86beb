import createFetchClient, { type Client as FetchClient } from 'openapi-fetch'
import { type AdminCalls, adminCalls } from './admin.ts'
import { apiOf } from './api.ts'
import { type AuthCalls, authCalls, refreshTokens, signIn } from './auth.ts'
import { type Authentication, fixedAuthentication, tokenFunctionAuthentication } from './authentication.ts'
import { type EmailCalls, emailCalls } from './email.ts'
import { hookCalls } from './hooks.ts'
import { type ImageCalls, imageCalls } from './images.ts'
import { type JobCalls, jobCalls } from './jobs.ts'
import { type NoteCalls, noteCalls } from './notes.ts'
import type { ClientOptions } from './options.ts'
import { type PolygonCalls, polygonCalls } from './polygons.ts'
import { publicPathTest } from './public-paths.ts'
import { type RegionCalls, regionCalls } from './regions.ts'
import { session } from './session.ts'
import { type SystemCalls, systemCalls } from './system.ts'
import { globalFetch } from './transfer.ts'
import { type TransferCalls, transferCalls } from './transfers.ts'
import { type Send, transport } from './transport.ts'
import type { paths } from './types.ts'
import { type UserCalls, userCalls } from './users.ts'
import { type WorkerCalls, workerCalls } from './worker.ts'

/**
 * The service, one namespace for each tag of its contract and one method for each operation.
 *
 * Every method rejects with `ApiError` when the service refuses, `ConnectionError` when no answer comes, `TimeoutError` when time is
 * up, and the signal's reason when that aborts. What is safe to repeat is repeated, with growing pauses.
 */
export interface Client {
  /** Registering, signing in and out, and the keys that verify our tokens. */
  readonly auth: AuthCalls
  /** People, with their sessions and API keys. A person sees to their own account, an admin to all. */
  readonly users: UserCalls
  /** Places that people draw. A person sees their own, an admin all. */
  readonly polygons: PolygonCalls
  /** What people write about polygons. */
  readonly notes: NoteCalls
  /** Photographs and pictures, kept byte for byte, on their own or with a polygon or a note. */
  readonly images: ImageCalls
  /** Named areas with versioned raster layers that assessments read. Admins write them. */
  readonly regions: RegionCalls
  /** Starting long jobs, following them, and fetching what they made. */
  readonly jobs: JobCalls
  /** What a worker does: claim a job, keep its lease, upload files, report the result. */
  readonly worker: WorkerCalls
  /** Mail to people. */
  readonly email: EmailCalls
  /** What the people who run the service look at. */
  readonly admin: AdminCalls
  /** Health, this contract, and its documentation. */
  readonly system: SystemCalls
  /** Files behind signed URLs. */
  readonly transfers: TransferCalls
  /**
   * The contract as openapi-fetch has it, with this client's credentials, retries and time limit: `{ data, error, response }` for every
   * path, and no `ApiError`. For raw responses and for what the namespaces do not offer.
   */
  readonly raw: FetchClient<paths>
}

/** Makes a client. Sends nothing yet. Throws a `TypeError` where more than one kind of credentials is given. */
export function createClient(options: ClientOptions): Client {
  const { baseUrl, retries = 3, timeoutMs = 30_000 } = options
  const fetch = options.fetch ?? globalFetch

  const http = createFetchClient<paths>({ baseUrl, fetch: (request) => send(request) })
  const authentication = authenticationOf(options, {
    signIn: (credentials) => signIn(api)(credentials),
    refresh: (refreshToken) => refreshTokens(api)({ refreshToken }),
  })
  const send: Send = transport({
    fetch,
    authentication,
    isPublic: publicPathTest(baseUrl),
    hooks: hookCalls(options),
    retries,
    timeoutMs,
  })
  const api = apiOf(http, send, timeoutMs, options.fetch)

  return {
    auth: authCalls(api, authentication),
    users: userCalls(api, authentication),
    polygons: polygonCalls(api),
    notes: noteCalls(api),
    images: imageCalls(api),
    regions: regionCalls(api),
    jobs: jobCalls(api),
    worker: workerCalls(api),
    email: emailCalls(api),
    admin: adminCalls(api),
    system: systemCalls(api),
    transfers: transferCalls(options.fetch),
    raw: http,
  }
}

function authenticationOf(
  { credentials, token, refreshToken, apiKey, onTokens }: ClientOptions,
  calls: Pick<Parameters<typeof session>[0], 'signIn' | 'refresh'>,
): Authentication {
  if (apiKey !== undefined) {
    if (credentials || token !== undefined || refreshToken !== undefined) {
      throw new TypeError('Give either an API key or a session, not both.')
    }
    return fixedAuthentication({ 'X-API-Key': apiKey })
  }
  if (typeof token === 'function') return tokenFunctionAuthentication(token)
  return session({ credentials, token, refreshToken, onTokens, ...calls })
}
