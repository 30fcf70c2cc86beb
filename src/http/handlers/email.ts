import type { MailService } from '../../mail/mail-service.ts'
import type { Handlers } from '../contract.ts'

type EmailOperation = 'sendEmail'

export const emailHandlers = ({ mail }: { mail: MailService }): Handlers<EmailOperation> => ({
  async sendEmail({ caller, body, origin }) {
    return { status: 202, body: await mail.send(caller, body, origin) }
  },
})
