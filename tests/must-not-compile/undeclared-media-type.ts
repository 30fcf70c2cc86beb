import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'listPolygons'> = {
  async listPolygons({ mediaType }) {
    // must not compile
    if (mediaType === 'text/csv') return { status: 200, body: { items: [] } }
    return { status: 200, body: { items: [] } }
  },
}
