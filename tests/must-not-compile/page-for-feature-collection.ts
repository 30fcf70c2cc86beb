import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'listPolygons'> = {
  // must not compile
  async listPolygons() {
    return { status: 200, contentType: 'application/geo+json', body: { items: [] } }
  },
}
