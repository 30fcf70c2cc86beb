import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'deletePolygon'> = {
  async deletePolygon({ path }) {
    // must not compile
    path.jobId.toUpperCase()
    return { status: 204 }
  },
}
