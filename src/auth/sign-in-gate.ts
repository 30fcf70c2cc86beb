import type { Actor, AuditLog } from '../audit/audit-log.ts'
import type { Sql } from '../db/sql.ts'
import { type Block, type SignInLimits, type Subject, tooManyAttempts } from './sign-in-limits.ts'

export interface SignInGateDeps {
  sql: Sql
  limits: SignInLimits
  audit: AuditLog
}

export interface Attempt extends Subject {
  actor: Actor
  /** Whose account it is aimed at, if it is there. */
  userId: string | undefined
}

/** Where everybody has to pass who may be guessing. */
export const signInGate = ({ sql, limits, audit }: SignInGateDeps) => {
  /** The audit log hears once of each block: it only ever grows, and a stranger must not choose how fast. */
  async function refuse(block: Block, { actor, userId }: Attempt): Promise<never> {
    await sql.begin(async (tx) => {
      if (await limits.isNews(block, tx)) await audit.record({ action: 'sign_in_blocked', actor, userId }, tx)
    })
    throw tooManyAttempts(block)
  }

  return {
    /**
     * Counts the attempt and does the work, which gives `undefined` where the attempt was wrong. Otherwise the attempt is forgiven, also
     * where the work fails for another reason. Throws `too_many_attempts`, whatever the work would have said.
     */
    async pass<T>(attempt: Attempt, work: () => Promise<T | undefined>): Promise<T | undefined> {
      const block = await limits.attempt(attempt)
      if (block) return refuse(block, attempt)
      try {
        const outcome = await work()
        if (outcome !== undefined) await limits.succeed(attempt)
        return outcome
      } catch (error) {
        await limits.takeBack(attempt)
        throw error
      }
    },
  }
}

export type SignInGate = ReturnType<typeof signInGate>
