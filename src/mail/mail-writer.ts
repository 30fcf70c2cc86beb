import type { ClaimedMail } from './outbox-store.ts'
import { plainTextOf } from './plain-text.ts'
import { renderLetter } from './templates.ts'
import { MailFailed, type OutgoingMail } from './transport.ts'

export interface MailWriterDeps {
  /** How clients reach the service. Links start with it. */
  publicUrl(): string
  /** The page where a new password is set. */
  resetUrl(): string
  /** A secret that lets this person set a password. The mail is the only place where it is ever told. */
  issueResetToken(userId: string): Promise<string>
}

/** Turns a mail of the outbox into what its reader will see. Throws `MailFailed` for one that has lost its reader. */
export const mailWriter = ({ publicUrl, resetUrl, issueResetToken }: MailWriterDeps) => {
  async function resetLink({ userId }: ClaimedMail): Promise<string> {
    if (!userId) throw new MailFailed('nobody to set a password for', { isFinal: true })
    return `${resetUrl()}#token=${encodeURIComponent(await issueResetToken(userId))}`
  }

  const jobLink = (jobId: string) => `${publicUrl()}/api/jobs/${jobId}`

  async function contentOf(mail: ClaimedMail): Promise<Pick<OutgoingMail, 'subject' | 'text' | 'html'>> {
    switch (mail.template) {
      case 'welcome': {
        const docsLink = `${publicUrl()}/docs`
        if (!mail.data.needsPassword) return renderLetter('welcome', { docsLink })
        return renderLetter('welcome-set-password', { docsLink, resetLink: await resetLink(mail) })
      }
      case 'recovery':
        return renderLetter('recovery', { resetLink: await resetLink(mail) })
      case 'password-changed':
        return renderLetter('password-changed', { changedAt: readable(mail.data.changedAt) })
      case 'job-finished':
        return renderLetter('job-finished', jobFacts(mail.data))
      case 'job-failed': {
        const outcome = mail.data.status === 'TIMED_OUT' ? 'ran out of time' : 'failed'
        return renderLetter('job-failed', { ...jobFacts(mail.data), outcome, reason: oneLine(mail.data.reason) })
      }
      case 'message': {
        const { subject, text, html } = mail.data
        return { subject, html, text: text ?? plainTextOf(html ?? '') }
      }
    }
  }

  const jobFacts = ({ jobId, type, finishedAt }: { jobId: string; type: string; finishedAt: string }) => ({
    type,
    finishedAt: readable(finishedAt),
    jobLink: jobLink(jobId),
  })

  return async (mail: ClaimedMail): Promise<OutgoingMail> => {
    if (mail.isOrphaned) throw new MailFailed('the account is gone', { isFinal: true })
    const { id, createdAt, recipient, template } = mail
    return { id, createdAt, recipient, isAutomatic: template !== 'message', ...(await contentOf(mail)) }
  }
}

const longestReason = 500

function oneLine(reason = 'nobody said why'): string {
  const words = reason.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return words.length > longestReason ? `${words.slice(0, longestReason)}…` : words
}

/** `2 March 2026, 21:30 UTC` */
const readable = (instant: string) =>
  `${new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })
    .format(new Date(instant))
    .replace(' at ', ', ')} UTC`
