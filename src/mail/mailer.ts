import type { Signals } from '../db/signals.ts'
import type { Log } from '../log.ts'
import { type ClaimedMail, mailTopic, type OutboxStore } from './outbox-store.ts'
import { MailFailed, type MailTransport, type OutgoingMail } from './transport.ts'

export interface MailerDeps {
  outbox: Pick<OutboxStore, 'claim' | 'markSent' | 'retryLater' | 'giveUp'>
  /** Makes mails of what people wish to be told and can be told now. One batch a call; `true` means that there is more of it. */
  fulfilWishes(): Promise<boolean>
  write(mail: ClaimedMail): Promise<OutgoingMail>
  transport: Pick<MailTransport, 'send'>
  log: Log
}

/** So many at a time. */
const batchSize = 5
/** The pauses between them add up to a day. */
const maxAttempts = 30

export type Mailer = ReturnType<typeof createMailer>

/** Sends what is in the outbox. Any number of processes may: each takes what no other has. */
export function createMailer({ outbox, fulfilWishes, write, transport, log }: MailerDeps) {
  /** What has gone and could not be marked as sent. Known here alone, and for as long as the claim lasts nobody else sends it. */
  const unmarked = new Set<string>()
  let isStopped = false

  async function deliverAll(): Promise<void> {
    await prepare()
    while (!isStopped && (await deliverBatch()));
  }

  /** Ends what was left of the last run, and puts into the outbox what is to be told now. */
  async function prepare(): Promise<void> {
    await markUnmarked()
    await fulfilAll()
  }

  async function deliverBatch(): Promise<boolean> {
    const batch = await outbox.claim(batchSize)
    await Promise.all(batch.map(deliver))
    return batch.length > 0
  }

  /** Wishes that cannot be fulfilled hold up no mail. */
  async function fulfilAll(): Promise<void> {
    try {
      while (!isStopped && (await fulfilWishes()));
    } catch (error) {
      log.warn('wishes for mail not fulfilled', { error })
    }
  }

  async function deliver(mail: ClaimedMail): Promise<void> {
    const { id: mailId, template, attempts } = mail
    try {
      if (!unmarked.has(mailId)) await send(mail)
    } catch (error) {
      return settleFailure(mail, error)
    }
    unmarked.add(mailId)
    log.info('mail sent', { mailId, template, attempts })
    await markUnmarked().catch((error) => log.warn('mail not marked as sent', { mailId, error }))
  }

  async function send(mail: ClaimedMail): Promise<void> {
    if (mail.attempts > maxAttempts) throw new MailFailed('tried too often', { isFinal: true })
    await transport.send(await write(mail))
  }

  async function markUnmarked(): Promise<void> {
    for (const id of unmarked) {
      await outbox.markSent(id)
      unmarked.delete(id)
    }
  }

  /** Lost itself, this costs nothing but time: the mail becomes due again. */
  async function settleFailure({ id: mailId, template, attempts }: ClaimedMail, error: unknown): Promise<void> {
    const failure = error instanceof MailFailed ? error : undefined
    const isFinal = failure?.isFinal === true || attempts >= maxAttempts
    const reason = failure ? [failure.message, failure.detail].filter(Boolean).join(': ') : String(error)
    const about = { mailId, template, attempts }
    if (!failure) log.error('mail failed', { ...about, error })
    else log.warn(isFinal ? 'mail given up' : 'mail not sent, to be tried again', { ...about, reason: failure.message })
    const settle = isFinal ? outbox.giveUp : outbox.retryLater
    await settle(mailId, attempts, reason.slice(0, 500)).catch((lost) =>
      log.warn('mail not settled', { mailId, error: lost }),
    )
  }

  const deliverDue = inTurn(deliverAll)

  return {
    /** Sends all that is due, after the run that is under way. */
    deliverDue,
    /** Sends a batch, and tells whether there may be more: for whoever has little time. */
    async deliverSome(): Promise<boolean> {
      await prepare()
      return deliverBatch()
    },
    /** Waits for the mails under way, and takes no more. */
    async stop(): Promise<void> {
      isStopped = true
      await deliverDue().catch((error) => log.warn('mail left unmarked', { error }))
    },
  }
}

export interface MailLoopDeps {
  mailer: Pick<Mailer, 'deliverDue' | 'stop'>
  signals: Pick<Signals, 'subscribe'>
  log: Log
  pollMs?: number
}

/** Delivers as soon as there is word of mail, and looks every few seconds for what is due again. */
export function startMailLoop({ mailer, signals, log, pollMs = 5000 }: MailLoopDeps) {
  let isStopped = false
  const look = () => {
    if (!isStopped) mailer.deliverDue().catch((error) => log.warn('mail delivery failed', { error }))
  }
  signals.subscribe({ onTopic: (topic) => topic === mailTopic && look(), onGap: look })
  const timer = setInterval(look, pollMs)
  return {
    async stop(): Promise<void> {
      isStopped = true
      clearInterval(timer)
      await mailer.stop()
    },
  }
}

/** One run at a time. Whoever asks during one shares the next, which sees all that is there by now. */
function inTurn(work: () => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  return () => {
    if (!next) {
      next = underWay.then(() => {
        next = undefined
        return work()
      })
      underWay = next.catch(() => {})
    }
    return next
  }
}
