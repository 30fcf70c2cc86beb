import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'streamJobEvents'> = {
  // must not compile
  async streamJobEvents() {
    return { status: 200, body: { events: [] } }
  },
}
