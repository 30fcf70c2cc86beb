import { createTransport, type NodemailerError } from 'nodemailer'
import { localSender, MailFailed, type MailTransport, type Sender, toMessage } from './transport.ts'

export interface SmtpTransportOptions {
  /** `smtp://` (with STARTTLS where the server offers it) or `smtps://`, with the credentials. */
  url: string
  from?: Sender | undefined
  /** How long a whole try may take. Shorter than the outbox's claim, by far. */
  patienceMs?: number
}

/** Mail by a server that takes it from there. Its connections are kept for the next mail. */
export function smtpTransport({ url, from = localSender, patienceMs = 60_000 }: SmtpTransportOptions): MailTransport {
  const pool = createTransport({
    url,
    pool: true,
    maxConnections: 5,
    // Whether a mail is sent again is for the outbox to say.
    maxRequeues: 0,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    dnsTimeout: 10_000,
    socketTimeout: 30_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send(mail) {
      try {
        await pool.sendMail({ ...toMessage(mail, from), signal: AbortSignal.timeout(patienceMs) })
      } catch (error) {
        throw error instanceof MailFailed ? error : toMailFailed(error as NodemailerError)
      }
    },
    close: () => pool.close({ force: true }),
  }
}

/**
 * Refused for good are this recipient and this mail alone. A server that will not have us at all (a wrong password, a sender that it
 * does not know) is somebody's to repair, and the mail waits.
 */
function toMailFailed({ code, command, responseCode, response, permanent }: NodemailerError): MailFailed {
  const isAboutMail = command === 'RCPT TO' || command === 'DATA'
  const message = [code ?? 'unknown', responseCode, command && `after ${command}`].filter(Boolean).join(' ')
  return new MailFailed(message, {
    isFinal: isAboutMail && permanent === true,
    ...(isAboutMail && { detail: response }),
  })
}
