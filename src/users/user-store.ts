import type { components } from '../../generated/types.ts'
import type { Role } from '../auth/caller.ts'
import type { Sql, Tx } from '../db/sql.ts'

export type User = components['schemas']['User']

export interface UserRow {
  id: string
  email: string
  name: string | null
  roles: Role[]
  passwordHash: string | null
  isInMailingList: boolean
  isPluginUser: boolean
  wantsJobMail: boolean
  /** A program of ours, as which nobody signs in. */
  isService: boolean
  createdAt: Date
  updatedAt: Date
}

export interface NewUser {
  id: string
  email: string
  name?: string | undefined
  passwordHash?: string | undefined
  roles?: Role[] | undefined
  isInMailingList?: boolean | undefined
  isPluginUser?: boolean | undefined
  isService?: boolean | undefined
}

/** What is not named stays as it is. */
export interface UserChanges {
  name?: string | undefined
  roles?: Role[] | undefined
  isInMailingList?: boolean | undefined
  isPluginUser?: boolean | undefined
  wantsJobMail?: boolean | undefined
}

export interface UserFilter {
  emailPrefix?: string | undefined
  role?: Role | undefined
  createdAfter?: Date | undefined
  createdBefore?: Date | undefined
  beforeId?: string | undefined
  limit: number
}

const uuidPattern = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/** People who are there. Those who are deleted are found by nobody. */
export const userStore = (sql: Sql) => {
  const columns = sql`
    id, email, name, roles, password_hash, is_in_mailing_list, is_plugin_user, wants_job_mail, is_service, created_at, updated_at
  `
  /** What waits for a row keeps nobody from referring to it. */
  const locked = sql`for no key update`
  const is = (reference: string) =>
    uuidPattern.test(reference) ? sql`id = ${reference}` : sql`lower(email) = lower(${reference})`

  return {
    /** `undefined` if the email is taken. */
    async insert(user: NewUser, tx: Tx = sql): Promise<UserRow | undefined> {
      const { id, email, name, passwordHash, roles = ['USER'] } = user
      const { isInMailingList = false, isPluginUser = false, isService = false } = user
      const [row] = await tx<UserRow[]>`
        insert into users (id, email, name, password_hash, roles, is_in_mailing_list, is_plugin_user, is_service)
        values (
          ${id}, ${email}, ${name ?? null}, ${passwordHash ?? null}, ${roles},
          ${isInMailingList}, ${isPluginUser}, ${isService}
        )
        on conflict (lower(email)) where deleted_at is null do nothing
        returning ${columns}
      `
      return row
    },

    async findByEmail(email: string): Promise<UserRow | undefined> {
      const [row] = await sql<UserRow[]>`
        select ${columns}
        from users
        where lower(email) = lower(${email}) and deleted_at is null
      `
      return row
    },

    async find(id: string): Promise<UserRow | undefined> {
      const [row] = await sql<UserRow[]>`
        select ${columns}
        from users
        where id = ${id} and deleted_at is null
      `
      return row
    },

    /** By id or by email. */
    async findReferred(reference: string): Promise<UserRow | undefined> {
      const [row] = await sql<UserRow[]>`
        select ${columns}
        from users
        where ${is(reference)} and deleted_at is null
      `
      return row
    },

    /** The same, locked: whoever changes what a person may do or how they sign in comes after whoever does so already. */
    async lock(reference: string, tx: Tx): Promise<UserRow | undefined> {
      const [row] = await tx<UserRow[]>`
        select ${columns}
        from users
        where ${is(reference)} and deleted_at is null
        ${locked}
      `
      return row
    },

    /** The same, if the person signs in with a password, or could. Programs do not, nor do those whom only another issuer knows. */
    async lockRecoverable(reference: string, tx: Tx): Promise<UserRow | undefined> {
      const [row] = await tx<UserRow[]>`
        select ${columns}
        from users
        where ${is(reference)}
          and deleted_at is null
          and not is_service
          and (password_hash is not null or not exists (select from identities i where i.user_id = users.id))
        ${locked}
      `
      return row
    },

    /** The people who are admins, locked: of two who would each leave only the other, the second sees what the first did. */
    async lockAdmins(tx: Tx): Promise<string[]> {
      const rows = await tx<{ id: string }[]>`
        select id
        from users
        where 'ADMIN' = any(roles) and deleted_at is null and not is_service
        order by id
        ${locked}
      `
      return rows.map(({ id }) => id)
    },

    /** Newest first. */
    async page({ emailPrefix, role, createdAfter, createdBefore, beforeId, limit }: UserFilter): Promise<UserRow[]> {
      // Instants are shown to the millisecond, and compared as they are shown.
      const createdAt = sql`date_trunc('milliseconds', created_at)`
      return sql<UserRow[]>`
        select ${columns}
        from users
        where deleted_at is null
          and ${emailPrefix ? sql`starts_with(lower(email), lower(${emailPrefix}))` : sql`true`}
          and ${role ? sql`${role} = any(roles)` : sql`true`}
          and ${createdAfter ? sql`${createdAt} > ${createdAfter}` : sql`true`}
          and ${createdBefore ? sql`${createdAt} < ${createdBefore}` : sql`true`}
          and ${beforeId ? sql`id < ${beforeId}` : sql`true`}
        order by id desc
        limit ${limit}
      `
    },

    async update(id: string, changes: UserChanges, tx: Tx): Promise<UserRow | undefined> {
      const { name, roles, isInMailingList, isPluginUser, wantsJobMail } = changes
      const [row] = await tx<UserRow[]>`
        update users
        set
          name = coalesce(${name ?? null}, name),
          roles = coalesce(${roles ?? null}, roles),
          is_in_mailing_list = coalesce(${isInMailingList ?? null}, is_in_mailing_list),
          is_plugin_user = coalesce(${isPluginUser ?? null}, is_plugin_user),
          wants_job_mail = coalesce(${wantsJobMail ?? null}, wants_job_mail),
          updated_at = now()
        where id = ${id} and deleted_at is null
        returning ${columns}
      `
      return row
    },

    async setPassword(id: string, passwordHash: string, tx: Tx): Promise<void> {
      await tx`update users set password_hash = ${passwordHash}, updated_at = now() where id = ${id}`
    },

    /** From now on the person is not there, and the email is free. */
    async delete(id: string, tx: Tx): Promise<void> {
      await tx`update users set deleted_at = now(), updated_at = now() where id = ${id}`
    },

    async hasAdmin(): Promise<boolean> {
      const rows = await sql`
        select from users where 'ADMIN' = any(roles) and deleted_at is null and not is_service limit 1
      `
      return rows.length > 0
    },
  }
}

export type UserStore = ReturnType<typeof userStore>

export const toUser = (row: UserRow): User => ({
  id: row.id,
  email: row.email,
  ...(row.name !== null && { name: row.name }),
  roles: row.roles,
  isInMailingList: row.isInMailingList,
  isPluginUser: row.isPluginUser,
  wantsJobMail: row.wantsJobMail,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})
