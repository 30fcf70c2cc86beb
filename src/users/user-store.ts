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
  createdAt: Date
  updatedAt: Date
}

export interface NewUser {
  id: string
  email: string
  name?: string | undefined
  passwordHash?: string | undefined
  roles?: Role[] | undefined
}

export const userStore = (sql: Sql) => {
  const columns = sql`id, email, name, roles, password_hash, created_at, updated_at`

  return {
    /** `undefined` if the email is taken. */
    async insert(
      { id, email, name, passwordHash, roles = ['USER'] }: NewUser,
      tx: Tx = sql,
    ): Promise<UserRow | undefined> {
      const [row] = await tx<UserRow[]>`
        insert into users (id, email, name, password_hash, roles)
        values (${id}, ${email}, ${name ?? null}, ${passwordHash ?? null}, ${roles})
        on conflict (lower(email)) where deleted_at is null do nothing
        returning ${columns}
      `
      return row
    },

    async findByEmail(email: string, tx: Tx = sql): Promise<UserRow | undefined> {
      const [row] = await tx<UserRow[]>`
        select ${columns}
        from users
        where lower(email) = lower(${email}) and deleted_at is null
      `
      return row
    },

    async find(id: string, tx: Tx = sql): Promise<UserRow | undefined> {
      const [row] = await tx<UserRow[]>`
        select ${columns}
        from users
        where id = ${id} and deleted_at is null
      `
      return row
    },

    async updateName(id: string, name: string, tx: Tx = sql): Promise<UserRow | undefined> {
      const [row] = await tx<UserRow[]>`
        update users
        set name = ${name}, updated_at = now()
        where id = ${id} and deleted_at is null
        returning ${columns}
      `
      return row
    },

    async hasAdmin(): Promise<boolean> {
      const rows = await sql`select from users where 'ADMIN' = any(roles) and deleted_at is null limit 1`
      return rows.length > 0
    },
  }
}

export type UserStore = ReturnType<typeof userStore>

export const toUser = ({ id, email, name, roles, createdAt, updatedAt }: UserRow): User => ({
  id,
  email,
  ...(name !== null && { name }),
  roles,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
})
