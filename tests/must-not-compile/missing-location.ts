import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'createJob'> = {
  // must not compile
  async createJob({ caller: { userId } }) {
    return { status: 201, body: { jobId: userId, cached: false, jobRequestId: userId } }
  },
}
