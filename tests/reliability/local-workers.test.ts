import { expect, test, vi } from 'vitest'
import { startLocalWorkers } from '../../src/local-workers.ts'
import { startHttpServer } from '../../src/main/http-server.ts'
import { memoryLog } from '../support/service.ts'

const service = { url: 'http://fieldstation.test', workerKey: 'fs_key' }
const programs = {
  endsAtOnce: new URL('../support/ends-at-once.ts', import.meta.url),
  ignoresSigterm: new URL('../support/ignores-sigterm.ts', import.meta.url),
}
test('a worker that ends again and again is started again later and later', async () => {
  const log = memoryLog()
  const restartMs = { first: 1, longest: 4 }
  const workers = startLocalWorkers({
    count: 1,
    service,
    logLevel: 'warn',
    log,
    program: programs.endsAtOnce,
    restartMs,
  })

  const pauses = await vi.waitUntil(
    () => {
      const endings = log.lines.filter(({ message }) => message === 'local worker ended, starting it again')
      return endings.length >= 4 && endings.map(({ fields }) => fields as { inMs: number; code: number })
    },
    { timeout: 20_000 },
  )

  expect(pauses.slice(0, 4)).toMatchObject([1, 2, 4, 4].map((inMs) => ({ inMs, code: 3 })))
  await workers.stop()
})

test('a worker that does not end when asked is made to', async () => {
  const log = memoryLog()
  const called = Promise.withResolvers<void>()
  const fetch = () => {
    called.resolve()
    return new Response()
  }
  const server = await startHttpServer({ host: '127.0.0.1', port: 0, fetch })
  const workers = startLocalWorkers({
    count: 1,
    service: { ...service, url: server.url },
    logLevel: 'warn',
    log,
    program: programs.ignoresSigterm,
    patienceMs: 1,
  })
  await called.promise

  await workers.stop()

  expect(log.lines.at(-1)).toMatchObject({ message: 'local worker does not end, killing it' })
  await server.stop()
})

test('without a key there are none', async () => {
  const workers = startLocalWorkers({
    count: 2,
    service: { ...service, workerKey: undefined },
    logLevel: 'warn',
    log: memoryLog(),
  })

  expect(workers.count).toBe(0)
  await workers.stop()
})
