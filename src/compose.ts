import { passwordResets } from './auth/password-resets.ts'
import { type CoreParts, composeCore } from './compose-core.ts'
import { createSignals } from './db/signals.ts'
import { connect, connectForSignals, type Sql } from './db/sql.ts'
import { startMaintenance } from './jobs/maintenance.ts'
import type { Log } from './log.ts'
import { jobMails } from './mail/job-mails.ts'
import { mailWriter } from './mail/mail-writer.ts'
import { createMailer, startMailLoop } from './mail/mailer.ts'
import { outboxStore } from './mail/outbox-store.ts'
import type { MailTransport } from './mail/transport.ts'

export interface Parts extends CoreParts {
  databaseUrl: string
  /** A session connection, for LISTEN, where `databaseUrl` is a transaction pooler. */
  databaseDirectUrl?: string | undefined
  poolSize: number
  mail: MailParts
}

/** What it takes to send mail. */
export interface MailParts {
  /** Where mail leaves us. Whoever opened it closes it. */
  transport: MailTransport
  /** How clients reach the service, once it is known. */
  publicUrl(): string
  /** A page of one's own for setting a new password. */
  passwordResetUrl?: string | undefined
}

export type Service = Awaited<ReturnType<typeof compose>>

/** A service that stays: it hears from others, and keeps its house in order. */
export async function compose(parts: Parts) {
  const { log } = parts
  const sql = connect(parts.databaseUrl, { max: parts.poolSize, isPooled: parts.databaseDirectUrl !== undefined })
  const wire = connectForSignals(parts.databaseDirectUrl ?? parts.databaseUrl)
  const signals = await createSignals({ wire, log })
  const core = await composeCore({ ...parts, sql, signals })
  const maintenance = startMaintenance({ sweep: core.settlement.sweep, chores: core.chores, log })
  const mailer = composeMailer(sql, parts.mail, log)
  let mail: Pick<typeof mailer, 'stop'> = mailer
  return {
    ...core,
    mailer,
    /** From now on mail is sent as it comes. Once: when the public URL is known, which links start with. */
    startMail() {
      mail = startMailLoop({ mailer, signals, log })
    },
    async close() {
      core.beginShutdown()
      await Promise.all([maintenance.stop(), mail.stop()])
      await signals.close()
      await sql.end({ timeout: 5 })
    },
  }
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
