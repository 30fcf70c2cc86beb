import { type Api, data } from './api.ts'
import type { Authentication } from './authentication.ts'
import { ApiError } from './errors.ts'
import type { CallOptions } from './options.ts'
import type { Credentials, Jwks, Profile, RegisterRequest, Registration, Tokens } from './types.ts'

/** Registering, signing in and out, and the keys that verify tokens. */
export interface AuthCalls {
  /** Creates an account, where the service allows it. Does not sign in. Throws `email_taken`, `registration_closed`. */
  register(account: RegisterRequest, options?: CallOptions): Promise<Registration>
  /** Signs in; a client without `apiKey` and `token` function goes on with the new tokens. Throws `invalid_credentials`. */
  login(credentials: Credentials, options?: CallOptions): Promise<Tokens>
  /** Uses a refresh token up and gives new tokens, which the client adopts as with `login`. Seldom needed: it happens by itself. */
  refresh(refreshToken: string, options?: CallOptions): Promise<Tokens>
  /** Ends the session and forgets its tokens. A client that was given `credentials` signs in again at its next call. */
  logout(options?: CallOptions): Promise<void>
  /** Who the credentials belong to. */
  profile(options?: CallOptions): Promise<Profile>
  /** The keys that verify the service's access tokens (RFC 7517). */
  jwks(options?: CallOptions): Promise<Jwks>
}

export const signIn = (api: Api, credentials: Credentials, options?: CallOptions): Promise<Tokens> =>
  // A sign-in that is repeated after a lost answer leaves a session that nobody uses, and does no other harm.
  data(api.http.POST('/api/auth/login', { body: credentials, ...api.with(options, { isRepeatable: true }) }))

export const refreshTokens = (api: Api, refreshToken: string, options?: CallOptions): Promise<Tokens> =>
  // The contract gives the same successor to a repetition within 30 seconds.
  data(api.http.POST('/api/auth/token', { body: { refreshToken }, ...api.with(options, { isRepeatable: true }) }))

export const authCalls = (api: Api, authentication: Authentication): AuthCalls => ({
  register: (account, options) => data(api.http.POST('/api/auth/register', { body: account, ...api.with(options) })),

  async login(credentials, options) {
    const tokens = await signIn(api, credentials, options)
    authentication.adopt(tokens)
    return tokens
  },

  async refresh(refreshToken, options) {
    const tokens = await refreshTokens(api, refreshToken, options)
    authentication.adopt(tokens)
    return tokens
  },

  async logout(options) {
    try {
      await data(api.http.POST('/api/auth/logout', api.with(options)))
    } catch (error) {
      // Signed out is signed out: a session that has ended by itself is what was wanted.
      if (!(error instanceof ApiError && error.status === 401)) throw error
    }
    authentication.forget()
  },

  profile: (options) => data(api.http.GET('/api/auth/profile', api.with(options))),
  jwks: (options) => data(api.http.GET('/.well-known/jwks.json', api.with(options))),
})
