import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createWorker } from '../sdk/node.ts'
import { writeTerrainGrid } from '../src/rasters/terrain-grid.ts'
import { workerHandlers } from '../src/worker/worker.ts'
import { startTestService } from './support/service.ts'

const service = await startTestService()
const [admin, ana, worker] = [await service.person('ADMIN'), await service.person(), await service.worker()]
const folder = await mkdtemp(join(tmpdir(), 'fieldstation-regions-'))
afterAll(() => rm(folder, { recursive: true }))

/** A cone of 40 x 30 cells of 10 m near Lizard Island: depth from -39 m at its rim to 0 m in the middle. */
const [width, height] = [40, 30]
const values = Array.from(
  { length: width * height },
  (_, i) => -Math.hypot((i % width) - 20, Math.floor(i / width) - 15) * 1.5,
)
const depthFile = join(folder, 'depth.tif')
await writeTerrainGrid(depthFile, {
  width,
  height,
  values,
  originX: 330_000,
  originY: 8_380_000,
  cellSize: 10,
  epsg: 32755,
})
const depth = await readFile(depthFile)

type Bounds = [west: number, south: number, east: number, north: number]

const upload = (bytes: Uint8Array) => ({
  sizeBytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  contentType: 'image/tiff',
})

async function newRegion() {
  const name = `region-${randomUUID().slice(0, 8)}`
  await admin.client.regions.put(name, { title: 'Lizard Island' })
  return name
}

async function uploaded(region: string, layer: string, bytes: Uint8Array) {
  const { version, upload: signed } = await admin.client.regions.createLayerUpload(region, layer, upload(bytes))
  await admin.client.transfers.upload(signed, new Blob([new Uint8Array(bytes)]))
  return version
}

/** Does everything that waits, with our own worker's handlers. */
async function work() {
  const stopping = new AbortController()
  const running = createWorker({
    client: worker.client,
    handlers: workerHandlers,
    concurrency: 2,
    workRoot: folder,
  }).run(stopping.signal)
  return {
    async done() {
      stopping.abort()
      await running
    },
  }
}

async function readyRegion() {
  const region = await newRegion()
  const version = await uploaded(region, 'depth', depth)
  const { inspectionJobId } = await admin.client.regions.completeLayer(region, 'depth', version)
  const working = await work()
  await admin.client.jobs.wait(inspectionJobId!)
  await working.done()
  return region
}

describe('putRegion', () => {
  test('creates a region, then replaces what describes it', async () => {
    const name = await newRegion()

    await admin.client.regions.put(name, { title: 'Jiigurru', description: 'The reef slope.' })

    expect(await ana.client.regions.get(name)).toMatchObject({
      name,
      title: 'Jiigurru',
      description: 'The reef slope.',
      layers: [],
    })
  })

  test('is for admins', async () => {
    await expect(ana.client.regions.put('mine', { title: 'Mine' })).rejects.toMatchObject({
      status: 403,
      code: 'forbidden',
    })
    await expect(admin.client.regions.put('Not A Name', { title: 'x' })).rejects.toMatchObject({
      errors: [{ pointer: '/path/region' }],
    })
  })
})

describe('listRegions', () => {
  test('pages by name', async () => {
    const names = [await newRegion(), await newRegion(), await newRegion()].toSorted()

    const listed = await Array.fromAsync(ana.client.regions.listAll({ limit: 2 }), ({ name }) => name)

    expect(listed.filter((name) => names.includes(name))).toEqual(names)
    expect(listed).toEqual(listed.toSorted())
  })
})

describe('completeLayer', () => {
  test('has the raster inspected and makes it READY', async () => {
    const region = await readyRegion()

    const { layers } = await ana.client.regions.get(region)

    expect(layers).toMatchObject([
      {
        name: 'depth',
        version: 1,
        status: 'READY',
        readyVersion: 1,
        raster: {
          width,
          height,
          crs: { epsg: 32755 },
          extent: [330_000, 8_379_700, 330_400, 8_380_000],
          resolution: [10, 10],
          maximum: 0,
          validCells: 1200,
        },
      },
    ])
  })

  test('rejects what is no raster, with the reason, and goes on reading the version before', async () => {
    const region = await readyRegion()
    const version = await uploaded(region, 'depth', Buffer.from('not a raster'))
    const { inspectionJobId } = await admin.client.regions.completeLayer(region, 'depth', version)
    const working = await work()
    await admin.client.jobs.wait(inspectionJobId!)
    await working.done()

    const { layers } = await ana.client.regions.get(region)

    expect(layers).toMatchObject([
      { version: 2, status: 'REJECTED', readyVersion: 1, reason: expect.stringContaining('TIFF') },
    ])
    expect(await admin.client.jobs.create(assessment(region))).toMatchObject({ cached: false })
  })

  test('starts one inspection, however often it is asked', async () => {
    const region = await newRegion()
    const version = await uploaded(region, 'depth', depth)

    const answers = await Promise.all([1, 2, 3].map(() => admin.client.regions.completeLayer(region, 'depth', version)))

    expect(new Set(answers.map(({ inspectionJobId }) => inspectionJobId)).size).toBe(1)
    await admin.client.jobs.cancel(answers[0]!.inspectionJobId!)
    const { layers } = await ana.client.regions.get(region)
    expect(layers).toMatchObject([{ status: 'REJECTED', reason: expect.stringContaining('CANCELLED') }])
  })

  test('answers with the version that it was asked for, whatever was begun since', async () => {
    const region = await newRegion()
    const version = await uploaded(region, 'depth', depth)
    await admin.client.regions.createLayerUpload(region, 'depth', upload(depth))

    const answer = await admin.client.regions.completeLayer(region, 'depth', version)

    expect(answer).toMatchObject({ version: 1, status: 'INSPECTING', inspectionJobId: expect.any(String) })
  })

  test('refuses a version whose file has not arrived, and one that is not there', async () => {
    const region = await newRegion()
    const { version } = await admin.client.regions.createLayerUpload(region, 'depth', upload(depth))

    await expect(admin.client.regions.completeLayer(region, 'depth', version)).rejects.toMatchObject({
      code: 'upload_incomplete',
    })
    await expect(admin.client.regions.completeLayer(region, 'depth', 9)).rejects.toMatchObject({
      code: 'layer_not_found',
    })
    await expect(admin.client.regions.createLayerUpload('nowhere', 'depth', upload(depth))).rejects.toMatchObject({
      code: 'region_not_found',
    })
  })
})

const criteria = { depth: { min: -12 }, slope: { max: 12 } }
const assessment = (region: string) => ({ type: 'REGIONAL_ASSESSMENT' as const, inputPayload: { region, criteria } })
const suitability = (region: string, over: object = {}) => ({
  type: 'SUITABILITY_ASSESSMENT' as const,
  inputPayload: { region, criteria, xDist: 40, yDist: 40, threshold: 0.8, ...over },
})

describe('an assessment', () => {
  test('is computed by our worker, from the layers that it may read, into files', async () => {
    const region = await readyRegion()
    const { jobId } = await ana.client.jobs.create(assessment(region))
    const { jobId: sitesId } = await ana.client.jobs.create(suitability(region))
    const working = await work()

    const [regional, sites] = await Promise.all([jobId, sitesId].map((id) => ana.client.jobs.wait(id)))
    await working.done()

    expect(regional).toMatchObject({
      status: 'SUCCEEDED',
      resultPayload: { cells: 1200, validCells: expect.any(Number) },
    })
    expect(sites).toMatchObject({
      status: 'SUCCEEDED',
      resultPayload: { sites: expect.any(Number), bestScore: expect.any(Number) },
    })
    const { files } = await ana.client.jobs.download(sitesId)
    expect(Object.keys(files).toSorted()).toEqual(['sites.geojson', 'sites.png', 'summary.json'])
    const collection = await (await service.fetch(new Request(files['sites.geojson']!))).json()
    expect(collection).toMatchObject({ type: 'FeatureCollection' })
    expect((await ana.client.jobs.logs(sitesId)).items.length).toBeGreaterThan(1)
  })

  test('keeps to the polygon that it names, as it was when the job was started', async () => {
    const region = await readyRegion()
    const [west, south, east, north] = (await ana.client.regions.get(region)).layers[0]!.raster!.bbox as Bounds
    const middle = (west + east) / 2
    const half = [
      [west, south],
      [middle, south],
      [middle, north],
      [west, north],
      [west, south],
    ]
    const { id: polygonId } = await ana.client.polygons.create({ polygon: { type: 'Polygon', coordinates: [half] } })
    const { jobId } = await ana.client.jobs.create(suitability(region, { polygonId }))
    await ana.client.polygons.delete(polygonId)
    const working = await work()
    const job = await ana.client.jobs.wait(jobId)
    await working.done()

    expect(job).toMatchObject({ status: 'SUCCEEDED', inputPayload: { polygonId } })
    const { files } = await ana.client.jobs.download(jobId)
    const { features } = await (await service.fetch(new Request(files['sites.geojson']!))).json()
    expect(features.length).toBeGreaterThan(0)
    for (const { geometry } of features) {
      for (const [longitude] of geometry.coordinates[0]) expect(longitude).toBeLessThan(middle + 0.0005)
    }
  })

  test('shows each who shares it what they wrote themselves', async () => {
    const region = await readyRegion()
    const [west, south, east, north] = (await ana.client.regions.get(region)).layers[0]!.raster!.bbox as Bounds
    const ring = [
      [west, south],
      [east, south],
      [east, north],
      [west, north],
      [west, south],
    ]
    const polygon = { type: 'Polygon' as const, coordinates: [ring] }
    const { id: polygonId } = await ana.client.polygons.create({ polygon })
    const ben = await service.person()

    const mine = await ana.client.jobs.create(suitability(region, { polygonId }))
    const his = await ben.client.jobs.create(suitability(region, { polygon }))

    expect(his).toMatchObject({ jobId: mine.jobId, cached: true })
    expect((await ana.client.jobs.get(mine.jobId)).inputPayload).toHaveProperty('polygonId', polygonId)
    expect((await ben.client.jobs.get(mine.jobId)).inputPayload).not.toHaveProperty('polygonId')
    expect((await ben.client.jobs.list()).items[0]!.inputPayload).toHaveProperty('polygon')
  })

  test('needs no more than the connection that it has, key and all', async () => {
    const region = await readyRegion()
    const narrow = await startTestService({ databaseUrl: service.databaseUrl, poolSize: 1 })
    const client = narrow.client({ token: ana.token })

    expect(await client.jobs.create(suitability(region), { idempotencyKey: randomUUID() })).toHaveProperty('jobId')
  })

  test('is shared only while its layers are the same', async () => {
    const region = await readyRegion()
    await ana.client.jobs.create(assessment(region))
    expect(await ana.client.jobs.create(assessment(region))).toMatchObject({ cached: true })
    const changed = Buffer.from(depth)
    changed.writeFloatLE(-1, changed.length - 4)
    await service.sql`
      insert into region_layers (region, name, version, status, object_key, size_bytes, sha256, content_type, raster)
      select region, name, 2, 'READY', object_key || '2', size_bytes, ${upload(changed).sha256}, content_type, raster
      from region_layers
      where region = ${region}
    `

    expect(await ana.client.jobs.create(assessment(region))).toMatchObject({ cached: false })
  })

  test.each([
    ['an unknown region', () => suitability('nowhere'), 'unresolved_reference', '/inputPayload/region'],
    [
      'a layer that is not there',
      (region: string) => suitability(region, { criteria: { rugosity: { min: 1 } } }),
      'unresolved_reference',
      '/inputPayload/criteria/rugosity',
    ],
    [
      'a polygon of somebody else',
      (region: string) => suitability(region, { polygonId: foreignPolygonId }),
      'unresolved_reference',
      '/inputPayload/polygonId',
    ],
    [
      'an empty range',
      (region: string) => suitability(region, { criteria: { depth: { min: 1, max: 0 } } }),
      'invalid_request',
      '/inputPayload/criteria/depth',
    ],
    [
      'no criterion',
      (region: string) => suitability(region, { criteria: {} }),
      'invalid_request',
      '/inputPayload/criteria',
    ],
    [
      'a polygon twice',
      (region: string) => suitability(region, { polygonId: foreignPolygonId, polygon }),
      'invalid_request',
      '/inputPayload/polygon',
    ],
    [
      'a site of no size',
      (region: string) => suitability(region, { xDist: 0 }),
      'invalid_request',
      '/inputPayload/xDist',
    ],
  ])('refuses %s', async (_fault, job, code, pointer) => {
    const region = await readyRegion()

    await expect(ana.client.jobs.create(job(region))).rejects.toMatchObject({ code, errors: [{ pointer }] })
  })

  const polygon = {
    type: 'Polygon' as const,
    coordinates: [
      [
        [145, -14],
        [146, -14],
        [146, -13],
        [145, -14],
      ],
    ],
  }
})

const { id: foreignPolygonId } = await admin.client.polygons.create({
  polygon: {
    type: 'Polygon',
    coordinates: [
      [
        [145, -14],
        [146, -14],
        [146, -13],
        [145, -14],
      ],
    ],
  },
})

describe('deleteLayer', () => {
  test('leaves the file to a job that reads it, and then lets it go', async () => {
    const region = await readyRegion()
    const { jobId } = await ana.client.jobs.create(assessment(region))
    const [row] = await service.sql<
      { objectKey: string }[]
    >`select object_key from region_layers where region = ${region}`

    await admin.client.regions.deleteLayer(region, 'depth')
    await service.sql`update discarded_objects set discarded_at = now() - interval '2 hours'`
    await service.chores['purge discarded files']()
    expect(await service.store.head(row!.objectKey)).toBeDefined()
    expect((await ana.client.regions.get(region)).layers).toEqual([])

    await ana.client.jobs.cancel(jobId)
    await service.chores['purge discarded files']()
    expect(await service.store.head(row!.objectKey)).toBeUndefined()
    await expect(admin.client.regions.deleteLayer(region, 'depth')).rejects.toMatchObject({ code: 'layer_not_found' })
  })
})

describe('deleteRegion', () => {
  test('takes its layers along', async () => {
    const region = await readyRegion()

    await admin.client.regions.delete(region)

    await expect(ana.client.regions.get(region)).rejects.toMatchObject({ code: 'region_not_found' })
    expect(await service.sql`select from region_layers where region = ${region}`).toHaveLength(0)
  })
})
