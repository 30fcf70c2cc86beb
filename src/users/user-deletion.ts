import type { Actor, AuditLog } from '../audit/audit-log.ts'
import type { ApiKeyStore } from '../auth/api-key-store.ts'
import type { PasswordResets } from '../auth/password-resets.ts'
import type { SessionStore } from '../auth/session-store.ts'
import type { Sql } from '../db/sql.ts'
import type { Log } from '../log.ts'
import { assertNotLastAdmin, ofTheService, userNotFound } from './user-service.ts'
import type { UserStore } from './user-store.ts'

export interface UserDeletionDeps {
  sql: Sql
  users: Pick<UserStore, 'lock' | 'lockAdmins' | 'delete'>
  sessions: Pick<SessionStore, 'revokeAll'>
  apiKeys: Pick<ApiKeyStore, 'revokeAll'>
  resets: Pick<PasswordResets, 'voidAll'>
  audit: AuditLog
  log: Log
  /** Takes back what a person who is deleted still waits for. */
  withdrawWishes(userId: string): Promise<unknown>
  /** Called when the rights of a person have changed, so that nobody goes by what they were. */
  onAccessChanged(userId: string): void
}

/** The end of an account. The row stays, since what the person made does. */
export const userDeletion = (deps: UserDeletionDeps) => {
  const { sql, users, sessions, apiKeys, resets, audit, log, withdrawWishes, onAccessChanged } = deps

  return {
    /**
     * The person is gone when this commits. Their wishes are withdrawn after it, one job at a time: that may be many, each with locks of
     * its own, and a chore does what is left, as it does for a wish that arrives together with the deletion.
     */
    async delete(reference: string, actor: Actor): Promise<void> {
      const userId = await sql.begin(async (tx) => {
        const admins = await users.lockAdmins(tx)
        const user = await users.lock(reference, tx)
        if (!user) throw userNotFound(reference)
        if (user.isService) throw ofTheService()
        assertNotLastAdmin(user.id, admins)
        await users.delete(user.id, tx)
        await sessions.revokeAll(user.id, undefined, tx)
        await apiKeys.revokeAll(user.id, tx)
        await resets.voidAll(user.id, tx)
        await audit.record({ action: 'user_deleted', actor, userId: user.id }, tx)
        return user.id
      })
      onAccessChanged(userId)
      await withdrawWishes(userId).catch((error: unknown) => {
        log.warn('wishes of a deleted person not withdrawn yet', { userId, error })
      })
    },
  }
}

export type UserDeletion = ReturnType<typeof userDeletion>
