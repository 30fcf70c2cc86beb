import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Client, etagOf } from '../../sdk/index.ts'
import { publicPathTest } from '../../sdk/public-paths.ts'
import { fakeService, json } from './support/fake-service.ts'

interface Operation {
  operationId: string
  /** The SDK's method, as `namespace.method`. */
  'x-sdk'?: string
  security?: object[]
}

const contract = JSON.parse(readFileSync(new URL('../../generated/openapi.json', import.meta.url), 'utf8'))

const operations = Object.entries<Record<string, Operation>>(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([method]) => /^(get|put|post|patch|delete)$/.test(method))
    .map(([method, operation]) => ({ path, method: method.toUpperCase(), sdk: operation['x-sdk'], ...operation })),
)
const offered = operations.filter((operation): operation is typeof operation & { sdk: string } => !!operation.sdk)

type Namespace = Exclude<keyof Client, 'transfers' | 'raw'>
/** Arguments for methods, by namespace. */
type Arguments = { [N in Namespace]?: { [M in keyof Client[N]]?: Parameters<Extract<Client[N][M], Method>> } }
type Method = (...given: never) => unknown

const polygon = { polygon: { type: 'Polygon' as const, coordinates: [] } }
const credentials = { email: 'a@reef.example', password: 'p' }

/** Arguments for those methods that do not do without. */
const required: Arguments = {
  auth: {
    register: [credentials],
    login: [credentials],
    refresh: ['refresh-1'],
    recoverPassword: ['a@reef.example'],
    resetPassword: [{ token: 'fsp_x', password: 'p' }],
  },
  users: {
    updateMe: [{ name: 'Ana' }],
    changePassword: [{ currentPassword: 'p', newPassword: 'q' }],
    deleteSession: ['x'],
    create: [{ email: 'a@reef.example' }],
    get: ['x'],
    update: ['x', { name: 'Ana' }],
    delete: ['x'],
    recoverPassword: ['x'],
    listApiKeysOf: ['x'],
    deleteApiKeyOf: ['x', 'x'],
    createApiKey: [{ name: 'boat', scopes: ['jobs:work'] }],
    deleteApiKey: ['x'],
  },
  polygons: {
    create: [polygon],
    get: ['x'],
    replace: ['x', polygon],
    delete: ['x'],
    import: [{ type: 'FeatureCollection', features: [] }],
  },
  notes: {
    listByPolygon: ['x'],
    create: [{ polygonId: 'x', content: 'Bleached' }],
    get: ['x'],
    replace: ['x', { content: 'Recovering' }],
    delete: ['x'],
  },
  images: {
    create: [new Blob(['an image'])],
    createUpload: [{ name: 'reef.png', contentType: 'image/png', sizeBytes: 1, sha256: '0' }],
    completeUpload: ['x'],
    get: ['x'],
    download: ['x'],
    update: ['x', { name: 'bommie.png' }],
    delete: ['x'],
  },
  regions: {
    get: ['x'],
    put: ['x', { title: 'X' }],
    delete: ['x'],
    createLayerUpload: ['x', 'x', { sizeBytes: 1, sha256: '0' }],
    completeLayer: ['x', 'x', 1],
    deleteLayer: ['x', 'x'],
  },
  jobs: {
    type: ['x' as never],
    create: [{ type: 'TEST', inputPayload: { id: 1 } }],
    get: ['x'],
    cancel: ['x'],
    logs: ['x'],
    events: ['x'],
    download: ['x'],
  },
  worker: {
    assign: [{ jobId: 'x' }],
    claim: [{ jobTypes: ['TEST'] }],
    heartbeat: ['x'],
    appendLogs: ['x', [{ message: 'hi' }]],
    inputs: ['x'],
    createUploads: ['x', []],
    release: ['x'],
    reportResult: ['x', { status: 'FAILED' }],
  },
  email: {
    send: [{ recipients: ['a@reef.example'], subject: 'Hi', text: 'Hi' }],
  },
}

/** Methods that stand for several calls of others, or for another kind of answer. */
const combined = [
  'users.listAll',
  'users.listAllSessions',
  'users.listAllApiKeys',
  'users.listAllApiKeysOf',
  'admin.auditAll',
  'polygons.listAll',
  'polygons.features',
  'notes.listAll',
  'notes.listAllByPolygon',
  'images.listAll',
  'images.upload',
  'regions.listAll',
  'regions.uploadLayer',
  'jobs.listAll',
  'jobs.requestsAll',
  'jobs.logsAll',
  'jobs.wait',
  'jobs.downloadFiles',
]

/** Every method that the namespaces have, as `namespace.method`. */
const methodsOf = ({ transfers: _, raw: __, ...namespaces }: Client) =>
  Object.entries(namespaces).flatMap(([name, methods]) => Object.keys(methods).map((method) => `${name}.${method}`))

async function call(client: Client, sdk: string): Promise<void> {
  const [namespace, method] = sdk.split('.') as [Namespace, string]
  const methods = client[namespace] as unknown as Record<string, (...given: unknown[]) => unknown>
  const given = (required[namespace] ?? {}) as Record<string, unknown[]>
  const answer = await methods[method]!(...(given[method] ?? []))
  // What follows asks nothing before somebody reads it.
  if (answer && typeof answer === 'object' && 'next' in answer) await (answer as AsyncGenerator).next()
}

describe('the namespaces', () => {
  test('have a method for each operation of the contract, and say so of all others', () => {
    const client = fakeService({}).client()
    expect(methodsOf(client).sort()).toEqual([...offered.map(({ sdk }) => sdk), ...combined].sort())
  })

  test('leave out the pages for people alone', () => {
    expect(operations.filter(({ sdk }) => !sdk).map(({ operationId }) => operationId)).toEqual([
      'getResetPasswordPage',
      'getDocs',
    ])
  })

  test.each(offered)('$sdk asks $method $path', async ({ sdk, method, path }) => {
    const route = `${method} ${path.replace(/\{\w+\}/g, 'x')}`
    const isStream = sdk === 'jobs.events'
    const service = fakeService({ [route]: isStream ? new Response(null, { status: 204 }) : json({ checks: {} }) })

    await call(service.client(), sdk)

    expect(service.requests.map((request) => `${request.method} ${request.path}`)).toEqual([route])
  })

  test.each(operations)('send credentials to $operationId where the contract asks for them', ({ path, security }) => {
    const asked = path.replace(/\{\w+\}/g, 'x')
    expect(publicPathTest('https://reef.example')(asked)).toBe(security?.length === 0)
    expect(publicPathTest('https://reef.example/behind/a/proxy/')(`/behind/a/proxy${asked}`)).toBe(
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

  test('polygons come as features to whoever asks for those', async () => {
    const collection = { type: 'FeatureCollection', features: [] }
    const service = fakeService({ 'GET /api/polygons': json(collection) })
    const client = service.client()

    expect(await client.polygons.features({ name: 'lagoon' })).toEqual(collection)
    await client.polygons.list()

    const [features, list] = service.requests
    expect([features!.headers.get('accept'), features!.query]).toEqual(['application/geo+json', { name: 'lagoon' }])
    expect(list!.headers.get('accept') ?? '*/*').toBe('*/*')
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
