import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import { AppError, invalidRequest } from '../errors.ts'
import { type PageQuery, pageOf, startOf } from '../page.ts'
import type { ApiKeyRow, ApiKeyStore } from './api-key-store.ts'
import type { Caller, Scope } from './caller.ts'
import { hashSecret, newSecret } from './secrets.ts'

type Schemas = components['schemas']

export interface ApiKeyServiceDeps {
  apiKeys: ApiKeyStore
  /** Called when a key has ended, so that nobody goes on remembering it. */
  onKeyRevoked(apiKeyId: string): void
}

/** The last instant that RFC 3339 can write in UTC. */
const latest = Date.parse('9999-12-31T23:59:59.999Z')

export const apiKeyService = ({ apiKeys, onKeyRevoked }: ApiKeyServiceDeps) => ({
  /** Nobody hands on a right that they do not have: taking jobs is for workers and admins. */
  async create(
    caller: Pick<Caller, 'userId' | 'roles'>,
    input: Schemas['ApiKeyCreate'],
  ): Promise<Schemas['ApiKeyCreated']> {
    const { name, scopes, expiresAt } = input
    if (scopes.includes('jobs:work') && !caller.roles.some((role) => role === 'WORKER' || role === 'ADMIN')) {
      throw new AppError('forbidden', 'Only people with the role WORKER or ADMIN can give the scope jobs:work.')
    }
    if (expiresAt && Date.parse(expiresAt) <= Date.now()) throw invalidRequest('/expiresAt', 'That is in the past.')
    if (expiresAt && Date.parse(expiresAt) > latest) throw invalidRequest('/expiresAt', 'That is after the year 9999.')
    const key = newSecret('fs_')
    const row = await apiKeys.insert({
      id: uuid(),
      userId: caller.userId,
      name,
      scopes: scopes as Scope[],
      ...keptOf(key),
      expiresAt: expiresAt ?? null,
    })
    return { ...toApiKey(row!), key }
  },

  /** Makes a key known that was made elsewhere. Known already, it stays as it is: revoked stays revoked. */
  async adopt(userId: string, key: string, name: string, scopes: Scope[]): Promise<void> {
    await apiKeys.insert({ id: uuid(), userId, name, scopes, ...keptOf(key), expiresAt: null })
  },

  async list(caller: Caller, query: PageQuery): Promise<Schemas['ApiKeyPage']> {
    const rows = await apiKeys.page(caller.userId, query.limit + 1, startOf(query))
    return pageOf(rows, query.limit, toApiKey)
  },

  async revoke(caller: Caller, apiKeyId: string): Promise<void> {
    if (!(await apiKeys.revoke(apiKeyId, caller.userId))) {
      throw new AppError('api_key_not_found', `You have no API key ${apiKeyId}.`)
    }
    onKeyRevoked(apiKeyId)
  },
})

export type ApiKeyService = ReturnType<typeof apiKeyService>

/** What we keep of a key. */
const keptOf = (key: string) => ({ prefix: key.slice(0, 7), keyHash: hashSecret(key) })

const toApiKey = ({ id, name, scopes, prefix, createdAt, expiresAt, lastUsedAt }: ApiKeyRow): Schemas['ApiKey'] => ({
  id,
  name,
  scopes,
  prefix,
  createdAt: createdAt.toISOString(),
  ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
  ...(lastUsedAt && { lastUsedAt: lastUsedAt.toISOString() }),
})
