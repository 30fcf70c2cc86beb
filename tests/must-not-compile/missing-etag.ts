import type { Handlers } from '../../src/http/contract.ts'

declare const body: Awaited<ReturnType<Handlers['createPolygon']>>['body']

export const handlers: Handlers<'createPolygon'> = {
  // must not compile
  async createPolygon() {
    return { status: 201, body, headers: { Location: '/x' } }
  },
}
