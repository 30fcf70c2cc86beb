import type { SendMailOptions } from 'nodemailer'

/** A mail as its reader will find it. */
export interface OutgoingMail {
  id: string
  createdAt: Date
  recipient: string
  subject: string
  text: string
  html?: string | undefined
  /** Written by the service, and not by somebody who might be answered. */
  isAutomatic: boolean
}

/** Where mail leaves us. */
export interface MailTransport {
  /** Returns once the mail is somebody else's to deliver. Throws `MailFailed`. */
  send(mail: OutgoingMail): Promise<void>
  close(): void
}

/** Who mail is from. */
export interface Sender {
  name: string
  address: string
}

interface MailFailedOptions {
  /** Whether trying again is pointless. */
  isFinal?: boolean
  /** What the other side said, which may name the recipient. For the record of that mail alone. */
  detail?: string | undefined
}

/** A sender whom nobody would take mail from but ourselves. */
export const localSender: Sender = { name: 'Fieldstation', address: 'no-reply@fieldstation.local' }

/** A mail that did not go. The message names nobody, so that it can be logged. */
export class MailFailed extends Error {
  override name = 'MailFailed'
  readonly isFinal: boolean
  readonly detail: string | undefined

  constructor(message: string, { isFinal = false, detail }: MailFailedOptions = {}) {
    super(message)
    this.isFinal = isFinal
    this.detail = detail
  }
}

/** One address and nothing that a mail program could take for more: no list, no group, no name, no second line. */
const onePlainAddress = /^[^\s\p{Cc}<>()[\]\\,;:"@]+@[^\s\p{Cc}<>()[\]\\,;:"@]+$/u

/** What nodemailer makes the mail of. The same id each time it is tried, so that one that arrives twice can be told to be one. */
export function toMessage(mail: OutgoingMail, from: Sender): SendMailOptions {
  if (!onePlainAddress.test(mail.recipient)) throw new MailFailed('not an address', { isFinal: true })
  return {
    messageId: `<${mail.id}@${from.address.split('@').at(-1)}>`,
    date: mail.createdAt,
    from,
    to: { name: '', address: mail.recipient },
    envelope: { from: from.address, to: [mail.recipient] },
    subject: mail.subject,
    text: mail.text,
    ...(mail.html !== undefined && { html: mail.html }),
    // RFC 3834: programs that answer mail need not answer this one.
    ...(mail.isAutomatic && { headers: { 'Auto-Submitted': 'auto-generated' } }),
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}
