import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'listPolygons'> = {
  async listPolygons({ query }) {
    // must not compile
    const page: number = query.page
    return { status: 200, body: { items: [], nextCursor: String(page) } }
  },
}
