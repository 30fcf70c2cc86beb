import { type Api, data } from './api.ts'
import type { CallOptions } from './options.ts'
import { allItems } from './pages.ts'
import type { ApiKey, ApiKeyCreate, ApiKeyCreated, Page, Query, User, UserMeUpdate } from './types.ts'

/** The person behind the credentials, and their API keys. */
export interface UserCalls {
  /** The person behind the credentials. */
  me(options?: CallOptions): Promise<User>
  /** Changes what a person may change of themselves. */
  updateMe(changes: UserMeUpdate, options?: CallOptions): Promise<User>
  /** One page of my keys. */
  listApiKeys(query?: Query<'listApiKeys'>, options?: CallOptions): Promise<Page<ApiKey>>
  /** All my keys. `limit` is the size of a page. */
  listAllApiKeys(query?: Query<'listApiKeys'>, options?: CallOptions): AsyncGenerator<ApiKey, void, undefined>
  /** Makes a key. `key` is shown this once. Not repeated after a lost answer, which may leave a key that nobody knows. */
  createApiKey(key: ApiKeyCreate, options?: CallOptions): Promise<ApiKeyCreated>
  /** Revokes a key. */
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
