import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'createJob'> = {
  // must not compile
  async createJob({ caller }) {
    return { status: 201, body: { jobId: caller.userId, cached: false }, headers: { Location: '/x' } }
  },
}
