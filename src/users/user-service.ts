import type { components, operations } from '../../generated/types.ts'
import { type Actor, type AuditLog, actorOf, type Origin } from '../audit/audit-log.ts'
import { type Caller, isAdmin, type Role } from '../auth/caller.ts'
import { storableInstant } from '../db/instants.ts'
import type { Sql, Tx } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import { type PageQuery, pageOf, startOf } from '../page.ts'
import { areSameRoles, withUser } from './roles.ts'
import { toUser, type User, type UserChanges, type UserRow, type UserStore } from './user-store.ts'

type Schemas = components['schemas']
type UserQuery = PageQuery & Omit<NonNullable<operations['listUsers']['parameters']['query']>, keyof PageQuery>

export interface UserServiceDeps {
  sql: Sql
  users: UserStore
  audit: AuditLog
  /** Called when the rights of a person have changed, so that nobody goes by what they were. */
  onAccessChanged(userId: string): void
}

/** People as they are seen and changed, by themselves and by admins. Where one is named, it is by id or by email. */
export const userService = ({ sql, users, audit, onAccessChanged }: UserServiceDeps) => {
  async function record(before: UserRow, { roles, ...rest }: UserChanges, actor: Actor, tx: Tx): Promise<void> {
    const userId = before.id
    const isNews = (key: string) => rest[key as keyof typeof rest] !== before[key as keyof typeof rest]
    const fields = Object.keys(rest).filter(isNews)
    if (fields.length > 0) await audit.record({ action: 'user_updated', actor, userId, details: { fields } }, tx)
    if (!roles || areSameRoles(roles, before.roles)) return
    const details = { before: before.roles, after: roles }
    await audit.record({ action: 'roles_changed', actor, userId, details }, tx)
  }

  /** Admins are locked before anybody else is, so that no two of these wait for each other. */
  async function change(reference: string, changes: UserChanges, actor: Actor): Promise<UserRow> {
    const after = await sql.begin(async (tx) => {
      const admins = changes.roles ? await users.lockAdmins(tx) : []
      const before = await users.lock(reference, tx)
      if (!before) throw userNotFound(reference)
      if (changes.roles && !changes.roles.includes('ADMIN')) assertNotLastAdmin(before.id, admins)
      if (before.isService) throw ofTheService()
      await record(before, changes, actor, tx)
      return users.update(before.id, changes, tx)
    })
    if (changes.roles) onAccessChanged(after!.id)
    return after!
  }

  return {
    async me(caller: Caller): Promise<User> {
      const row = await users.find(caller.userId)
      if (!row) throw new AppError('unauthenticated', 'This account is gone.')
      return toUser(row)
    },

    async updateMe(caller: Caller, changes: Schemas['UserMeUpdate'], origin: Origin): Promise<User> {
      return toUser(await change(caller.userId, changes, actorOf(caller, origin)))
    },

    async list(query: UserQuery): Promise<Schemas['UserPage']> {
      const { limit, email, role, createdAfter, createdBefore } = query
      const rows = await users.page({
        emailPrefix: email,
        role,
        createdAfter: storableInstant(createdAfter),
        createdBefore: storableInstant(createdBefore),
        beforeId: startOf(query),
        limit: limit + 1,
      })
      return pageOf(rows, limit, toUser)
    },

    /** Whoever is no admin learns of nobody else, not even whether they are there. */
    async get(caller: Caller, reference: string): Promise<User> {
      if (!isAdmin(caller)) {
        const me = await this.me(caller)
        const isMe = [me.id, me.email.toLowerCase()].includes(reference.toLowerCase())
        if (!isMe) throw new AppError('forbidden', 'You may look at yourself alone.')
        return me
      }
      return toUser(await this.find(reference))
    },

    /** For those who may know of everybody. */
    async find(reference: string): Promise<UserRow> {
      const row = await users.findReferred(reference)
      if (!row) throw userNotFound(reference)
      return row
    },

    async update(reference: string, { roles, ...rest }: Schemas['UserUpdate'], actor: Actor): Promise<User> {
      return toUser(await change(reference, { ...rest, ...(roles && { roles: withUser(roles) }) }, actor))
    },

    /** Gives the roles as they are then. Throws `last_admin`. */
    async changeRoles(userId: string, roles: readonly Role[], actor: Actor): Promise<Role[]> {
      return (await change(userId, { roles: withUser(roles) }, actor)).roles
    },
  }
}

export type UserService = ReturnType<typeof userService>

export const userNotFound = (reference: string) => new AppError('user_not_found', `There is no person ${reference}.`)

export const ofTheService = () => new AppError('forbidden', 'This account belongs to the service itself.')

/** `admins` are all there are, locked. */
export function assertNotLastAdmin(userId: string, admins: readonly string[]): void {
  if (admins.length === 1 && admins[0] === userId)
    throw new AppError('last_admin', 'This is the last admin. Make somebody else one first.')
}
