import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cp, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createClient } from '../../sdk/index.ts'
import { createWorker, type Worker } from '../../sdk/node.ts'
import { hasBrowser, startBrowser } from '../support/browser.ts'
import { admin, type ServiceProcess, startServiceProcess, temporaryFolder } from '../support/processes.ts'
import { nodeOfVersion } from './support/other-nodes.ts'
import { type Consumer, installPacked, packSdk } from './support/packed.ts'

const run = promisify(execFile)

/** Serves the page, from an origin that is not the service's. */
const server = createServer(async (request, response) => {
  const isScript = request.url === '/page.bundle.js'
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
  response.end(
    isScript
      ? await readFile(join(consumer.folder, 'page.bundle.js'))
      : '<script type="module" src="/page.bundle.js"></script>',
  )
})

const browser = hasBrowser ? await startBrowser() : undefined

let consumer: Consumer
let service: ServiceProcess

beforeAll(async () => {
  const folder = await temporaryFolder()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const starting = startServiceProcess({
    DATA_DIR: join(folder, 'service'),
    CORS_ORIGINS: origin(),
    MAX_ACTIVE_JOBS: '1',
  })
  consumer = await installPacked(folder, await packSdk(folder))
  await cp('tests/sdk/consumer', consumer.folder, { recursive: true })
  service = await starting
}, 120_000)

afterAll(() => {
  server.close()
})

beforeEach(({ skip }) => {
  if (consumer.missing) skip(consumer.missing)
})

const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

/** What `consumer/images.js` tells where all is well. */
const movedImages = {
  names: ['récif "ouest".png', 'signed.png'],
  isAllSent: true,
  isSame: true,
  part: [206, 'PNG'],
  disposition: true,
}

describe('the installed package', () => {
  test.for([20, 22, 24])(
    'starts, does and follows a job with Node %i',
    { timeout: 120_000 },
    async (major, { skip }) => {
      const node = await nodeOfVersion(major)
      if (!node) return skip(`There is no Node ${major} here, and npm cannot be reached`)
      const env = {
        SERVICE_URL: service.url,
        EMAIL: admin.email,
        PASSWORD: admin.password,
        RESULTS: join(consumer.folder, `results-${major}`),
      }

      const { stdout, stderr } = await run(node, ['job.js'], { cwd: consumer.folder, env })

      expect(JSON.parse(stdout)).toEqual({
        major,
        events: ['PENDING', 'IN_PROGRESS', `Counted by Node ${major}`, 'SUCCEEDED'],
        resultPayload: { id: major },
        texts: [`${major} grains`],
        images: movedImages,
        isOneFamily: true,
      })
      expect(stderr).toBe('')
    },
  )
})

describe('a page of another origin', () => {
  let worker: Worker
  afterAll(() => worker?.stop())

  async function startWorker() {
    const client = createClient({ baseUrl: service.url, credentials: admin })
    const { key } = await client.users.createApiKey({ name: 'For the page', scopes: ['jobs:work'] })
    const uploads = [{ name: 'sand.txt', bytes: 'three grains', contentType: 'text/plain' }]
    worker = createWorker({
      baseUrl: service.url,
      apiKey: key,
      handlers: {
        TEST: async ({ input }, { log, uploadFiles }) => {
          log('Counting')
          await uploadFiles(uploads)
          return { id: input.id }
        },
      },
    })
    worker.start()
  }

  test.skipIf(!hasBrowser)('does all of it in a browser (skipped where Chromium is missing)', async () => {
    await build({
      absWorkingDir: consumer.folder,
      entryPoints: ['page.js'],
      outfile: 'page.bundle.js',
      bundle: true,
      format: 'esm',
      platform: 'browser',
      logLevel: 'silent',
    })
    const page = await browser!.newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(String(error)))
    await page.exposeFunction('startWorker', startWorker)
    await page.goto(origin())

    const told = await page.evaluate((options) => (globalThis as unknown as Page).tell(options), {
      baseUrl: service.url,
      person: { email: 'page@reef.example', password: 'slow-tides-carry-sand' },
      admin,
      startWorker: 'startWorker',
    })

    expect(told).toEqual({
      isSameJob: true,
      tooMany: { code: 'too_many_active_jobs', isToldWhen: true },
      events: ['PENDING', 'IN_PROGRESS', 'Counting', 'SUCCEEDED'],
      resultPayload: { id: 3 },
      files: ['sand.txt: three grains'],
      etags: ['"1"', '"2"', '"2"'],
      late: 'precondition_failed',
      withKey: ['Lagoon, north'],
      requestId: expect.stringMatching(/./),
      images: movedImages,
      uploaded: { sent: 'not a raster'.length, status: 'INSPECTING' },
    })
    expect(faults).toEqual([])
  })
})

/** What the page offers. */
interface Page {
  tell(options: object): Promise<unknown>
}
