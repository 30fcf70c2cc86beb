import type { Sql, Tx } from '../db/sql.ts'
import { hashSecret, newSecret } from './secrets.ts'

const lifetimeMinutes = 60
const batchSize = 1000

/** Tokens that set a new password. A token is shown once, in a mail; we keep its hash. */
export const passwordResets = (sql: Sql) => ({
  /** A new token for this person, good for one use within an hour. */
  async issue(userId: string, tx: Tx = sql): Promise<string> {
    const token = newSecret('fsp_')
    await tx`
      insert into password_resets (token_hash, user_id, expires_at)
      values (${hashSecret(token)}, ${userId}, now() + make_interval(mins => ${lifetimeMinutes}))
    `
    return token
  },

  /** Whose password a token may set now. Never that of a program, which has none. */
  async findOwner(token: string): Promise<{ id: string; email: string } | undefined> {
    const [row] = await sql<{ id: string; email: string }[]>`
      select u.id, u.email
      from password_resets r
      join users u on u.id = r.user_id
      where r.token_hash = ${hashSecret(token)}
        and r.used_at is null
        and r.expires_at > now()
        and u.deleted_at is null
        and not u.is_service
    `
    return row
  },

  /** Uses a token up. `false` if it has been used or has expired. */
  async use(token: string, tx: Tx): Promise<boolean> {
    const { count } = await tx`
      update password_resets
      set used_at = now()
      where token_hash = ${hashSecret(token)} and used_at is null and expires_at > now()
    `
    return count > 0
  },

  /** Makes every token of a person worthless. */
  async voidAll(userId: string, tx: Tx): Promise<void> {
    await tx`update password_resets set used_at = now() where user_id = ${userId} and used_at is null`
  },

  /** How many mails with a way back in a person was sent, or will be, of this past hour. */
  async countRecentMails(userId: string, tx: Tx): Promise<number> {
    const [row] = await tx<{ count: number }[]>`
      select count(*)::integer as count
      from mails
      where user_id = ${userId} and template = 'recovery' and created_at > now() - interval '1 hour'
    `
    return row!.count
  },

  /** Forgets a batch of tokens that are long dead, and tells whether there may be more. */
  async purge(): Promise<boolean> {
    const { count } = await sql`
      delete from password_resets
      where token_hash in (
        select token_hash
        from password_resets
        where expires_at < now() - interval '1 day'
        order by expires_at
        limit ${batchSize}
        for update skip locked
      )
    `
    return count === batchSize
  },
})

export type PasswordResets = ReturnType<typeof passwordResets>
