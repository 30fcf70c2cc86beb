import { passwordResets } from './auth/password-resets.ts'
import type { Sql } from './db/sql.ts'
import type { Log } from './log.ts'
import { jobMails } from './mail/job-mails.ts'
import { mailWriter } from './mail/mail-writer.ts'
import { createMailer } from './mail/mailer.ts'
import { outboxStore } from './mail/outbox-store.ts'
import type { MailTransport } from './mail/transport.ts'

/** What it takes to send mail. */
export interface MailParts {
  /** Where mail leaves us. Whoever opened it closes it. */
  transport: MailTransport
  /** How clients reach the service, once it is known. */
  publicUrl(): string
  /** A page of one's own for setting a new password. */
  passwordResetUrl?: string | undefined
}

/** What sends the mail that the service has put into its outbox. */
export function composeMailer(sql: Sql, { transport, publicUrl, passwordResetUrl }: MailParts, log: Log) {
  const [outbox, resets] = [outboxStore(sql), passwordResets(sql)]
  const write = mailWriter({
    publicUrl,
    resetUrl: () => passwordResetUrl ?? `${publicUrl()}/reset-password`,
    issueResetToken: (userId) => resets.issue(userId),
  })
  return createMailer({ outbox, fulfilWishes: jobMails({ sql, outbox }), write, transport, log })
}
