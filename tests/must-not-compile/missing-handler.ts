import type { Handlers } from '../../src/http/contract.ts'

// must not compile
export const handlers: Handlers<'getLiveness' | 'getDocs'> = {
  async getLiveness() {
    return { status: 200, body: { status: 'ok' } }
  },
}
