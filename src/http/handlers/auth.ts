import type { AccessTokens } from '../../auth/access-tokens.ts'
import type { AuthService } from '../../auth/auth-service.ts'
import type { PasswordService } from '../../auth/password-service.ts'
import type { RecoveryService } from '../../auth/recovery-service.ts'
import type { SessionService } from '../../auth/session-service.ts'
import type { AccountService } from '../../users/account-service.ts'
import type { UserService } from '../../users/user-service.ts'
import type { Handlers } from '../contract.ts'
import { resetPasswordPage, resetPasswordPolicy } from '../reset-password-page.ts'

type AuthOperation =
  | 'register'
  | 'login'
  | 'refreshToken'
  | 'logout'
  | 'logoutAll'
  | 'recoverPassword'
  | 'resetPassword'
  | 'getResetPasswordPage'
  | 'getProfile'
  | 'getJwks'

export interface AuthHandlerDeps {
  accounts: AccountService
  auth: AuthService
  sessions: SessionService
  passwords: PasswordService
  recovery: RecoveryService
  users: UserService
  tokens: Pick<AccessTokens, 'jwks'>
}

export const authHandlers = (deps: AuthHandlerDeps): Handlers<AuthOperation> => {
  const { accounts, auth, sessions, passwords, recovery, users, tokens } = deps

  return {
    async register({ body, origin }) {
      return { status: 200, body: await accounts.register(body, origin) }
    },

    async login({ body, origin }) {
      return { status: 200, body: await auth.login(body, origin) }
    },

    async refreshToken({ body, origin }) {
      return { status: 200, body: await auth.refresh(body.refreshToken, origin) }
    },

    async logout({ caller, origin }) {
      await sessions.logout(caller, origin)
      return { status: 204 }
    },

    async logoutAll({ caller, origin }) {
      await sessions.logoutAll(caller, origin)
      return { status: 204 }
    },

    async recoverPassword({ body, origin }) {
      await recovery.request(body.email, origin)
      return { status: 202 }
    },

    async resetPassword({ body, origin }) {
      await passwords.reset(body, origin)
      return { status: 204 }
    },

    async getResetPasswordPage() {
      const headers = { 'Content-Security-Policy': resetPasswordPolicy }
      return { status: 200, contentType: 'text/html', raw: resetPasswordPage, headers }
    },

    async getProfile({ caller }) {
      return { status: 200, body: { user: await users.me(caller) } }
    },

    async getJwks() {
      return { status: 200, body: tokens.jwks }
    },
  }
}
