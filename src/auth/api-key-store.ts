import type { Sql, Tx } from '../db/sql.ts'
import type { Role, Scope } from './caller.ts'

export interface ApiKeyRow {
  id: string
  name: string
  scopes: Scope[]
  prefix: string
  createdAt: Date
  expiresAt: Date | null
  lastUsedAt: Date | null
}

export interface NewApiKey {
  id: string
  userId: string
  name: string
  scopes: Scope[]
  prefix: string
  keyHash: Buffer
  expiresAt: string | null
}

export interface ApiKeyHolder {
  id: string
  userId: string
  roles: Role[]
  scopes: Scope[]
  isLive: boolean
  /** What is left of its time, by the database's clock. */
  leftMs: number | null
}

export const apiKeyStore = (sql: Sql) => {
  const columns = sql`id, name, scopes, prefix, created_at, expires_at, last_used_at`

  return {
    /** `undefined` if the very same key is there already. */
    async insert(
      { id, userId, name, scopes, prefix, keyHash, expiresAt }: NewApiKey,
      tx: Tx = sql,
    ): Promise<ApiKeyRow | undefined> {
      const [row] = await tx<ApiKeyRow[]>`
        insert into api_keys (id, user_id, name, scopes, prefix, key_hash, expires_at)
        values (${id}, ${userId}, ${name}, ${scopes}, ${prefix}, ${keyHash}, ${expiresAt})
        on conflict on constraint api_keys_hash_unique do nothing
        returning ${columns}
      `
      return row
    },

    /** The keys that still open something, newest first. */
    async page(userId: string, limit: number, beforeId: string | undefined): Promise<ApiKeyRow[]> {
      return sql<ApiKeyRow[]>`
        select ${columns}
        from api_keys
        where user_id = ${userId}
          and revoked_at is null
          and (expires_at is null or expires_at > now())
          and ${beforeId ? sql`id < ${beforeId}` : sql`true`}
        order by id desc
        limit ${limit}
      `
    },

    async revoke(id: string, userId: string, tx: Tx): Promise<boolean> {
      const { count } = await tx`
        update api_keys
        set revoked_at = now()
        where id = ${id} and user_id = ${userId} and revoked_at is null
      `
      return count > 0
    },

    async revokeAll(userId: string, tx: Tx): Promise<void> {
      await tx`update api_keys set revoked_at = now() where user_id = ${userId} and revoked_at is null`
    },

    /** Whose key this is. Notes its use, to the minute, so that a busy key does not write on every request. */
    async findHolder(keyHash: Buffer): Promise<ApiKeyHolder | undefined> {
      const [row] = await sql<ApiKeyHolder[]>`
        with used as (
          update api_keys
          set last_used_at = now()
          where key_hash = ${keyHash} and (last_used_at is null or last_used_at < now() - interval '1 minute')
        )
        select
          k.id,
          k.user_id,
          u.roles,
          k.scopes,
          extract(epoch from k.expires_at - now())::float8 * 1000 as left_ms,
          k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) and u.deleted_at is null as is_live
        from api_keys k
        join users u on u.id = k.user_id
        where k.key_hash = ${keyHash}
      `
      return row
    },
  }
}

export type ApiKeyStore = ReturnType<typeof apiKeyStore>
