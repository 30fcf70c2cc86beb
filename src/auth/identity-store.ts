import type { Sql, Tx } from '../db/sql.ts'
import type { Role } from './caller.ts'

export interface IdentityRow {
  userId: string
  roles: Role[]
  /** False once the person is deleted. */
  isLive: boolean
}

/** Who somebody is to an issuer: a pair of issuer and subject, never an email. */
export const identityStore = (sql: Sql) => ({
  async find(issuer: string, subject: string): Promise<IdentityRow | undefined> {
    const [row] = await sql<IdentityRow[]>`
      select i.user_id, u.roles, u.deleted_at is null as is_live
      from identities i
      join users u on u.id = i.user_id
      where i.issuer = ${issuer} and i.subject = ${subject}
    `
    return row
  },

  /** Whether no later token has said what this person's roles are. From now on this one has. */
  async takeWordOnRoles(issuer: string, subject: string, issuedAt: Date): Promise<boolean> {
    const { count } = await sql`
      update identities
      set roles_as_of = ${issuedAt}
      where issuer = ${issuer} and subject = ${subject} and (roles_as_of is null or roles_as_of <= ${issuedAt})
    `
    return count > 0
  },

  /** False if the identity is somebody's already. */
  async insert(issuer: string, subject: string, userId: string, tx: Tx = sql): Promise<boolean> {
    const { count } = await tx`
      insert into identities (issuer, subject, user_id)
      values (${issuer}, ${subject}, ${userId})
      on conflict do nothing
    `
    return count > 0
  },
})

export type IdentityStore = ReturnType<typeof identityStore>
