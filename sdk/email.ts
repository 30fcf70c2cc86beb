import { type Api, data } from './api.ts'
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

export const emailCalls = (api: Api): EmailCalls => ({
  send: (email, options) => data(api.http.POST('/api/email', { body: email, ...api.with(options) })),
})
