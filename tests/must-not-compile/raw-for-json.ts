import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'getLiveness'> = {
  // must not compile
  async getLiveness() {
    return { status: 200, contentType: 'application/json', raw: '{}' }
  },
}
