import { randomInt } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { startTestService } from './support/service.ts'

const service = await startTestService()
const testJob = (id = randomInt(2 ** 31)) => ({ type: 'TEST' as const, inputPayload: { id } })

describe('createJob', () => {
  test('starts a job that waits', async () => {
    const { client } = await service.person()

    const { jobId, cached } = await client.jobs.create(testJob(7))

    expect(cached).toBe(false)
    expect(await client.jobs.get(jobId)).toMatchObject({ status: 'PENDING', inputPayload: { id: 7 }, attempts: 0 })
  })
})
