import type { Handlers } from '../../src/http/contract.ts'

export const handlers: Handlers<'createJob'> = {
  async createJob({ body }) {
    // must not compile
    const jobId = body.type === 'TEST' ? body.inputPayload.region : ''
    return { status: 201, body: { jobId, cached: false, jobRequestId: jobId }, headers: { Location: '/x' } }
  },
}
