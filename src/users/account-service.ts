import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import { type Actor, type AuditLog, anonymous, type Origin } from '../audit/audit-log.ts'
import { assertGoodPassword } from '../auth/password-rules.ts'
import { hashPassword } from '../auth/passwords.ts'
import { type SignInLimits, tooManyAttempts } from '../auth/sign-in-limits.ts'
import type { Sql } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import type { OutboxStore } from '../mail/outbox-store.ts'
import { withUser } from './roles.ts'
import { type NewUser, toUser, type User, type UserRow, type UserStore } from './user-store.ts'

type Schemas = components['schemas']

export interface AccountServiceDeps {
  sql: Sql
  users: Pick<UserStore, 'insert'>
  outbox: Pick<OutboxStore, 'insert'>
  audit: AuditLog
  limits: Pick<SignInLimits, 'register'>
  isRegistrationOpen: boolean
}

/** How people come to an account. */
export const accountService = ({ sql, users, outbox, audit, limits, isRegistrationOpen }: AccountServiceDeps) => {
  /** The account, its welcome and its record, or nothing of it. Without a password the mail carries a way to one. */
  async function open(
    { password, ...user }: Omit<NewUser, 'id' | 'passwordHash'> & { password?: string | undefined },
    recordOf: (row: UserRow) => Parameters<AuditLog['record']>[0],
  ): Promise<UserRow> {
    if (password !== undefined) await assertGoodPassword(password, user.email, '/password')
    const passwordHash = password === undefined ? undefined : await hashPassword(password)
    return sql.begin(async (tx) => {
      const row = await users.insert({ ...user, id: uuid(), passwordHash }, tx)
      if (!row) throw new AppError('email_taken', 'User already exists')
      const data = { needsPassword: password === undefined }
      await outbox.insert({ template: 'welcome', recipient: row.email, userId: row.id, data }, tx)
      await audit.record(recordOf(row), tx)
      return row
    })
  }

  return {
    async register(
      { email, password, name }: Schemas['RegisterRequest'],
      origin: Origin,
    ): Promise<Schemas['Registration']> {
      if (!isRegistrationOpen) throw new AppError('registration_closed', 'Ask an administrator for an account.')
      // Before the password is hashed, which is what a flood would be for.
      const block = await limits.register(origin.address)
      if (block) throw tooManyAttempts(block)
      const { id: userId } = await open({ email, password, name }, ({ id }) => ({
        action: 'registered',
        actor: anonymous(origin),
        userId: id,
      }))
      return { userId }
    },

    async create({ roles = [], ...input }: Schemas['UserCreate'], actor: Actor): Promise<User> {
      const row = await open({ ...input, roles: withUser(roles) }, (made) => ({
        action: 'user_created',
        actor,
        userId: made.id,
        details: { roles: made.roles },
      }))
      return toUser(row)
    },
  }
}

export type AccountService = ReturnType<typeof accountService>
