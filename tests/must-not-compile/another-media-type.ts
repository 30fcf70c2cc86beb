import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'getDocs'> = {
  // must not compile
  async getDocs() {
    return { status: 200, contentType: 'text/plain', raw: 'words' }
  },
}
