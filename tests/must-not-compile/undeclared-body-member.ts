import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'login'> = {
  async login({ body }) {
    // must not compile
    return { status: 200, body: { token: body.username, refreshToken: '', expiresIn: 3600 } }
  },
}
