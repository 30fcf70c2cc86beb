import { type Api, data } from './api.ts'
import type { CallOptions } from './options.ts'
import { allItems } from './pages.ts'
import type { ApiKey, ApiKeyCreate, ApiKeyCreated, Page, Query, User, UserMeUpdate } from './types.ts'

/** The person behind the credentials, and their API keys. */
export interface UserCalls {
  /**
   * Show me.
   *
   * Gives the person behind the credentials.
   */
  me(options?: CallOptions): Promise<User>
  /**
   * Change me.
   *
   * Changes what a person may change of themselves.
   */
  updateMe(changes: UserMeUpdate, options?: CallOptions): Promise<User>
  /**
   * List my API keys.
   *
   * Newest first, without the keys themselves. Revoked and expired keys are gone.
   *
   * @remarks
   * One page; `listAllApiKeys` follows them.
   */
  listApiKeys(query?: Query<'listApiKeys'>, options?: CallOptions): Promise<Page<ApiKey>>
  /** All my keys. `limit` is the size of a page. */
  listAllApiKeys(query?: Query<'listApiKeys'>, options?: CallOptions): AsyncGenerator<ApiKey, void, undefined>
  /**
   * Create an API key.
   *
   * The answer holds the key, this once. The scope `jobs:work` can be given by people with the role WORKER or ADMIN
   * only. A key never has the rights of an admin beyond its scopes.
   *
   * @remarks
   * Not repeated after a lost answer, which may leave a key that nobody knows.
   */
  createApiKey(key: ApiKeyCreate, options?: CallOptions): Promise<ApiKeyCreated>
  /**
   * Revoke an API key.
   *
   * From now on the key opens nothing (within 30 seconds in every process of the service).
   *
   * Throws `api_key_not_found`.
   *
   * @remarks
   * After a lost answer the repetition may say `api_key_not_found`.
   */
  deleteApiKey(apiKeyId: string, options?: CallOptions): Promise<void>
}

export function userCalls(api: Api): UserCalls {
  const listApiKeys: UserCalls['listApiKeys'] = (query, options) =>
    data(api.http.GET('/api/users/me/api-keys', { params: { query }, ...api.with(options) }))

  return {
    listApiKeys,
    me: (options) => data(api.http.GET('/api/users/me', api.with(options))),
    updateMe: (changes, options) => data(api.http.PATCH('/api/users/me', { body: changes, ...api.with(options) })),
    listAllApiKeys: (query, options) => allItems((cursor) => listApiKeys({ ...query, cursor }, options), query?.cursor),
    createApiKey: (key, options) => data(api.http.POST('/api/users/me/api-keys', { body: key, ...api.with(options) })),
    deleteApiKey: (apiKeyId, options) =>
      data(
        api.http.DELETE('/api/users/me/api-keys/{apiKeyId}', { params: { path: { apiKeyId } }, ...api.with(options) }),
      ),
  }
}
