import { type CoreParts, composeCore } from './compose-core.ts'
import { composeMailer, type MailParts } from './compose-mailer.ts'
import { createSignals } from './db/signals.ts'
import { connect, connectForSignals } from './db/sql.ts'
import { startMaintenance } from './jobs/maintenance.ts'
import { startMailLoop } from './mail/mailer.ts'

export interface Parts extends CoreParts {
  databaseUrl: string
  /** A session connection, for LISTEN, where `databaseUrl` is a transaction pooler. */
  databaseDirectUrl?: string | undefined
  poolSize: number
  mail: MailParts
  /** How soon chores are done for the first time, where that is otherwise than usual. */
  firstChoreMs?: (() => number) | undefined
}

export type Service = Awaited<ReturnType<typeof compose>>

/** A service that stays: it hears from others, and keeps its house in order. */
export async function compose(parts: Parts) {
  const { log } = parts
  const sql = connect(parts.databaseUrl, { max: parts.poolSize, isPooled: parts.databaseDirectUrl !== undefined })
  const wire = connectForSignals(parts.databaseDirectUrl ?? parts.databaseUrl)
  const signals = await createSignals({ wire, log })
  const core = await composeCore({ ...parts, sql, signals })
  const maintenance = startMaintenance({
    sweep: core.settlement.sweep,
    chores: core.chores,
    log,
    firstChoreMs: parts.firstChoreMs,
  })
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
