import type { AccessTokens } from '../../auth/access-tokens.ts'
import type { AuthService } from '../../auth/auth-service.ts'
import { AppError } from '../../errors.ts'
import type { UserService } from '../../users/user-service.ts'
import type { Handlers } from '../contract.ts'

type AuthOperation = 'register' | 'login' | 'refreshToken' | 'logout' | 'getProfile' | 'getJwks'

export interface AuthHandlerDeps {
  auth: AuthService
  users: UserService
  tokens: Pick<AccessTokens, 'jwks'>
}

export const authHandlers = ({ auth, users, tokens }: AuthHandlerDeps): Handlers<AuthOperation> => ({
  async register({ body }) {
    return { status: 200, body: await auth.register(body) }
  },

  async login({ body }) {
    return { status: 200, body: await auth.login(body) }
  },

  async refreshToken({ body }) {
    return { status: 200, body: await auth.refresh(body.refreshToken) }
  },

  async logout({ caller }) {
    if (!caller.sessionId) throw new AppError('forbidden', 'Only a session can be signed out.')
    await auth.logout(caller.sessionId)
    return { status: 204 }
  },

  async getProfile({ caller }) {
    return { status: 200, body: { user: await users.get(caller.userId) } }
  },

  async getJwks() {
    return { status: 200, body: tokens.jwks }
  },
})
