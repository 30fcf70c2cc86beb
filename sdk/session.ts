import { type Authentication, bearer } from './authentication.ts'
import { ApiError } from './errors.ts'
import { quietly } from './hooks.ts'
import { isTransient } from './retry.ts'
import type { Credentials, Tokens } from './types.ts'

/** How long before its end a token is replaced, unless it lives so short that a tenth of its life is less. */
const freshnessMs = 30_000

export interface SessionOptions {
  credentials?: Credentials | undefined
  token?: string | undefined
  refreshToken?: string | undefined
  onTokens?: ((tokens: Tokens | undefined) => void) | undefined
  signIn: (credentials: Credentials) => Promise<Tokens>
  refresh: (refreshToken: string) => Promise<Tokens>
}

interface Held {
  token?: string | undefined
  refreshToken?: string | undefined
  /** By our clock, counted from when the token came. Undefined where nobody said how long it lives. */
  renewAtMs?: number
  expiresAtMs?: number
}

/**
 * A person's session. Signs in when needed, refreshes shortly before the token ends and after a refusal, signs in again when the
 * refresh token is refused. However many calls need it at once, the service is asked once.
 */
export function session({
  credentials,
  token,
  refreshToken,
  onTokens,
  signIn,
  refresh,
}: SessionOptions): Authentication {
  let held: Held = { token, refreshToken }
  let renewal: Promise<void> | undefined

  const adopt = (tokens: Tokens) => {
    const lifeMs = tokens.expiresIn * 1000
    const expiresAtMs = Date.now() + lifeMs
    held = { ...tokens, expiresAtMs, renewAtMs: expiresAtMs - Math.min(freshnessMs, lifeMs / 10) }
    quietly(onTokens, tokens)
  }

  const forget = () => {
    held = {}
    quietly(onTokens, undefined)
  }

  /** The single flight. It belongs to no caller, so no caller's signal can end it for the others. */
  const renewOnce = () => {
    renewal ??= renewTokens().finally(() => {
      renewal = undefined
    })
    return renewal
  }

  async function renewTokens(): Promise<void> {
    const before = held
    const tokens = (await refreshed(before)) ?? (credentials && (await signIn(credentials)))
    // Who signed in or out meanwhile meant it.
    if (tokens && held === before) adopt(tokens)
  }

  /** Undefined where there is nothing to refresh with, or it was refused and signing in is left. */
  async function refreshed(before: Held): Promise<Tokens | undefined> {
    if (!before.refreshToken) return undefined
    try {
      return await refresh(before.refreshToken)
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (credentials) return undefined
      if (held === before) forget()
      throw error
    }
  }

  const canRenew = () => held.refreshToken !== undefined || credentials !== undefined
  const isStale = () => held.renewAtMs !== undefined && Date.now() >= held.renewAtMs
  const isOver = () => held.expiresAtMs !== undefined && Date.now() >= held.expiresAtMs

  return {
    adopt,
    forget,

    async headers() {
      if (canRenew() && (held.token === undefined || isStale())) {
        await renewOnce().catch((error) => {
          // The old token still works, so a service that is short of breath is no reason to fail.
          if (held.token === undefined || isOver() || !isTransient(error)) throw error
        })
      }
      return held.token === undefined ? {} : bearer(held.token)
    },

    async renew(refused) {
      const isOutdated = held.token !== undefined && bearer(held.token).Authorization !== refused.Authorization
      // Another call has renewed it already. A second refresh would waste, and might end, the new session.
      if (isOutdated) return true
      if (!canRenew()) return false
      await renewOnce()
      return held.token !== undefined
    },
  }
}

const isRefusal = (error: unknown) => error instanceof ApiError && [400, 401, 403].includes(error.status)
