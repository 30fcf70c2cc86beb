import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import type { Actor, AuditLog } from '../audit/audit-log.ts'
import type { Sql } from '../db/sql.ts'
import { AppError, invalidRequest } from '../errors.ts'
import { type PageQuery, pageOf, startOf } from '../page.ts'
import type { ApiKeyRow, ApiKeyStore } from './api-key-store.ts'
import type { Caller, Role, Scope } from './caller.ts'
import { hashSecret, newSecret } from './secrets.ts'

type Schemas = components['schemas']

export interface ApiKeyServiceDeps {
  sql: Sql
  apiKeys: ApiKeyStore
  audit: AuditLog
  /** Called when a key has ended, so that nobody goes on remembering it. */
  onKeyRevoked(apiKeyId: string): void
}

/** The last instant that RFC 3339 can write in UTC. */
const latest = Date.parse('9999-12-31T23:59:59.999Z')

/** Nobody hands on a right that they do not have. */
const givers: Partial<Record<Scope, readonly Role[]>> = {
  'jobs:work': ['WORKER', 'ADMIN'],
  'regions:write': ['ADMIN'],
  'email:send': ['ADMIN'],
}

export const apiKeyService = ({ sql, apiKeys, audit, onKeyRevoked }: ApiKeyServiceDeps) => ({
  async create(
    owner: Pick<Caller, 'userId' | 'roles'>,
    input: Schemas['ApiKeyCreate'],
    actor: Actor,
  ): Promise<Schemas['ApiKeyCreated']> {
    const { name, scopes, expiresAt } = input
    for (const scope of scopes) assertMayGive(scope, owner.roles)
    if (expiresAt && Date.parse(expiresAt) <= Date.now()) throw invalidRequest('/expiresAt', 'That is in the past.')
    if (expiresAt && Date.parse(expiresAt) > latest) throw invalidRequest('/expiresAt', 'That is after the year 9999.')
    const key = newSecret('fs_')
    const { userId } = owner
    const kept = { id: uuid(), userId, name, scopes, ...keptOf(key), expiresAt: expiresAt ?? null }
    const row = await sql.begin(async (tx) => {
      const details = { apiKeyId: kept.id, scopes }
      await audit.record({ action: 'api_key_created', actor, userId, details }, tx)
      return apiKeys.insert(kept, tx)
    })
    return { ...toApiKey(row!), key }
  },

  /** Makes a key known that was made elsewhere. Known already, it stays as it is: revoked stays revoked. */
  async adopt(userId: string, key: string, name: string, scopes: Scope[]): Promise<void> {
    await sql.begin(async (tx) => {
      const row = await apiKeys.insert({ id: uuid(), userId, name, scopes, ...keptOf(key), expiresAt: null }, tx)
      const details = { apiKeyId: row?.id, scopes }
      if (row) await audit.record({ action: 'api_key_created', actor: { kind: 'system' }, userId, details }, tx)
    })
  },

  /** The keys of this person, who is there. */
  async list(ownerId: string, query: PageQuery): Promise<Schemas['ApiKeyPage']> {
    const rows = await apiKeys.page(ownerId, query.limit + 1, startOf(query))
    return pageOf(rows, query.limit, toApiKey)
  },

  /** Whether the actor may take away this person's keys is asked before. */
  async revoke(ownerId: string, apiKeyId: string, actor: Actor): Promise<void> {
    const isRevoked = await sql.begin(async (tx) => {
      if (!(await apiKeys.revoke(apiKeyId, ownerId, tx))) return false
      await audit.record({ action: 'api_key_revoked', actor, userId: ownerId, details: { apiKeyId } }, tx)
      return true
    })
    if (!isRevoked) throw new AppError('api_key_not_found', `There is no API key ${apiKeyId} to revoke.`)
    onKeyRevoked(apiKeyId)
  },
})

export type ApiKeyService = ReturnType<typeof apiKeyService>

function assertMayGive(scope: Scope, roles: readonly Role[]): void {
  const who = givers[scope]
  if (who && !who.some((role) => roles.includes(role)))
    throw new AppError('forbidden', `Only people with the role ${who.join(' or ')} can give the scope ${scope}.`)
}

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
