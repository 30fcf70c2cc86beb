import { setTimeout as sleep } from 'node:timers/promises'
import { type AuditLog, anonymous, type Origin } from '../audit/audit-log.ts'
import type { Sql } from '../db/sql.ts'
import type { OutboxStore } from '../mail/outbox-store.ts'
import type { UserStore } from '../users/user-store.ts'
import type { PasswordResets } from './password-resets.ts'
import { type SignInLimits, tooManyAttempts } from './sign-in-limits.ts'

export interface RecoveryServiceDeps {
  sql: Sql
  users: Pick<UserStore, 'lockRecoverable'>
  resets: Pick<PasswordResets, 'countRecentMails'>
  limits: Pick<SignInLimits, 'askForRecovery'>
  outbox: Pick<OutboxStore, 'insert'>
  audit: AuditLog
  /** What everybody waits for at least. */
  pause?: (() => Promise<unknown>) | undefined
}

const mailsPerHour = 3
/** Longer than the work takes. */
const answerMs = 250

/** A way back in for people who have lost their password. */
export const recoveryService = (deps: RecoveryServiceDeps) => {
  const { sql, users, resets, limits, outbox, audit, pause = () => sleep(answerMs) } = deps

  const mailLink = (reference: string, origin: Origin) =>
    sql.begin(async (tx) => {
      const user = await users.lockRecoverable(reference, tx)
      if (!user || (await resets.countRecentMails(user.id, tx)) >= mailsPerHour) return
      await outbox.insert({ template: 'recovery', recipient: user.email, userId: user.id, data: {} }, tx)
      await audit.record({ action: 'recovery_requested', actor: anonymous(origin), userId: user.id }, tx)
    })

  return {
    /** By id or email. Says nothing about whether there is such a person, not even by how long it takes. */
    async request(reference: string, origin: Origin): Promise<void> {
      const block = await limits.askForRecovery(origin.address)
      if (block) throw tooManyAttempts(block)
      await Promise.all([mailLink(reference, origin), pause()])
    },
  }
}

export type RecoveryService = ReturnType<typeof recoveryService>
