import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'login'> = {
  async login({ caller }) {
    // must not compile
    return { status: 200, body: { token: caller.userId, refreshToken: '', expiresIn: 3600 } }
  },
}
