import type { Context } from 'aws-lambda'
import { composeMailer } from '../compose-mailer.ts'
import { composeServices } from '../compose-services.ts'
import { maintainOnce } from '../jobs/maintenance.ts'
import { smtpTransport } from '../mail/smtp-transport.ts'
import { openInstance } from './lambda-instance.ts'

const { config, log, sql, thaw, parts } = openInstance(process.env)
const { SMTP_URL, MAIL_FROM, PUBLIC_URL, PASSWORD_RESET_URL } = config
const { settlement, chores } = await composeServices(parts)

// Without a mail server mail waits in the database, for a process that has one.
const mail = SMTP_URL && {
  transport: smtpTransport({ url: SMTP_URL, from: MAIL_FROM }),
  publicUrl: () => PUBLIC_URL,
  passwordResetUrl: PASSWORD_RESET_URL,
}
const deliverMail = mail && composeMailer(sql, mail, log).deliverSome

/** What a service that stays does by itself from time to time. A function of its own: answering requests takes none of it. */
export async function handler(_event: unknown, context: Context): Promise<void> {
  context.callbackWaitsForEmptyEventLoop = false
  await thaw()
  await maintainOnce(
    { sweep: settlement.sweep, chores: { ...(deliverMail && { 'deliver mail': deliverMail }), ...chores }, log },
    () => context.getRemainingTimeInMillis() > 5000,
  )
}
