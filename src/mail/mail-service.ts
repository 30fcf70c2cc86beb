import type { components } from '../../generated/types.ts'
import { type AuditLog, actorOf, type Origin } from '../audit/audit-log.ts'
import type { Caller } from '../auth/caller.ts'
import type { Sql } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import type { UserStore } from '../users/user-store.ts'
import type { OutboxStore } from './outbox-store.ts'

type Schemas = components['schemas']

/** To so many recipients may one person send within an hour. */
const mailsPerHour = 500

export interface MailServiceDeps {
  sql: Sql
  outbox: OutboxStore
  users: Pick<UserStore, 'lock'>
  audit: AuditLog
}

/** Mail that people write themselves. */
export const mailService = ({ sql, outbox, users, audit }: MailServiceDeps) => ({
  /** All of them are on their way, or none. Who had them sent is on record, and what was in them is not. */
  async send(caller: Caller, request: Schemas['EmailRequest'], origin: Origin): Promise<Schemas['EmailAccepted']> {
    const { recipients, subject, text, html } = request
    if (text === undefined && html === undefined) throw nothingToRead()
    return sql.begin(async (tx) => {
      // One request of a person after the other, so that each sees what the others have sent.
      if (!(await users.lock(caller.userId, tx))) throw new AppError('unauthenticated', 'This account is gone.')
      const { count, secondsToNext } = await outbox.countRecentBySender(caller.userId, tx)
      if (count + recipients.length > mailsPerHour) throw tooManyMails(secondsToNext)
      const emailIds = await outbox.insertMessages(caller.userId, recipients, { subject, text, html }, tx)
      const details = { recipients: recipients.length }
      await audit.record({ action: 'email_requested', actor: actorOf(caller, origin), details }, tx)
      return { emailIds }
    })
  },
})

export type MailService = ReturnType<typeof mailService>

function nothingToRead(): AppError {
  const detail = 'One of text and html is needed.'
  return new AppError('invalid_request', detail, { errors: ['/text', '/html'].map((pointer) => ({ pointer, detail })) })
}

const tooManyMails = (retryAfterSeconds: number) =>
  new AppError('too_many_attempts', `A person may send ${mailsPerHour} mails an hour.`, { retryAfterSeconds })
