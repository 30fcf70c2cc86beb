import { type Api, data } from './api.ts'
import { ApiError } from './errors.ts'
import type { CallOptions } from './options.ts'
import type { Health, Readiness } from './types.ts'

/** Health and the contract. None of these needs credentials. */
export interface SystemCalls {
  /** The OpenAPI document that the service was made from. */
  contract(options?: CallOptions): Promise<Record<string, unknown>>
  /** Whether the process lives. */
  live(options?: CallOptions): Promise<Health>
  /** Whether database and store answer. `status` is `unavailable` where one does not; asked once, never repeated. */
  ready(options?: CallOptions): Promise<Readiness>
}

export const systemCalls = (api: Api): SystemCalls => ({
  contract: (options) => data(api.http.GET('/openapi.json', api.with(options))),
  live: (options) => data(api.http.GET('/livez', api.with(options))),

  async ready(options) {
    const { data, error, response } = await api.http.GET('/readyz', api.with(options, { isRepeatable: false }))
    const readiness = data ?? error
    // "Not ready" is an answer here, and not a failure.
    if (readiness && 'checks' in readiness) return readiness
    throw new ApiError(response, error)
  },
})
