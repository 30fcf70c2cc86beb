import { v7 as uuid } from 'uuid'
import { dayMs, firstIdAt } from '../db/id-time.ts'
import { publishAtCommit } from '../db/signals.ts'
import type { Sql, Tx } from '../db/sql.ts'

/** What each template is filled with. No secrets: they would lie in the table. */
export interface MailData {
  /** A new account. With `needsPassword` it carries a link that sets one. */
  welcome: { needsPassword: boolean }
  /** A way back in. Its link is made when the mail is written. */
  recovery: Record<string, never>
  'password-changed': { changedAt: string }
  'job-finished': { jobId: string; type: string; finishedAt: string }
  'job-failed': { jobId: string; type: string; status: string; reason?: string | undefined; finishedAt: string }
  /** What somebody wrote themselves. */
  message: { subject: string; text?: string | undefined; html?: string | undefined }
}

export interface NewMail<Template extends keyof MailData = keyof MailData> {
  template: Template
  recipient: string
  /** The person who is written to, where it is one of ours. */
  userId?: string | undefined
  data: MailData[Template]
}

/** A mail that is ours to send until its `due_at`. */
export type ClaimedMail = {
  [Template in keyof MailData]: {
    id: string
    template: Template
    recipient: string
    userId: string | null
    data: MailData[Template]
    createdAt: Date
    /** This one included. */
    attempts: number
    /** Whether the person has gone meanwhile. */
    isOrphaned: boolean
  }
}[keyof MailData]

/** The word that there is mail. */
export const mailTopic = 'mail'

/** For so long a claimed mail is nobody else's. Longer than a try may take, by far. */
const claimSeconds = 300
const purgeBatchSize = 1000
const keptDays = 30

/** Mail that waits to be sent, and for a while what was. Its times are the database's. */
export const outboxStore = (sql: Sql) => ({
  /** In the transaction of what it tells of, so that neither is there without the other. Gives the mail's id. */
  async insert<Template extends keyof MailData>(
    { template, recipient, userId, data }: NewMail<Template>,
    tx: Tx = sql,
  ): Promise<string> {
    const id = uuid()
    await tx`
      insert into mails (id, template, recipient, user_id, data)
      values (${id}, ${template}, ${recipient}, ${userId ?? null}, ${sql.json(data as never)})
    `
    await publishAtCommit(mailTopic, tx)
    return id
  },

  /** One mail for each of them, with the same words. Gives their ids, in the same order. */
  async insertMessages(
    senderId: string,
    recipients: string[],
    message: MailData['message'],
    tx: Tx = sql,
  ): Promise<string[]> {
    const ids = recipients.map(() => uuid())
    await tx`
      insert into mails (id, template, recipient, sender_id, data)
      select id, 'message', recipient, ${senderId}, ${sql.json(message as never)}
      from unnest(${ids}::uuid[], ${recipients}::text[]) as addressed (id, recipient)
    `
    await publishAtCommit(mailTopic, tx)
    return ids
  },

  /** How many mails somebody had sent within an hour, and in how many seconds the first of them is an hour old. */
  async countRecentBySender(senderId: string, tx: Tx = sql): Promise<{ count: number; secondsToNext: number }> {
    const [row] = await tx<{ count: number; secondsToNext: number | null }[]>`
      select
        count(*)::integer as count,
        ceil(extract(epoch from min(created_at) + interval '1 hour' - now()))::integer as seconds_to_next
      from mails
      where sender_id = ${senderId} and created_at > now() - interval '1 hour'
    `
    return { count: row!.count, secondsToNext: row!.secondsToNext ?? 0 }
  },

  /**
   * Takes what is due. It becomes due again by itself, which is what saves a mail whose process dies. Each claim counts as a try, so
   * that a mail that kills its process is not tried for ever.
   */
  async claim(limit: number): Promise<ClaimedMail[]> {
    return sql<ClaimedMail[]>`
      with due as materialized (
        select id
        from mails
        where sent_at is null and failed_at is null and due_at <= now()
        order by due_at
        limit ${limit}
        for update skip locked
      ), claimed as (
        update mails m
        set due_at = now() + make_interval(secs => ${claimSeconds}), attempts = attempts + 1
        from due
        where m.id = due.id
        returning m.*
      )
      select
        c.id, c.template, c.recipient, c.user_id, c.data, c.created_at, c.attempts,
        coalesce(u.deleted_at is not null, false) as is_orphaned
      from claimed c
      left join users u on u.id = c.user_id
      order by c.id
    `
  },

  /** Whoever claimed it since: it has gone, and nobody shall send it again. What was in it is forgotten. */
  async markSent(id: string): Promise<void> {
    await sql`
      update mails
      set sent_at = now(), data = '{}', error = null
      where id = ${id} and sent_at is null and failed_at is null
    `
  },

  /** After a minute, two, four, … an hour, give or take a quarter. Nothing happens if the mail has been claimed again since. */
  async retryLater(id: string, attempts: number, error: string): Promise<void> {
    await sql`
      update mails
      set
        due_at = now() + make_interval(
          secs => least(3600, 60 * power(2, least(${attempts}::integer, 20) - 1)) * (0.75 + random() / 2)
        ),
        error = ${error}
      where id = ${id} and attempts = ${attempts} and sent_at is null and failed_at is null
    `
  },

  /** Nothing happens if the mail has been claimed again since. */
  async giveUp(id: string, attempts: number, error: string): Promise<void> {
    await sql`
      update mails
      set failed_at = now(), error = ${error}
      where id = ${id} and attempts = ${attempts} and sent_at is null and failed_at is null
    `
  },

  /** Forgets a batch of what was sent, or given up, a month ago, and tells whether there may be more. */
  async purge(): Promise<boolean> {
    const { count } = await sql`
      with old as materialized (
        select id
        from mails
        where id < ${firstIdAt(Date.now() - keptDays * dayMs)}
          and greatest(sent_at, failed_at) < now() - make_interval(days => ${keptDays})
        order by id
        limit ${purgeBatchSize}
        for update skip locked
      )
      delete from mails using old where mails.id = old.id
    `
    return count === purgeBatchSize
  },
})

export type OutboxStore = ReturnType<typeof outboxStore>
