import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'deletePolygon'> = {
  // must not compile
  async deletePolygon() {
    return { status: 204, body: {} }
  },
}
