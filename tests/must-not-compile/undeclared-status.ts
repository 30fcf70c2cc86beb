import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'cancelJob'> = {
  // must not compile
  async cancelJob() {
    return { status: 202, body: {} as never }
  },
}
