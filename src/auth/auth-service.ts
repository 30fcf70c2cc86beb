import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import type { Sql } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { UserStore } from '../users/user-store.ts'
import type { AccessTokens } from './access-tokens.ts'
import { hashPassword, verifyPassword } from './passwords.ts'
import { hashSecret, newSecret, successorOf } from './secrets.ts'
import type { RefreshTokenRow, SessionStore } from './session-store.ts'

type Schemas = components['schemas']

export interface AuthServiceDeps {
  sql: Sql
  users: UserStore
  sessions: SessionStore
  tokens: AccessTokens
  log: Log
  isRegistrationOpen: boolean
  /** Called when a session has ended, so that nobody goes on remembering it. */
  onSessionEnded(sessionId: string): void
}

const refreshPrefix = 'fsr_'

export const authService = ({
  sql,
  users,
  sessions,
  tokens,
  log,
  isRegistrationOpen,
  onSessionEnded,
}: AuthServiceDeps) => {
  const successorKey = tokens.deriveSecret('refresh token successor')

  const issue = async (userId: string, sessionId: string, refreshToken: string): Promise<Schemas['Tokens']> => ({
    token: await tokens.sign(userId, sessionId),
    refreshToken,
    expiresIn: tokens.lifetimeSeconds,
  })

  return {
    async register({ email, password, name }: Schemas['RegisterRequest']): Promise<Schemas['Registration']> {
      if (!isRegistrationOpen) throw new AppError('registration_closed', 'Ask an administrator for an account.')
      const row = await users.insert({ id: uuid(), email, name, passwordHash: await hashPassword(password) })
      if (!row) throw new AppError('email_taken', 'User already exists')
      return { userId: row.id }
    },

    /** An unknown account takes the same time and gives the same answer as a wrong password. */
    async login({ email, password }: Schemas['LoginRequest']): Promise<Schemas['Tokens']> {
      const user = await users.findByEmail(email)
      const isRight = await verifyPassword(password, user?.passwordHash)
      if (!user || !isRight) throw new AppError('invalid_credentials', 'Invalid credentials')
      const [sessionId, refreshToken] = [uuid(), newSecret(refreshPrefix)]
      await sessions.insert({ id: sessionId, userId: user.id, tokenHash: hashSecret(refreshToken) })
      return issue(user.id, sessionId, refreshToken)
    },

    /**
     * Each refresh token is good for one use. A repetition within 30 seconds is a lost reply and gets the same successor; a later one
     * means that somebody else holds the token, and ends the session for both.
     */
    async refresh(refreshToken: string): Promise<Schemas['Tokens']> {
      const tokenHash = hashSecret(refreshToken)
      const successor = successorOf(refreshToken, refreshPrefix, successorKey)
      const row = await sql.begin(async (tx) => {
        const token = await sessions.lockRefreshToken(tokenHash, tx)
        if (token?.isLive && !token.usedAt) await sessions.rotate(tokenHash, hashSecret(successor), token.sessionId, tx)
        if (token?.isLive && isReused(token)) await sessions.revoke(token.sessionId, tx)
        return token
      })
      if (row?.isLive && isReused(row)) {
        onSessionEnded(row.sessionId)
        log.warn('refresh token reused, session revoked', { userId: row.userId, sessionId: row.sessionId })
      }
      if (!row?.isLive || isReused(row)) throw new AppError('invalid_refresh_token', 'Invalid refresh token')
      return issue(row.userId, row.sessionId, successor)
    },

    async logout(sessionId: string): Promise<void> {
      await sessions.revoke(sessionId)
      onSessionEnded(sessionId)
    },
  }
}

/** Used before, and not just now: this is no repetition of a lost reply. */
const isReused = ({ usedAt, isRecentlyUsed }: RefreshTokenRow) => usedAt !== null && !isRecentlyUsed

export type AuthService = ReturnType<typeof authService>
