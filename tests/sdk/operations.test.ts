import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Client, etagOf } from '../../sdk/index.ts'
import { publicPathTest } from '../../sdk/public-paths.ts'
import { fakeService, json } from './support/fake-service.ts'

interface Operation {
  operationId: string
  security?: object[]
}

const contract = JSON.parse(readFileSync(new URL('../../generated/openapi.json', import.meta.url), 'utf8'))

const operations = Object.entries<Record<string, Operation>>(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([method]) => /^(get|put|post|patch|delete)$/.test(method))
    .map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
)

const polygon = { polygon: { type: 'Polygon' as const, coordinates: [] } }
const credentials = { email: 'a@reef.example', password: 'p' }

/** One call for each operation of the contract. */
const calls: Record<string, (client: Client) => Promise<unknown>> = {
  register: (c) => c.auth.register(credentials),
  login: (c) => c.auth.login(credentials),
  refreshToken: (c) => c.auth.refresh('refresh-1'),
  logout: (c) => c.auth.logout(),
  getProfile: (c) => c.auth.profile(),
  getJwks: (c) => c.auth.jwks(),
  getMe: (c) => c.users.me(),
  updateMe: (c) => c.users.updateMe({ name: 'Ana' }),
  listApiKeys: (c) => c.users.listApiKeys(),
  createApiKey: (c) => c.users.createApiKey({ name: 'boat', scopes: ['jobs:work'] }),
  deleteApiKey: (c) => c.users.deleteApiKey('x'),
  listPolygons: (c) => c.polygons.list(),
  createPolygon: (c) => c.polygons.create(polygon),
  getPolygon: (c) => c.polygons.get('x'),
  replacePolygon: (c) => c.polygons.replace('x', polygon),
  deletePolygon: (c) => c.polygons.delete('x'),
  listRegions: (c) => c.regions.list(),
  getRegion: (c) => c.regions.get('x'),
  putRegion: (c) => c.regions.put('x', { title: 'X' } as never),
  deleteRegion: (c) => c.regions.delete('x'),
  createLayerUpload: (c) => c.regions.createLayerUpload('x', 'x', { sizeBytes: 1, sha256: '0' }),
  completeLayer: (c) => c.regions.completeLayer('x', 'x', 1),
  deleteLayer: (c) => c.regions.deleteLayer('x', 'x'),
  listJobTypes: (c) => c.jobs.types(),
  getJobType: (c) => c.jobs.type('x' as never),
  createJob: (c) => c.jobs.create({ type: 'TEST', inputPayload: { id: 1 } }),
  listJobs: (c) => c.jobs.list(),
  listJobRequests: (c) => c.jobs.requests(),
  getJob: (c) => c.jobs.get('x'),
  cancelJob: (c) => c.jobs.cancel('x'),
  listJobLogs: (c) => c.jobs.logs('x'),
  streamJobEvents: (c) => c.jobs.events('x').next(),
  downloadJob: (c) => c.jobs.download('x'),
  pollJobs: (c) => c.worker.poll(),
  assignJob: (c) => c.worker.assign({ jobId: 'x' }),
  claimJobs: (c) => c.worker.claim({ jobTypes: ['TEST'] }),
  heartbeat: (c) => c.worker.heartbeat('x'),
  appendLogs: (c) => c.worker.appendLogs('x', [{ message: 'hi' }]),
  listInputs: (c) => c.worker.inputs('x'),
  createUploads: (c) => c.worker.createUploads('x', []),
  releaseJob: (c) => c.worker.release('x'),
  reportResult: (c) => c.worker.reportResult('x', { status: 'FAILED' }),
  getContract: (c) => c.system.contract(),
  getLiveness: (c) => c.system.live(),
  getReadiness: (c) => c.system.ready(),
}

/** Served for people: a page, and not for programs. */
const notOffered = ['getDocs']

describe('the namespaces', () => {
  test('offer every operation of the contract', () => {
    const ids = operations.map(({ operationId }) => operationId)
    expect([...Object.keys(calls), ...notOffered].sort()).toEqual(ids.sort())
  })

  test.each(operations.filter(({ operationId }) => operationId in calls))(
    '$operationId asks $method $path',
    async ({ operationId, method, path }) => {
      const route = `${method} ${path.replace(/\{\w+\}/g, 'x')}`
      const isEmpty = ['streamJobEvents'].includes(operationId)
      const service = fakeService({ [route]: isEmpty ? new Response(null, { status: 204 }) : json({ checks: {} }) })

      await calls[operationId]!(service.client())

      expect(service.requests.map((request) => `${request.method} ${request.path}`)).toEqual([route])
    },
  )

  test.each(operations)('send credentials to $operationId where the contract asks for them', ({ path, security }) => {
    expect(publicPathTest('https://reef.example')(path)).toBe(security?.length === 0)
    expect(publicPathTest('https://reef.example/behind/a/proxy/')(`/behind/a/proxy${path}`)).toBe(
      security?.length === 0,
    )
  })
})

describe('parameters', () => {
  test('go where the contract has them', async () => {
    const service = fakeService({ 'GET /api/jobs': json({ items: [] }), 'GET /api/jobs/x': json({}) })
    const client = service.client()

    await client.jobs.list({ status: 'PENDING', type: 'TEST', limit: 5 })
    await client.jobs.get('x', { waitSeconds: 3, afterEventId: 7 })

    expect(service.requests.map(({ query }) => query)).toEqual([
      { status: 'PENDING', type: 'TEST', limit: '5' },
      { waitSeconds: '3', afterEventId: '7' },
    ])
  })

  test('are escaped in paths', async () => {
    const service = fakeService({ 'GET /api/regions/a%2Fb%3Fc': json({ name: 'a' }) })
    await service.client().regions.get('a/b?c')
    expect(service.requests).toHaveLength(1)
  })

  test('an idempotency key goes with each new job, another one each time', async () => {
    const service = fakeService({ 'POST /api/jobs': json({ jobId: 'j' }, { status: 201 }) })
    const client = service.client()
    const job = { type: 'TEST', inputPayload: { id: 1 } } as const

    await client.jobs.create(job)
    await client.jobs.create(job)
    await client.jobs.create(job, { idempotencyKey: 'mine' })

    const [first, second, third] = service.requests.map(({ headers }) => headers.get('idempotency-key'))
    expect(first).toMatch(/^[0-9a-f]{32}$/)
    expect(second).not.toBe(first)
    expect(third).toBe('mine')
  })

  test("an assignment's token replaces the client's credentials", async () => {
    const service = fakeService({ 'POST /api/jobs/assignments/a/heartbeat': json({}) })

    await service.client({ apiKey: 'fs_key' }).worker.heartbeat('a', { progress: 0.5 }, { token: 'assignment' })

    const [{ headers, body }] = service.requests as [(typeof service.requests)[0]]
    expect([headers.get('authorization'), headers.get('x-api-key')]).toEqual(['Bearer assignment', null])
    expect(body).toEqual({ progress: 0.5 })
  })
})

describe('ETags', () => {
  test('come with a resource and go back as If-Match', async () => {
    const service = fakeService({
      'GET /api/polygons/p': json({ id: 'p' }, { headers: { etag: '"3"' } }),
      'PUT /api/polygons/p': json({ id: 'p' }, { headers: { etag: '"4"' } }),
      'DELETE /api/polygons/p': new Response(null, { status: 204 }),
    })
    const client = service.client()

    const read = await client.polygons.get('p')
    const written = await client.polygons.replace('p', polygon, { ifMatch: etagOf(read) })
    await client.polygons.delete('p', { ifMatch: etagOf(written) })

    expect(read).toEqual({ id: 'p' })
    expect(service.requests.map(({ headers }) => headers.get('if-match'))).toEqual([null, '"3"', '"4"'])
  })

  test('are missed aloud rather than left out', async () => {
    const service = fakeService({ 'GET /api/polygons': json({ items: [{ id: 'p' }] }) })
    const { items } = await service.client().polygons.list()
    expect(() => etagOf(items[0]!)).toThrow(TypeError)
  })
})

describe('pages', () => {
  test('follow one another until there is no cursor, and no further than they are read', async () => {
    const service = fakeService({
      'GET /api/polygons': [
        json({ items: [{ id: 1 }, { id: 2 }], nextCursor: 'b' }),
        json({ items: [], nextCursor: 'c' }),
        json({ items: [{ id: 3 }] }),
      ],
    })
    const ids: unknown[] = []

    for await (const { id } of service.client().polygons.listAll({ limit: 2 })) {
      ids.push(id)
      if (ids.length === 2) expect(service.requests).toHaveLength(1)
    }

    expect(ids).toEqual([1, 2, 3])
    expect(service.requests.map(({ query }) => query)).toEqual([
      { limit: '2' },
      { limit: '2', cursor: 'b' },
      { limit: '2', cursor: 'c' },
    ])
  })
})

describe('getReadiness', () => {
  test('gives an answer for a service that is not ready, and asks once', async () => {
    const notReady = { status: 'unavailable', checks: { database: 'unavailable', store: 'ok' } }
    const service = fakeService({ 'GET /readyz': json(notReady, { status: 503 }) })

    await expect(service.client().system.ready()).resolves.toEqual(notReady)

    expect(service.requests).toHaveLength(1)
  })
})
