import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ApiError, type Client, createClient } from '../../sdk/index.ts'
import { testJob } from '../support/jobs.ts'
import { admin, end, type ServiceProcess, startServiceProcess, temporaryFolder } from '../support/processes.ts'

const folder = await temporaryFolder()
/** The process id of the database; not a number while there is none. The file may go, or be empty yet, at any moment. */
function postmaster(): number {
  try {
    return Number.parseInt(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8'), 10)
  } catch {
    return Number.NaN
  }
}

describe('kill -9 of the database', () => {
  test('loses nothing that was answered; the service says 503 and recovers by itself, ears included', async () => {
    const service = await startServiceProcess({ DATA_DIR: folder, LOG_LEVEL: 'debug' })
    const client = createClient({ baseUrl: service.url, credentials: admin, retries: 0 })
    const { jobId } = await client.jobs.create(testJob())

    const killed = postmaster()
    process.kill(killed, 'SIGKILL')

    await outlast(client, killed, service)
    expect(await client.jobs.get(jobId)).toMatchObject({ status: 'PENDING' })
    await client.jobs.cancel(jobId)
    const waiting = client.worker.claim({ jobTypes: ['TEST'], waitSeconds: 20 })
    await service.printed('claim waits')
    const { jobId: nextId } = await client.jobs.create(testJob())
    expect((await waiting).map(({ job }) => job.id)).toEqual([nextId])
    expect(await end(service.process, 'SIGTERM')).toBe(0)
  })
})

describe('kill -9 of the service', () => {
  test('leaves a database that the next start takes over', async () => {
    const before = await startServiceProcess({ DATA_DIR: folder })
    const { jobId } = await createClient({ baseUrl: before.url, credentials: admin }).jobs.create(testJob())
    await end(before.process, 'SIGKILL')

    const after = await startServiceProcess({ DATA_DIR: folder })

    const client = createClient({ baseUrl: after.url, credentials: admin })
    expect(await client.jobs.get(jobId)).toMatchObject({ id: jobId })
    await end(after.process, 'SIGTERM')
  })
})

/**
 * Until there is another database and the service answers again. Until then whatever it says is an answer (processes of the dead database
 * live on for a moment) or a clear 503.
 */
async function outlast(client: Client, killed: number, service: ServiceProcess): Promise<void> {
  for (;;) {
    const isBack = ![killed, Number.NaN].includes(postmaster())
    try {
      await client.jobs.list()
      if (isBack) return
    } catch (error) {
      expect(error, service.output()).toBeInstanceOf(ApiError)
      expect(error).toMatchObject({ status: 503, code: 'service_unavailable' })
    }
  }
}
