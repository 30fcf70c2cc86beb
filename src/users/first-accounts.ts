import { v7 as uuid } from 'uuid'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Role } from '../auth/caller.ts'
import { hashPassword } from '../auth/passwords.ts'
import type { Sql } from '../db/sql.ts'
import type { NewUser, UserRow, UserStore } from './user-store.ts'

export interface FirstAccountsDeps {
  sql: Sql
  users: Pick<UserStore, 'insert' | 'findByEmail' | 'hasAdmin'>
  audit: AuditLog
}

/** The accounts that the service makes itself when it starts. */
export const firstAccounts = ({ sql, users, audit }: FirstAccountsDeps) => {
  const insert = (user: Omit<NewUser, 'id'>): Promise<UserRow | undefined> =>
    sql.begin(async (tx) => {
      const row = await users.insert({ ...user, id: uuid() }, tx)
      if (!row) return undefined
      const { id: userId, roles } = row
      await audit.record({ action: 'user_created', actor: { kind: 'system' }, userId, details: { roles } }, tx)
      return row
    })

  return {
    /** An account with these roles, unless the email is taken already: by one with the roles, or by another one. */
    async createAccount(email: string, password: string, roles: Role[]): Promise<'created' | 'present' | 'other'> {
      const row = await users.findByEmail(email)
      if (row) return roles.every((role) => row.roles.includes(role)) ? 'present' : 'other'
      const made = await insert({ email, passwordHash: await hashPassword(password), roles })
      return made ? 'created' : this.createAccount(email, password, roles)
    },

    /**
     * An account that nobody can sign in to, for a program of ours. `undefined` if the email belongs to somebody else: whoever is there
     * in person, or has not all of these roles, must not be handed what the program does.
     */
    async ensureServiceAccount(email: string, name: string, roles: Role[]): Promise<string | undefined> {
      const row = (await users.findByEmail(email)) ?? (await insert({ email, name, roles, isService: true }))
      if (!row) return this.ensureServiceAccount(email, name, roles)
      return row.isService && roles.every((role) => row.roles.includes(role)) ? row.id : undefined
    },

    hasAdmin: () => users.hasAdmin(),
  }
}

export type FirstAccounts = ReturnType<typeof firstAccounts>
