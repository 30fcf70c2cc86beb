import { type Api, data } from './api.ts'
import type { Authentication } from './authentication.ts'
import { ApiError } from './errors.ts'
import type { CallOptions } from './options.ts'
import type {
  Credentials,
  Jwks,
  Profile,
  RegisterRequest,
  Registration,
  ResetPasswordRequest,
  Tokens,
} from './types.ts'

/** Registering, signing in and out, and the keys that verify our tokens. */
export interface AuthCalls {
  /**
   * Register.
   *
   * Creates an account with the role USER, where the service allows registration. From one network at most 20 an hour.
   *
   * Throws `email_taken`, `registration_closed`, `too_many_attempts`.
   *
   * @remarks
   * Does not sign in.
   */
  register(account: RegisterRequest, options?: CallOptions): Promise<Registration>
  /**
   * Sign in.
   *
   * Gives an access token and a refresh token. The answer does not tell whether an account exists. Five wrong passwords
   * are free; then there are pauses, and from the tenth on the account is closed for 15 minutes (429).
   *
   * Throws `invalid_credentials`, `too_many_attempts`.
   *
   * @remarks
   * A client without `apiKey` and `token` function goes on with the new tokens.
   */
  login(credentials: Credentials, options?: CallOptions): Promise<Tokens>
  /**
   * Refresh a token.
   *
   * Takes a refresh token, which is then used up, and gives new tokens. A repetition within 30 seconds (a lost reply)
   * gives the same refresh token again; a later one ends the whole session, since somebody else may hold the token.
   *
   * Throws `invalid_refresh_token`.
   *
   * @remarks
   * The client adopts the new tokens, as with `login`. Seldom needed: it happens by itself.
   */
  refresh(refreshToken: string, options?: CallOptions): Promise<Tokens>
  /**
   * Sign out.
   *
   * Ends the session that the access token belongs to, and its refresh token.
   *
   * @remarks
   * The client forgets its tokens. One that was given `credentials` signs in again at its next call.
   */
  logout(options?: CallOptions): Promise<void>
  /**
   * Sign out everywhere.
   *
   * Ends all my sessions, this one too. API keys go on, and so do tokens of other issuers.
   *
   * @remarks
   * Forgets this client's tokens.
   */
  logoutAll(options?: CallOptions): Promise<void>
  /**
   * Ask for a way back in.
   *
   * Mails a link that sets a new password, good for one use within an hour. The answer is the same whether there is
   * such an account or not. Nobody gets more than three such mails an hour.
   *
   * Throws `too_many_attempts`.
   */
  recoverPassword(email: string, options?: CallOptions): Promise<void>
  /**
   * Set a new password with a mailed token.
   *
   * Ends every session of the account, and tells its owner by mail. API keys go on.
   *
   * Throws `invalid_reset_token`, `too_many_attempts`.
   *
   * @remarks
   * Not repeated after a lost answer.
   */
  resetPassword(request: ResetPasswordRequest, options?: CallOptions): Promise<void>
  /**
   * Show who is signed in.
   *
   * Gives the person behind the credentials, with their roles.
   */
  profile(options?: CallOptions): Promise<Profile>
  /**
   * List the keys that verify tokens.
   *
   * An RFC 7517 key set. During a rotation it holds the old keys too.
   */
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
    await unlessOver(data(api.http.POST('/api/auth/logout', api.with(options))))
    authentication.forget()
  },

  async logoutAll(options) {
    await unlessOver(data(api.http.POST('/api/auth/logout-all', api.with(options))))
    authentication.forget()
  },

  recoverPassword: (email, options) =>
    data(api.http.POST('/api/auth/recover-password', { body: { email }, ...api.with(options) })),

  resetPassword: (request, options) =>
    data(api.http.POST('/api/auth/reset-password', { body: request, ...api.with(options) })),

  profile: (options) => data(api.http.GET('/api/auth/profile', api.with(options))),
  jwks: (options) => data(api.http.GET('/.well-known/jwks.json', api.with(options))),
})

/** Signed out is signed out: a session that has ended by itself is what was wanted. */
async function unlessOver(call: Promise<void>): Promise<void> {
  try {
    await call
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error
  }
}
