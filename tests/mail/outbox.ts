import { afterAll } from 'vitest'
import { createSignals } from '../../src/db/signals.ts'
import { connect, connectForSignals } from '../../src/db/sql.ts'
import { jobMails } from '../../src/mail/job-mails.ts'
import { mailWriter } from '../../src/mail/mail-writer.ts'
import { createMailer } from '../../src/mail/mailer.ts'
import { type OutboxStore, outboxStore } from '../../src/mail/outbox-store.ts'
import type { MailTransport } from '../../src/mail/transport.ts'
import { createDatabase, memoryLog } from '../support/service.ts'

export type TestOutbox = Awaited<ReturnType<typeof openOutbox>>

/** An outbox on a database of its own, and nothing else of the service. */
export async function openOutbox() {
  const url = await createDatabase()
  const sql = connect(url, { max: 5 })
  const outbox = outboxStore(sql)
  const log = memoryLog()
  const signals = await createSignals({ wire: connectForSignals(url), log })
  afterAll(async () => {
    await signals.close()
    await sql.end({ timeout: 5 })
  })

  const write = mailWriter({
    publicUrl: () => 'https://api.reef.example',
    resetUrl: () => 'https://reef.example/password',
    issueResetToken: async (userId) => `token of ${userId}`,
  })

  return {
    url,
    sql,
    outbox,
    log,
    signals,
    write,
    /** As a process of the service has it. `changes` stand in for parts of the outbox. */
    mailer: (transport: Pick<MailTransport, 'send'>, changes: Partial<OutboxStore> = {}) =>
      createMailer({
        outbox: { ...outbox, ...changes },
        fulfilWishes: jobMails({ sql, outbox }),
        write,
        transport,
        log,
      }),
    /** A mail that somebody wrote, to an address like no other. */
    async post(subject: string, { text = 'The boats leave at six.', html }: { text?: string; html?: string } = {}) {
      const recipient = `${crypto.randomUUID()}@reef.example`
      const id = await outbox.insert({ template: 'message', recipient, data: { subject, text, html } })
      return { id, recipient }
    },
    async rowOf(id: string) {
      const [row] = await sql<MailRow[]>`
        select
          *,
          extract(epoch from due_at - now())::float8 as seconds_to_due
        from mails
        where id = ${id}
      `
      return row!
    },
    /** Tests move the mail, not the clock. */
    async makeDue(id: string) {
      await sql`update mails set due_at = now() where id = ${id}`
    },
  }
}

interface MailRow {
  id: string
  attempts: number
  sentAt: Date | null
  failedAt: Date | null
  error: string | null
  data: unknown
  secondsToDue: number
}
