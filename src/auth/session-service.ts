import type { components } from '../../generated/types.ts'
import { type AuditLog, actorOf, type Origin } from '../audit/audit-log.ts'
import type { Sql } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import { type PageQuery, pageOf, startOf } from '../page.ts'
import type { Caller } from './caller.ts'
import type { SessionListRow, SessionStore } from './session-store.ts'

type Schemas = components['schemas']

export interface SessionServiceDeps {
  sql: Sql
  sessions: SessionStore
  audit: AuditLog
  /** Called when a session has ended, so that nobody goes on remembering it. */
  onSessionEnded(sessionId: string): void
  /** The same for all sessions of a person. */
  onAccessChanged(userId: string): void
}

/** Where a person is signed in. */
export const sessionService = ({ sql, sessions, audit, onSessionEnded, onAccessChanged }: SessionServiceDeps) => {
  async function end(caller: Caller, sessionId: string, action: 'signed_out' | 'session_ended', origin: Origin) {
    const { userId } = caller
    const isEnded = await sql.begin(async (tx) => {
      if (!(await sessions.revoke(sessionId, userId, tx))) return false
      await audit.record({ action, actor: actorOf(caller, origin), userId, details: { sessionId } }, tx)
      return true
    })
    onSessionEnded(sessionId)
    return isEnded
  }

  return {
    async list(caller: Caller, query: PageQuery): Promise<Schemas['SessionPage']> {
      const rows = await sessions.page(caller.userId, query.limit + 1, startOf(query))
      return pageOf(rows, query.limit, (row) => toSession(row, caller))
    },

    /** One of the caller's own. */
    async end(caller: Caller, sessionId: string, origin: Origin): Promise<void> {
      if (await end(caller, sessionId, 'session_ended', origin)) return
      throw new AppError('session_not_found', `You have no session ${sessionId}.`)
    },

    /** The one that the caller has come with. */
    async logout(caller: Caller, origin: Origin): Promise<void> {
      if (!caller.sessionId) throw new AppError('forbidden', 'Only a session can be signed out.')
      await end(caller, caller.sessionId, 'signed_out', origin)
    },

    async logoutAll(caller: Caller, origin: Origin): Promise<void> {
      const { userId, sessionId } = caller
      if (!sessionId) throw new AppError('forbidden', 'This session is kept elsewhere, and ends there.')
      await sql.begin(async (tx) => {
        await sessions.revokeAll(userId, undefined, tx)
        await audit.record({ action: 'signed_out_everywhere', actor: actorOf(caller, origin), userId }, tx)
      })
      onAccessChanged(userId)
    },
  }
}

export type SessionService = ReturnType<typeof sessionService>

const toSession = (row: SessionListRow, caller: Caller): Schemas['Session'] => ({
  id: row.id,
  createdAt: row.createdAt.toISOString(),
  lastUsedAt: row.lastUsedAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
  isCurrent: row.id === caller.sessionId,
  ...(row.address !== null && { address: row.address }),
  ...(row.userAgent !== null && { userAgent: row.userAgent }),
})
