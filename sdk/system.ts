import type { Api } from './api.ts'
import { ApiError } from './errors.ts'
import type { CallOptions } from './options.ts'
import type { Health, Readiness } from './types.ts'

/**
 * Health, this contract, and its documentation.
 *
 * @remarks
 * None of these needs credentials.
 */
export interface SystemCalls {
  /**
   * Get this contract.
   *
   * The OpenAPI document that all of this is made from.
   */
  contract(options?: CallOptions): Promise<Record<string, unknown>>
  /**
   * Ask whether the process lives.
   *
   * Asks nothing else.
   */
  live(options?: CallOptions): Promise<Health>
  /**
   * Ask whether the service is ready.
   *
   * Asks the database and the object store.
   *
   * @remarks
   * `status` is `unavailable` where one does not answer: that is an answer here, and no error. Asked once, never repeated.
   */
  ready(options?: CallOptions): Promise<Readiness>
}

export const systemCalls = ({ operation, http, with: withPolicy }: Api): SystemCalls => ({
  contract: operation('get', '/openapi.json'),
  live: operation('get', '/livez'),

  async ready(options) {
    const { data, error, response } = await http.GET('/readyz', withPolicy({ ...options, isRepeatable: false }))
    const readiness = data ?? error
    // "Not ready" is an answer here, and not a failure.
    if (readiness && 'checks' in readiness) return readiness
    throw new ApiError(response, error)
  },
})
