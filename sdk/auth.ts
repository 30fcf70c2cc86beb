import type { Api } from './api.ts'
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

// A sign-in that is repeated after a lost answer leaves a session that nobody uses, and does no other harm.
export const signIn = ({ repeatable }: Api) => repeatable('post', '/api/auth/login', 'body')

// The contract gives the same successor to a repetition within 30 seconds.
export const refreshTokens = ({ repeatable }: Api) => repeatable('post', '/api/auth/token', 'body')

export function authCalls(api: Api, { adopt, forget }: Authentication): AuthCalls {
  const { operation } = api
  const login = signIn(api)
  const refresh = refreshTokens(api)
  const logout = operation('post', '/api/auth/logout')
  const logoutAll = operation('post', '/api/auth/logout-all')
  const recoverPassword = operation('post', '/api/auth/recover-password', 'body')

  const adopted = async (tokens: Promise<Tokens>) => {
    adopt(await tokens)
    return tokens
  }

  return {
    register: operation('post', '/api/auth/register', 'body'),
    login: (credentials, options) => adopted(login(credentials, options)),
    refresh: (refreshToken, options) => adopted(refresh({ refreshToken }, options)),
    logout: (options) => logout(options).catch(unlessOver).then(forget),
    logoutAll: (options) => logoutAll(options).catch(unlessOver).then(forget),
    recoverPassword: (email, options) => recoverPassword({ email }, options),
    resetPassword: operation('post', '/api/auth/reset-password', 'body'),
    profile: operation('get', '/api/auth/profile'),
    jwks: operation('get', '/.well-known/jwks.json'),
  }
}

/** Signed out is signed out: a session that has ended by itself is what was wanted. */
function unlessOver(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 401)) throw error
}
