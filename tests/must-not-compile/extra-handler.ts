import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'getLiveness'> = {
  async getLiveness() {
    return { status: 200, body: { status: 'ok' } }
  },

  // must not compile
  async getDeadness() {
    return { status: 200, body: { status: 'ok' } }
  },
}
