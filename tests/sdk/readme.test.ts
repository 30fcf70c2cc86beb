import { resolveObjectURL } from 'node:buffer'
import { EventEmitter } from 'node:events'
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createWorker } from '../../sdk/node.ts'
import { writeTerrainGrid } from '../../src/rasters/terrain-grid.ts'
import { workerHandlers } from '../../src/worker/worker.ts'
import { png } from '../images/inspection/png-bytes.ts'
import { temporaryFolder } from '../support/processes.ts'
import { startTestService } from '../support/service.ts'
import { readmeExamples } from './support/examples.ts'
import { runExample, type Surroundings } from './support/run-example.ts'

/** The service that the README calls `https://reef.example`, with the people, places and jobs that it tells of. */
const service = await startTestService()
const [admin, worker] = [await service.person('ADMIN'), await service.worker()]
const credentials = { email: 'ana@reef.example', password: 'slow-tides-carry-sand' }
await service.client().auth.register(credentials)
const ana = service.client({ credentials })
const { key } = await admin.client.users.createApiKey({ name: 'README', scopes: ['regions:read'] })
const criteria = { depth: { min: -10, max: -4 } }

let folder: string
/** Requests since the example began. */
const asked: string[] = []
/** What stands in for ids that only a service can give. */
const ids = { polygon: '', job: '' }
let working = beginWork()

/** Does what waits, with our own worker's handlers. */
function beginWork() {
  const ours = createWorker({ client: worker.client, handlers: workerHandlers, concurrency: 2 })
  ours.start()
  return ours
}

async function network(request: Request): Promise<Response> {
  const { origin, pathname } = new URL(request.url)
  if (origin === 'https://store.example') return new Response(new Uint8Array(1_048_576))
  asked.push(`${request.method} ${pathname}`)
  return service.fetch(request)
}

beforeAll(async () => {
  folder = await temporaryFolder()
  await writeDepth(join(folder, 'depth.tif'))
  await admin.client.regions.put('lizard-island', { title: 'Lizard Island' })
  const depth = new Blob([new Uint8Array(await readFile(join(folder, 'depth.tif')))])
  const { status } = await admin.client.regions.uploadLayer('lizard-island', 'depth', depth)
  expect(status).toBe('READY')

  const { id } = await ana.polygons.create({ name: 'Lagoon', polygon: triangle })
  const sites = { region: 'lizard-island', criteria, xDist: 20, yDist: 20, threshold: 0.5 }
  const { jobId } = await ana.jobs.create({ type: 'SUITABILITY_ASSESSMENT', inputPayload: sites })
  await ana.jobs.wait(jobId, { throwOnFailure: true })
  Object.assign(ids, { polygon: id, job: jobId })

  vi.stubGlobal('fetch', (...given: Parameters<typeof fetch>) => network(new Request(...given)))
  process.chdir(folder)
}, 60_000)

const home = process.cwd()
afterAll(async () => {
  process.chdir(home)
  vi.unstubAllGlobals()
  await working.stop()
})

const triangle = {
  type: 'Polygon' as const,
  coordinates: [
    [
      [145.4, -14.7],
      [145.5, -14.7],
      [145.5, -14.6],
      [145.4, -14.7],
    ],
  ],
}

/** A cone of 40 x 30 cells of 10 m: from -39 m at its rim to 0 m in the middle. */
async function writeDepth(path: string): Promise<void> {
  const [width, height] = [40, 30]
  const depthAt = (_: unknown, i: number) => -Math.hypot((i % width) - 20, Math.floor(i / width) - 15) * 1.5
  const values = Array.from({ length: width * height }, depthAt)
  await writeTerrainGrid(path, {
    width,
    height,
    values,
    originX: 330_000,
    originY: 8_380_000,
    cellSize: 10,
    epsg: 32755,
  })
}

type Run = (surroundings?: Partial<Surroundings>) => Promise<unknown[][]>
type Scenario = (run: Run) => Promise<void>

const anything = expect.anything()
const number = expect.any(Number)

/** A page that has these elements. */
const pageWith = (elements: Record<string, object>) => ({ querySelector: (selector: string) => elements[selector] })

/** For each heading of the README, what its examples come to, in their order. */
const scenarios: Record<string, Scenario[]> = {
  'Quick start': [
    async (run) => {
      const lines = await run()

      expect(lines.at(-2)).toEqual(['SUCCEEDED', 1])
      expect(lines.at(-1)).toEqual([number])
      const { items } = await ana.jobs.list({ type: 'REGIONAL_ASSESSMENT' })
      expect(items[0]).toMatchObject({ status: 'SUCCEEDED', resultPayload: { suitableCells: lines.at(-1)![0] } })
    },
  ],

  'Who you are': [
    async (run) => {
      const kept = new Map<string, string>()
      const localStorage = {
        getItem: (name: string) => kept.get(name),
        setItem: (name: string, value: string) => kept.set(name, value),
      }

      await run({ localStorage })

      // Only who signs in and out asks anything.
      expect(asked).toEqual(['POST /api/auth/login', 'POST /api/auth/logout'])
    },
  ],

  Accounts: [
    async (run) => {
      await service.client().auth.recoverPassword(credentials.email)
      const [, token] = /#token=(\S+)/.exec((await service.mails(credentials.email)).at(-1)!.text)!
      await ana.auth.profile()

      const lines = await run({ client: service.client(), standIns: { 'fsp_…': token! } })

      // The reset ended all sessions before.
      expect(lines).toEqual([[true, undefined]])
      expect((await ana.auth.profile()).user.wantsJobMail).toBe(true)
    },
    async (run) => {
      const [[made] = [], ...listed] = await run({ client: ana })

      expect(made).toMatch(/^fs_/)
      expect(listed).toContainEqual(['Buoy', undefined])
      await expect(service.client({ apiKey: made as string }).jobs.list()).rejects.toMatchObject({ status: 401 })
    },
    async (run) => {
      const lines = await run({ client: admin.client })

      expect(lines).toContainEqual(['ben@reef.example', ['USER', 'WORKER', 'ADMIN']])
      const acts = lines.slice(-3).map(([, action]) => action)
      expect(acts).toEqual(['user_deleted', 'roles_changed', 'user_created'])
      expect((await service.mails('ben@reef.example')).map(({ subject }) => subject)).toContain('Boats')
    },
  ],

  Errors: [
    async (run) => {
      expect(await run({ standIns: {} })).toEqual([['Somebody deleted it.']])
      // The polygon is there, so nothing is thrown.
      expect(await run()).toEqual([])
      // A client that nobody knows.
      expect(await run({ client: service.client() })).toEqual([
        [401, 'unauthenticated', expect.any(String), [], expect.any(String)],
      ])
    },
  ],

  'Time and repetition': [
    async (run) => {
      await run({ standIns: { 'fs_…': key } })
      expect(asked).toEqual(['GET /api/regions/lizard-island'])
    },
    async (run) => {
      const before = await ana.jobs.requests()
      await run()
      await run()
      const after = await ana.jobs.requests()
      expect(after.items.length - before.items.length).toBe(1)
    },
  ],

  Lists: [
    async (run) => {
      expect(await run()).toEqual([
        [0, undefined],
        [ids.polygon, 'Lagoon'],
      ])
    },
  ],

  'Careful writes': [
    async (run) => {
      await run()
      expect(await ana.polygons.get(ids.polygon)).toMatchObject({ name: 'Lagoon, north', polygon: triangle })
    },
  ],

  Polygons: [
    async (run) => {
      const [width, height] = [0.02, 0.01]
      const reef = (name: string, west: number, south: number) => ({
        type: 'Feature',
        properties: { REEF_NAME: name, habitat: 'slope' },
        geometry: {
          type: 'Polygon',
          coordinates: [
            [
              [west, south],
              [west + width, south],
              [west + width, south + height],
              [west, south],
            ],
          ],
        },
      })
      const collection = [reef('North Point', 145.44, -14.65), reef('Far away', 150, -20)]
      await writeFile('reefs.geojson', JSON.stringify({ type: 'FeatureCollection', features: collection }))

      const lines = await run()

      const imported = lines.slice(0, 2)
      expect(imported.map(([, name]) => name)).toEqual(['North Point', 'Far away'])
      expect(await ana.polygons.get(imported[0]![0] as string)).toMatchObject({ areaSquareMeters: imported[0]![2] })
      expect(lines.slice(2)).toEqual([
        ['North Point', expect.objectContaining({ habitat: 'slope' })],
        ['Lagoon, north', {}],
      ])
      const { type, features } = JSON.parse(await readFile('lizard-island.geojson', 'utf8'))
      expect([type, features.map(({ properties }: { properties: { name: string } }) => properties.name)]).toEqual([
        'FeatureCollection',
        ['North Point', 'Lagoon, north'],
      ])
      for (const [id] of imported) await ana.polygons.delete(id as string)
    },
  ],

  Notes: [
    async (run) => {
      expect(await run()).toEqual([[(await ana.users.me()).id, 'Bleaching all over.']])
    },
  ],

  Images: [
    async (run) => {
      const picture = { src: '' }
      const files = [new File([Uint8Array.from(png({ width: 3, height: 2 }))], 'récif.png', { type: 'image/png' })]

      const lines = await run({ document: pageWith({ img: picture, 'input[type=file]': { files } }) })

      expect(lines).toEqual([['récif.png', 3, 2]])
      const shown = resolveObjectURL(picture.src)!
      expect(await shown.bytes()).toEqual(await files[0]!.bytes())
      expect((await ana.images.list({ polygonId: ids.polygon })).items).toMatchObject([{ name: 'récif.png' }])
    },
    async (run) => {
      const files = [new File([Uint8Array.from(png({ width: 4 }))], 'x.png', { type: 'image/png' })]

      const lines = await run({ document: pageWith({ 'input[type=file]': { files } }) })

      expect(lines).toEqual([[1]])
      const { items } = await ana.images.list({ polygonId: ids.polygon, limit: 1 })
      expect(items).toMatchObject([{ name: 'reef.png', width: 4 }])
    },
    async (run) => {
      await writeFile('reef.png', png({ width: 5 }))

      await run()

      expect(await readFile('copy.png')).toEqual(await readFile('reef.png'))
      const { items } = await ana.images.list({ limit: 2 })
      const sent = { name: 'reef.png', width: 5, contentType: 'image/png' }
      expect(items).toMatchObject([sent, sent])
    },
  ],

  Jobs: [
    async (run) => {
      const lines = await run()

      const said = lines.map((line) => line.join(' '))
      // How often it tells how far it is goes by the clock.
      expect(said.filter((line) => !/^\d+ %$/.test(line))).toEqual([
        'PENDING',
        'IN_PROGRESS',
        'INFO Test 42 sleeps for 1 s',
        'SUCCEEDED',
        '42',
        'Test 42 sleeps for 1 s',
      ])
      const { items } = await ana.jobs.list({ limit: 1 })
      expect(items[0]).toMatchObject({ status: 'CANCELLED', inputPayload: { id: 43 } })
    },
  ],

  Files: [
    async (run) => {
      const lines = await run({ client: admin.client })

      expect(lines[0]).toEqual([expect.objectContaining({ type: 'FeatureCollection' })])
      expect(lines).toContainEqual([3, 3])
      const { layers } = await ana.regions.get('lizard-island')
      expect(layers).toMatchObject([{ name: 'depth', status: 'REJECTED', readyVersion: 1 }])
      expect(lines.at(-1)).toEqual([layers[0]!.reason])
    },
    async (run) => {
      await copyFile('depth.tif', 'before.tif')

      const [[files], [declaration]] = (await run({ client: admin.client })) as [[string[]], [object]]

      expect(files.map((line) => line.split(' ')[0])).toEqual(
        ['sites.geojson', 'sites.png', 'summary.json'].map((name) => join('results', name)),
      )
      expect(await readdir('results')).toHaveLength(3)
      const { layers } = await ana.regions.get('lizard-island')
      expect(layers).toMatchObject([{ status: 'READY', sizeBytes: (await readFile('before.tif')).length }])
      expect((await readFile('depth.tif')).length).toBe(1_048_576)
      const { length: sizeBytes } = await readFile('results/sites.png')
      const sha256 = files[1]!.split(' ')[2]
      expect(declaration).toEqual({ name: 'sites.png', sizeBytes, sha256, contentType: 'image/png' })
    },
  ],

  'A worker': [
    async (run) => {
      await working.stop()
      const process = new EventEmitter()
      const region = { region: 'lizard-island', criteria: { depth: { min: -20, max: -2 } } }
      const counted = await ana.jobs.create({ type: 'TEST', inputPayload: { id: 7 } })
      const assessed = await ana.jobs.create({ type: 'REGIONAL_ASSESSMENT', inputPayload: region })

      const running = run({ process, standIns: { 'fs_…': worker.key } })
      const { resultPayload } = await ana.jobs.wait(counted.jobId, { throwOnFailure: true })
      const events: string[] = []
      for await (const event of ana.jobs.events(assessed.jobId)) {
        if (event.kind === 'status') events.push(event.status)
        if (event.kind === 'log') events.push(event.message)
        if (events.filter((what) => what === 'PENDING').length === 2) break
      }
      process.emit('SIGTERM')
      const lines = await running

      expect(resultPayload).toEqual({ id: 7 })
      expect(events).toEqual([
        'PENDING',
        'IN_PROGRESS',
        expect.stringMatching(/^Attempt 1: assessing lizard-island from \//),
        'PENDING',
      ])
      expect(lines[0]).toEqual(['info', 'worker started', anything])
      expect(lines.at(-1)).toEqual(['info', 'worker stopped', anything])
      await ana.jobs.cancel(assessed.jobId)
      working = beginWork()
    },
  ],

  Watching: [
    async (run) => {
      const requestId = expect.stringMatching(/./)
      expect(await run()).toEqual([
        ['GET', '/livez', 1],
        ['/livez', 200, number, requestId],
        ['debug', 'request answered', expect.objectContaining({ path: '/livez', status: 200, requestId })],
      ])
    },
  ],

  'Raw responses': [
    async (run) => {
      expect(await run()).toEqual([[expect.stringMatching(/./), 'SUCCEEDED']])
      expect(await run({ standIns: {} })).toEqual([[404, 'job_not_found']])
    },
    async (run) => {
      expect(await run()).toEqual([[{ status: 'ok' }]])
      expect(asked).toEqual([])
    },
  ],
}

describe('the README', () => {
  const examples = readmeExamples()
  const numbered = examples.map(({ heading, code }, index) => {
    const turn = examples.slice(0, index).filter((earlier) => earlier.heading === heading).length
    return { heading, turn, code }
  })

  test('has a run for each of its examples, and no other', () => {
    const runs = Object.entries(scenarios).flatMap(([heading, each]) => each.map((_, turn) => `${heading} ${turn}`))
    expect(numbered.map(({ heading, turn }) => `${heading} ${turn}`)).toEqual(runs)
  })

  test.for(numbered)('does what it says: $heading $turn', { timeout: 60_000 }, async ({ heading, turn, code }) => {
    const scenario = scenarios[heading]?.[turn]
    if (!scenario) throw new Error(`Nobody has tried this:\n${code}`)
    const standIns = {
      '019a8f00-0002-7000-8000-000000000002': ids.polygon,
      '019a8f00-0003-7000-8000-000000000003': ids.job,
    }
    asked.length = 0

    await scenario((surroundings) => runExample(code, { client: ana, standIns, ...surroundings }))
  })
})
