import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import type { Role } from '../auth/caller.ts'
import { hashPassword } from '../auth/passwords.ts'
import { AppError } from '../errors.ts'
import { toUser, type User, type UserStore } from './user-store.ts'

type UserMeUpdate = components['schemas']['UserMeUpdate']

export const userService = (users: UserStore) => ({
  async get(id: string): Promise<User> {
    const row = await users.find(id)
    if (!row) throw new AppError('unauthenticated', 'This account is gone.')
    return toUser(row)
  },

  async updateMe(id: string, { name }: UserMeUpdate): Promise<User> {
    const row = name === undefined ? await users.find(id) : await users.updateName(id, name)
    if (!row) throw new AppError('unauthenticated', 'This account is gone.')
    return toUser(row)
  },

  /** An account with these roles, unless the email is taken already: by one with the roles, or by another one. */
  async createAccount(email: string, password: string, roles: Role[]): Promise<'created' | 'present' | 'other'> {
    const row = await users.findByEmail(email)
    if (row) return roles.every((role) => row.roles.includes(role)) ? 'present' : 'other'
    const made = await users.insert({ id: uuid(), email, passwordHash: await hashPassword(password), roles })
    return made ? 'created' : this.createAccount(email, password, roles)
  },

  /**
   * An account that nobody can sign in to, for a program of ours. `undefined` if the email belongs to somebody else: who can sign in
   * there, or has not all of these roles, must not be handed what the program does.
   */
  async ensureServiceAccount(email: string, name: string, roles: Role[]): Promise<string | undefined> {
    const row = (await users.findByEmail(email)) ?? (await users.insert({ id: uuid(), email, name, roles }))
    if (!row) return this.ensureServiceAccount(email, name, roles)
    return row.passwordHash === null && roles.every((role) => row.roles.includes(role)) ? row.id : undefined
  },

  hasAdmin: () => users.hasAdmin(),
})

export type UserService = ReturnType<typeof userService>
