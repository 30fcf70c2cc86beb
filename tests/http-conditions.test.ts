import { beforeEach, describe, expect, test } from 'vitest'
import { type Person, startTestService } from './support/service.ts'

const service = await startTestService()
const geoJson = 'application/geo+json'
const area = {
  type: 'Polygon',
  coordinates: [
    [
      [145, -14],
      [146, -14],
      [146, -13],
      [145, -14],
    ],
  ],
}
/** Enough to be worth compressing. */
const long = 'deep and clear '.repeat(200)

let ana: Person
beforeEach(async () => {
  ana = await service.person()
})

function ask(method: string, path: string, headers: Record<string, string> = {}, body?: object) {
  const request = new Request(`${service.baseUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${ana.token}`, ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  // What is compressed is not held against the contract, which is about what it holds.
  return headers['accept-encoding'] ? service.app.fetch(request) : service.fetch(request)
}
async function made(path: string, body: object): Promise<string> {
  const response = await ask('POST', path, {}, body)
  expect([response.status, response.headers.get('etag')]).toEqual([201, '"1"'])
  return response.headers.get('location')!
}
const drawn = (more: object = {}) => made('/api/polygons', { polygon: area, ...more })
const noted = async (content = 'Bleached.') =>
  made('/api/notes', { polygonId: (await drawn()).split('/').at(-1), content })

const resources = [
  { resource: 'a polygon', make: drawn, change: { polygon: area, name: 'changed' }, unknown: '/api/polygons/' },
  { resource: 'a note', make: () => noted(), change: { content: 'changed' }, unknown: '/api/notes/' },
]

describe.each(resources)('If-None-Match of $resource', ({ make, change, unknown }) => {
  test.each([
    ['its tag', '"1"'],
    ['its weak tag', 'W/"1"'],
    ['any of several', '"7" , W/"1","9"'],
    ['whatever there is', '*'],
  ])('spares who has %s', async (_, known) => {
    const path = await make()
    for (const method of ['GET', 'HEAD']) {
      const response = await ask(method, path, { 'if-none-match': known })

      expect(response.status).toBe(304)
      expect(response.headers.get('etag')).toBe('"1"')
      expect(response.headers.has('content-type')).toBe(false)
      expect(await response.text()).toBe('')
    }
  })

  test.each(['"2"', 'W/"2", "11"', '1', '"1.geojson"', '"1.br"', '"1" "2"'])(
    'spares nobody who has %s',
    async (tag) => {
      const path = await make()

      const response = await ask('GET', path, { 'if-none-match': tag })

      expect([response.status, response.headers.get('etag')]).toEqual([200, '"1"'])
    },
  )

  test('goes by the version that is there now', async () => {
    const path = await make()
    await ask('PUT', path, {}, change)

    expect((await ask('GET', path, { 'if-none-match': '"1"' })).status).toBe(200)
    expect((await ask('GET', path, { 'if-none-match': '"2"' })).status).toBe(304)
  })

  test('says nothing of what one may not see', async () => {
    const path = await make()
    ana = await service.person()

    expect((await ask('GET', path, { 'if-none-match': '*' })).status).toBe(404)
  })

  test.each(['PUT', 'DELETE'])('keeps a %s from what is there', async (method) => {
    const [path, body] = [await make(), method === 'PUT' ? change : undefined]

    const refusal = await ask(method, path, { 'if-none-match': '*', 'if-match': '"1"' }, body)

    expect(await refusal.json()).toMatchObject({ status: 412, code: 'precondition_failed' })
    expect((await ask('GET', path)).headers.get('etag')).toBe('"1"')
  })

  test.each(['PUT', 'DELETE'])('makes nothing by a %s where nothing is', async (method) => {
    const path = unknown + crypto.randomUUID()

    const refusal = await ask(method, path, { 'if-none-match': '*' }, method === 'PUT' ? change : undefined)

    expect(refusal.status).toBe(404)
  })

  test('is refused where a write would have to go by its tags', async () => {
    const refusal = await ask('PUT', await make(), { 'if-none-match': '"7"' }, change)

    expect(await refusal.json()).toMatchObject({ status: 400, errors: [{ pointer: '/header/If-None-Match' }] })
  })
})

describe('another representation of the same version', () => {
  const variants: [string, Record<string, string>, string, string][] = [
    ['GeoJSON', { accept: geoJson, 'accept-encoding': 'identity' }, '"1.geojson"', 'accept, accept-encoding'],
    ['compressed', { 'accept-encoding': 'gzip' }, '"1.gzip"', 'accept, accept-encoding'],
    ['both', { accept: geoJson, 'accept-encoding': 'br' }, '"1.geojson.br"', 'accept, accept-encoding'],
  ]

  test.each(variants)('%s has a tag of its own', async (_, headers, etag, vary) => {
    const path = await drawn({ description: long })

    const [plain, variant] = [await ask('GET', path), await ask('GET', path, headers)]

    expect([plain.headers.get('etag'), variant.headers.get('etag')]).toEqual(['"1"', etag])
    expect([plain.headers.get('vary'), variant.headers.get('vary')]).toEqual([vary, vary])
  })

  test.each(variants)('%s is not sent again, and neither is another in its place', async (_, headers, etag, vary) => {
    const path = await drawn({ description: long })

    const same = await ask('GET', path, { ...headers, 'if-none-match': etag })
    const [plain, variant] = [
      await ask('GET', path, { 'if-none-match': etag }),
      await ask('GET', path, { ...headers, 'if-none-match': '"1"' }),
    ]

    expect([same.status, same.headers.get('etag'), same.headers.get('vary')]).toEqual([304, etag, vary])
    expect(same.headers.has('content-encoding')).toBe(false)
    expect([plain.status, variant.status]).toEqual([200, 200])
  })

  test.each(variants)('%s names the version for If-Match', async (_, headers, etag) => {
    const path = await drawn()
    const read = { ...headers, 'if-match': etag }

    const replaced = await ask('PUT', path, { 'if-match': etag }, { polygon: area })
    const [late, deleted] = [await ask('PUT', path, read, { polygon: area }), await ask('DELETE', path, read)]
    const done = await ask('DELETE', path, { 'if-match': etag.replace('1', '2') })

    expect([replaced.status, late.status, deleted.status, done.status]).toEqual([200, 412, 412, 204])
  })
})

describe('Accept', () => {
  const json = 'application/json'

  test.each([
    ['*/*', json],
    ['application/*', json],
    [geoJson, geoJson],
    [geoJson.toUpperCase(), geoJson],
    [`${geoJson}, */*`, geoJson],
    [`${geoJson}, ${json}`, geoJson],
    [`${json}, ${geoJson}`, json],
    [`${json};q=0, */*`, geoJson],
    [`*/*, ${json}; q=0.0`, geoJson],
    [`${geoJson};q=0, */*`, json],
    [`${json};q=0.5, */*`, geoJson],
    [`application/*;q=0.2, ${geoJson};q=0.1`, json],
    [`application/*;q=0, ${geoJson}`, geoJson],
    [`application/*;q=0, */*`, json],
    ['text/html, *;q=0.1', json],
    [`*/*, ${json}`, json],
    [`*/*, ${geoJson}`, geoJson],
    ['text/html', json],
    [`${json};q=0`, geoJson],
    [`${geoJson};q=0`, json],
    ['*/*;q=0', json],
  ])('%s gets %s', async (accept, type) => {
    const path = await drawn()

    const { headers } = await ask('GET', path, { accept })

    expect(headers.get('content-type')).toBe(type)
  })
})
