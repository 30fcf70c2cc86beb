import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'createJob'> = {
  async createJob({ headers }) {
    // must not compile
    const jobId: string = headers['If-Match']
    return { status: 201, body: { jobId, cached: false, jobRequestId: jobId }, headers: { Location: '/x' } }
  },
}
