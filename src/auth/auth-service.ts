import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import { type AuditLog, anonymous, type Origin } from '../audit/audit-log.ts'
import type { Sql } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { UserRow, UserStore } from '../users/user-store.ts'
import type { AccessTokens } from './access-tokens.ts'
import { verifyPassword } from './passwords.ts'
import { hashSecret, newSecret, successorOf } from './secrets.ts'
import type { RefreshTokenRow, SessionStore } from './session-store.ts'
import type { SignInGate } from './sign-in-gate.ts'

type Schemas = components['schemas']

export interface AuthServiceDeps {
  sql: Sql
  users: Pick<UserStore, 'findByEmail' | 'lock'>
  sessions: SessionStore
  tokens: AccessTokens
  gate: SignInGate
  audit: AuditLog
  log: Log
  /** Called when a session has ended, so that nobody goes on remembering it. */
  onSessionEnded(sessionId: string): void
}

const refreshPrefix = 'fsr_'

/** Signing in, and staying so. */
export const authService = (deps: AuthServiceDeps) => {
  const { sql, users, sessions, tokens, gate, audit, log, onSessionEnded } = deps
  const successorKey = tokens.deriveSecret('refresh token successor')

  const issue = async (userId: string, sessionId: string, refreshToken: string): Promise<Schemas['Tokens']> => ({
    token: await tokens.sign(userId, sessionId),
    refreshToken,
    expiresIn: tokens.lifetimeSeconds,
  })

  /** `undefined` if the person has gone, or has another password, since theirs was compared: that has ended all sessions, this one too. */
  async function startSession({ id: userId, passwordHash }: UserRow, origin: Origin) {
    const [sessionId, refreshToken] = [uuid(), newSecret(refreshPrefix)]
    const isStarted = await sql.begin(async (tx) => {
      if ((await users.lock(userId, tx))?.passwordHash !== passwordHash) return false
      const { address, userAgent } = origin
      await sessions.insert({ id: sessionId, userId, tokenHash: hashSecret(refreshToken), address, userAgent }, tx)
      await audit.record({ action: 'signed_in', actor: { kind: 'session', userId, ...origin }, userId }, tx)
      return true
    })
    return isStarted ? issue(userId, sessionId, refreshToken) : undefined
  }

  return {
    /** An unknown account takes the same time and gives the same answer as a wrong password. */
    async login({ email, password }: Schemas['LoginRequest'], origin: Origin): Promise<Schemas['Tokens']> {
      const user = await users.findByEmail(email)
      const [actor, userId] = [anonymous(origin), user?.id]
      const signedIn = await gate.pass({ email, address: origin.address, actor, userId }, async () => {
        const isRight = await verifyPassword(password, user?.passwordHash)
        return user && isRight ? startSession(user, origin) : undefined
      })
      if (signedIn) return signedIn
      await audit.record({ action: 'sign_in_failed', actor, userId })
      throw new AppError('invalid_credentials', 'Invalid credentials')
    },

    /**
     * Each refresh token is good for one use. A repetition within 30 seconds is a lost reply and gets the same successor; a later one
     * means that somebody else holds the token, and ends the session for both.
     */
    async refresh(refreshToken: string, origin: Origin): Promise<Schemas['Tokens']> {
      const tokenHash = hashSecret(refreshToken)
      const successor = successorOf(refreshToken, refreshPrefix, successorKey)
      const row = await sql.begin(async (tx) => {
        const token = await sessions.lockRefreshToken(tokenHash, tx)
        if (!token?.isLive) return undefined
        const { userId, sessionId } = token
        if (!token.usedAt) await sessions.rotate(tokenHash, hashSecret(successor), sessionId, tx)
        if (isReused(token) && (await sessions.revoke(sessionId, userId, tx))) {
          const details = { sessionId }
          await audit.record({ action: 'refresh_token_reused', actor: anonymous(origin), userId, details }, tx)
        }
        return token
      })
      if (row && isReused(row)) {
        onSessionEnded(row.sessionId)
        log.warn('refresh token reused, session revoked', { userId: row.userId, sessionId: row.sessionId })
      }
      if (!row || isReused(row)) throw new AppError('invalid_refresh_token', 'Invalid refresh token')
      return issue(row.userId, row.sessionId, successor)
    },
  }
}

/** Used before, and not just now: this is no repetition of a lost reply. */
const isReused = ({ usedAt, isRecentlyUsed }: RefreshTokenRow) => usedAt !== null && !isRecentlyUsed

export type AuthService = ReturnType<typeof authService>
