import type { Sql, Tx } from '../db/sql.ts'
import type { Role } from './caller.ts'

export interface SessionRow {
  userId: string
  roles: Role[]
  isLive: boolean
}

export interface NewSession {
  id: string
  userId: string
  tokenHash: Buffer
  address?: string | undefined
  userAgent?: string | undefined
}

/** A session as its person sees it. */
export interface SessionListRow {
  id: string
  createdAt: Date
  lastUsedAt: Date
  expiresAt: Date
  address: string | null
  userAgent: string | null
}

export interface RefreshTokenRow {
  sessionId: string
  userId: string
  /** False once the session is revoked or expired, or its person is gone. */
  isLive: boolean
  /** When the token was used for the first time, if it was. */
  usedAt: Date | null
  /** Whether that was so recently that this is a repetition of a lost reply. */
  isRecentlyUsed: boolean
}

const sessionDays = 30
const repetitionSeconds = 30
/** Each session takes the tokens of its whole life with it. */
const purgeBatch = 200

export const sessionStore = (sql: Sql) => ({
  async insert({ id, userId, tokenHash, address, userAgent }: NewSession, tx: Tx = sql): Promise<void> {
    await tx`
      with session as (
        insert into sessions (id, user_id, expires_at, address, user_agent)
        values (
          ${id}, ${userId}, now() + make_interval(days => ${sessionDays}), ${address ?? null}, ${userAgent ?? null}
        )
        returning id
      )
      insert into refresh_tokens (token_hash, session_id)
      select ${tokenHash}, id
      from session
    `
  },

  /** The session and its person, as they are now. */
  async find(id: string, userId: string): Promise<SessionRow | undefined> {
    const [row] = await sql<SessionRow[]>`
      select s.user_id, u.roles, s.revoked_at is null and s.expires_at > now() and u.deleted_at is null as is_live
      from sessions s
      join users u on u.id = s.user_id
      where s.id = ${id} and s.user_id = ${userId}
    `
    return row
  },

  /** The sessions that go on, newest first. */
  async page(userId: string, limit: number, beforeId: string | undefined): Promise<SessionListRow[]> {
    return sql<SessionListRow[]>`
      select id, created_at, last_used_at, expires_at, address, user_agent
      from sessions
      where user_id = ${userId}
        and revoked_at is null
        and expires_at > now()
        and ${beforeId ? sql`id < ${beforeId}` : sql`true`}
      order by id desc
      limit ${limit}
    `
  },

  /** `false` if the person has no such session, or it is over. */
  async revoke(id: string, userId: string, tx: Tx = sql): Promise<boolean> {
    const { count } = await tx`
      update sessions
      set revoked_at = now()
      where id = ${id} and user_id = ${userId} and revoked_at is null and expires_at > now()
    `
    return count > 0
  },

  /** All sessions of a person, but for one that is to go on. */
  async revokeAll(userId: string, exceptId: string | undefined, tx: Tx): Promise<void> {
    await tx`
      update sessions
      set revoked_at = now()
      where user_id = ${userId} and revoked_at is null and ${exceptId ? sql`id <> ${exceptId}` : sql`true`}
    `
  },

  /** Locks the token, so that two uses of it come one after the other. */
  async lockRefreshToken(tokenHash: Buffer, tx: Tx): Promise<RefreshTokenRow | undefined> {
    const [row] = await tx<RefreshTokenRow[]>`
      select
        t.session_id,
        s.user_id,
        s.revoked_at is null and s.expires_at > now() and u.deleted_at is null as is_live,
        t.used_at,
        coalesce(t.used_at > now() - make_interval(secs => ${repetitionSeconds}), false) as is_recently_used
      from refresh_tokens t
      join sessions s on s.id = t.session_id
      join users u on u.id = s.user_id
      where t.token_hash = ${tokenHash}
      for update of t
    `
    return row
  },

  async rotate(tokenHash: Buffer, successorHash: Buffer, sessionId: string, tx: Tx): Promise<void> {
    await tx`update refresh_tokens set used_at = now() where token_hash = ${tokenHash}`
    await tx`insert into refresh_tokens (token_hash, session_id) values (${successorHash}, ${sessionId})`
    await tx`
      update sessions
      set expires_at = now() + make_interval(days => ${sessionDays}), last_used_at = now()
      where id = ${sessionId}
    `
  },

  /** Forgets a batch of the sessions that ended long ago, and tells whether there may be more. */
  async purge(): Promise<boolean> {
    const { count } = await sql`
      delete from sessions
      where id in (
        select id
        from sessions
        where coalesce(revoked_at, expires_at) < now() - interval '30 days'
        limit ${purgeBatch}
        for update skip locked
      )
    `
    return count === purgeBatch
  },
})

export type SessionStore = ReturnType<typeof sessionStore>
