import type { Api } from './api.ts'
import type { Authentication } from './authentication.ts'
import type { CallOptions } from './options.ts'
import type {
  ApiKey,
  ApiKeyCreate,
  ApiKeyCreated,
  Page,
  PasswordChange,
  Query,
  Session,
  User,
  UserCreate,
  UserMeUpdate,
  UserUpdate,
} from './types.ts'

/** People, with their sessions and API keys. A person sees to their own account, an admin to all. */
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
   * Delete me.
   *
   * Ends my sessions and API keys, withdraws my wishes for jobs that are not over, and frees my email. My polygons and
   * what my jobs made stay, for admins. The last admin cannot go.
   *
   * Throws `last_admin`.
   *
   * @remarks
   * Forgets the tokens. Not repeated after a lost answer.
   */
  deleteMe(options?: CallOptions): Promise<void>
  /**
   * Change my password.
   *
   * Asks for the present one. Ends all my other sessions, and tells me by mail.
   *
   * Throws `wrong_password`, `too_many_attempts`.
   *
   * @remarks
   * A client that was given `credentials` goes on with its session, and cannot sign in again after it. Not repeated after a lost answer.
   */
  changePassword(change: PasswordChange, options?: CallOptions): Promise<void>
  /**
   * List my sessions.
   *
   * Where I am signed in, newest first. Sessions that are over are gone.
   *
   * @remarks
   * One page; `listAllSessions` follows them.
   */
  listSessions(query?: Query<'listSessions'>, options?: CallOptions): Promise<Page<Session>>
  /** All my sessions. `limit` is the size of a page. */
  listAllSessions(query?: Query<'listSessions'>, options?: CallOptions): AsyncGenerator<Session, void, undefined>
  /**
   * End one of my sessions.
   *
   * Its access token stops working at once, or within 30 seconds where several processes serve.
   *
   * Throws `session_not_found`.
   */
  deleteSession(sessionId: string, options?: CallOptions): Promise<void>
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
   * alone, `regions:write` and `email:send` by admins alone. A key never has the rights of an admin beyond its scopes.
   *
   * @remarks
   * Not repeated after a lost answer, which may leave a key that nobody knows.
   */
  createApiKey(key: ApiKeyCreate, options?: CallOptions): Promise<ApiKeyCreated>
  /**
   * Revoke an API key.
   *
   * It stops working at once, or within 30 seconds where several processes serve.
   *
   * Throws `api_key_not_found`.
   *
   * @remarks
   * After a lost answer the repetition may say `api_key_not_found`.
   */
  deleteApiKey(apiKeyId: string, options?: CallOptions): Promise<void>

  /**
   * List people.
   *
   * Newest first, without those who are deleted.
   */
  list(query?: Query<'listUsers'>, options?: CallOptions): Promise<Page<User>>
  /** Everybody, newest first. `limit` is the size of a page. For admins. */
  listAll(query?: Query<'listUsers'>, options?: CallOptions): AsyncGenerator<User, void, undefined>
  /**
   * Create a person.
   *
   * Without a `password` the person gets a mail with a link that sets one. Welcomes them by mail either way.
   *
   * Throws `email_taken`.
   *
   * @remarks
   * Not repeated after a lost answer.
   */
  create(user: UserCreate, options?: CallOptions): Promise<User>
  /**
   * Show a person.
   *
   * By id, or by email. A person may look at themselves; an admin at everyone.
   *
   * Throws `user_not_found`.
   */
  get(userId: string, options?: CallOptions): Promise<User>
  /**
   * Change a person.
   *
   * Roles are given and taken by admins alone; USER is everyone's. The last admin stays one.
   *
   * Throws `user_not_found`, `last_admin`.
   */
  update(userId: string, changes: UserUpdate, options?: CallOptions): Promise<User>
  /**
   * Delete a person.
   *
   * Ends their sessions and API keys, withdraws their wishes for jobs that are not over, and frees their email. Their
   * polygons and what their jobs made stay, for admins. The last admin cannot be deleted.
   *
   * Throws `user_not_found`, `last_admin`.
   */
  delete(userId: string, options?: CallOptions): Promise<void>
  /**
   * Send a person a way back in.
   *
   * The same as asking for it oneself, by id or email. The answer is the same whether there is such an account or not.
   *
   * Throws `too_many_attempts`.
   */
  recoverPassword(userId: string, options?: CallOptions): Promise<void>
  /**
   * List a person's API keys.
   *
   * Newest first, without the keys themselves. Revoked and expired keys are gone.
   *
   * Throws `user_not_found`.
   */
  listApiKeysOf(userId: string, query?: Query<'listUserApiKeys'>, options?: CallOptions): Promise<Page<ApiKey>>
  /** All keys of a person. `limit` is the size of a page. For admins. */
  listAllApiKeysOf(
    userId: string,
    query?: Query<'listUserApiKeys'>,
    options?: CallOptions,
  ): AsyncGenerator<ApiKey, void, undefined>
  /**
   * Revoke a person's API key.
   *
   * It stops working at once, or within 30 seconds where several processes serve.
   *
   * Throws `api_key_not_found`, `user_not_found`.
   */
  deleteApiKeyOf(userId: string, apiKeyId: string, options?: CallOptions): Promise<void>
}

export function userCalls({ operation, once, items }: Api, { forget }: Authentication): UserCalls {
  // Repeated after it was done, it would be refused, and look as if it had not been.
  const deleteMe = once('delete', '/api/users/me')

  return {
    me: operation('get', '/api/users/me'),
    updateMe: operation('patch', '/api/users/me', 'body'),
    deleteMe: (options) => deleteMe(options).then(forget),
    // Repeated after it was done, it would be refused for the old password.
    changePassword: once('put', '/api/users/me/password', 'body'),
    listSessions: operation('get', '/api/users/me/sessions', 'query'),
    listAllSessions: items('/api/users/me/sessions'),
    deleteSession: operation('delete', '/api/users/me/sessions/{sessionId}'),
    listApiKeys: operation('get', '/api/users/me/api-keys', 'query'),
    listAllApiKeys: items('/api/users/me/api-keys'),
    createApiKey: operation('post', '/api/users/me/api-keys', 'body'),
    deleteApiKey: operation('delete', '/api/users/me/api-keys/{apiKeyId}'),

    list: operation('get', '/api/users', 'query'),
    listAll: items('/api/users'),
    create: operation('post', '/api/users', 'body'),
    get: operation('get', '/api/users/{userId}'),
    update: operation('patch', '/api/users/{userId}', 'body'),
    delete: operation('delete', '/api/users/{userId}'),
    recoverPassword: operation('post', '/api/users/{userId}/recover-password'),
    listApiKeysOf: operation('get', '/api/users/{userId}/api-keys', 'query'),
    listAllApiKeysOf: items('/api/users/{userId}/api-keys'),
    deleteApiKeyOf: operation('delete', '/api/users/{userId}/api-keys/{apiKeyId}'),
  }
}
