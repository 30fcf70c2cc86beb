import type { Api } from './api.ts'
import type { CallOptions } from './options.ts'
import type { EmailAccepted, EmailRequest } from './types.ts'

/** Mail to people. */
export interface EmailCalls {
  /**
   * Send mail.
   *
   * One mail to each recipient, who sees no other. Kept and tried again until the mail server takes it. Needs `text`,
   * `html` or both. A person may send to 500 recipients an hour.
   *
   * Throws `too_many_attempts`.
   */
  send(email: EmailRequest, options?: CallOptions): Promise<EmailAccepted>
}

export const emailCalls = ({ operation }: Api): EmailCalls => ({
  send: operation('post', '/api/email', 'body'),
})
