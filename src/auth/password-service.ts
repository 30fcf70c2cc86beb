import type { components } from '../../generated/types.ts'
import { type Actor, type AuditLog, actorOf, anonymous, type Origin } from '../audit/audit-log.ts'
import type { Sql, Tx } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import type { OutboxStore } from '../mail/outbox-store.ts'
import type { UserRow, UserStore } from '../users/user-store.ts'
import type { Caller } from './caller.ts'
import type { PasswordResets } from './password-resets.ts'
import { assertGoodPassword } from './password-rules.ts'
import { hashPassword, verifyPassword } from './passwords.ts'
import type { SessionStore } from './session-store.ts'
import type { SignInGate } from './sign-in-gate.ts'
import type { SignInLimits } from './sign-in-limits.ts'

type Schemas = components['schemas']

export interface PasswordServiceDeps {
  sql: Sql
  users: Pick<UserStore, 'find' | 'lock' | 'setPassword'>
  sessions: Pick<SessionStore, 'revokeAll'>
  resets: PasswordResets
  limits: Pick<SignInLimits, 'clear'>
  gate: SignInGate
  outbox: Pick<OutboxStore, 'insert'>
  audit: AuditLog
  /** Called when sessions of a person have ended, so that nobody goes on remembering them. */
  onAccessChanged(userId: string): void
}

interface NewPassword {
  passwordHash: string
  action: 'password_changed' | 'password_reset'
  actor: Actor
  /** The session that goes on. */
  keptSessionId?: string | undefined
}

/** How a person comes to another password. */
export const passwordService = (deps: PasswordServiceDeps) => {
  const { sql, users, sessions, resets, limits, gate, outbox, audit, onAccessChanged } = deps

  /** All that goes with another password: whoever got in by the old one is out, and the person hears of it. */
  async function replace({ id: userId, email }: UserRow, password: NewPassword, tx: Tx): Promise<void> {
    const { passwordHash, action, actor, keptSessionId } = password
    await users.setPassword(userId, passwordHash, tx)
    await sessions.revokeAll(userId, keptSessionId, tx)
    await resets.voidAll(userId, tx)
    await limits.clear(email, tx)
    const data = { changedAt: new Date().toISOString() }
    await outbox.insert({ template: 'password-changed', recipient: email, userId, data }, tx)
    await audit.record({ action, actor, userId }, tx)
  }

  return {
    /** Says the same whatever is wrong with the token. A password that will not do leaves the token as it was. */
    async reset({ token, password }: Schemas['ResetPasswordRequest'], origin: Origin): Promise<void> {
      const actor = anonymous(origin)
      const userId = await gate.pass({ address: origin.address, actor, userId: undefined }, async () => {
        const owner = await resets.findOwner(token)
        if (!owner) return undefined
        await assertGoodPassword(password, owner.email, '/password')
        const passwordHash = await hashPassword(password)
        return sql.begin(async (tx) => {
          // The person is locked first, here as everywhere; the token is asked again, since others may have used it meanwhile.
          const user = await users.lock(owner.id, tx)
          if (!user || !(await resets.use(token, tx))) return undefined
          await replace(user, { passwordHash, action: 'password_reset', actor }, tx)
          return user.id
        })
      })
      if (!userId) throw new AppError('invalid_reset_token', 'This link has been used or has expired. Ask for another.')
      onAccessChanged(userId)
    },

    async change(caller: Caller, input: Schemas['PasswordChange'], origin: Origin): Promise<void> {
      const { currentPassword, newPassword } = input
      const { userId } = caller
      const before = await users.find(userId)
      if (!before) throw new AppError('unauthenticated', 'This account is gone.')
      await assertGoodPassword(newPassword, before.email, '/newPassword')
      const actor = actorOf(caller, origin)
      const attempt = { email: before.email, address: origin.address, actor, userId }
      const isChanged = await gate.pass(attempt, async () => {
        if (!(await verifyPassword(currentPassword, before.passwordHash))) return undefined
        const passwordHash = await hashPassword(newPassword)
        return sql.begin(async (tx) => {
          const user = await users.lock(userId, tx)
          // It was right a moment ago, and is not any more.
          if (user?.passwordHash !== before.passwordHash) return undefined
          const keptSessionId = caller.sessionId
          await replace(user, { passwordHash, action: 'password_changed', actor, keptSessionId }, tx)
          return true
        })
      })
      if (!isChanged) {
        await audit.record({ action: 'password_refused', actor, userId })
        throw new AppError('wrong_password', 'This is not your present password.')
      }
      onAccessChanged(userId)
    },
  }
}

export type PasswordService = ReturnType<typeof passwordService>
