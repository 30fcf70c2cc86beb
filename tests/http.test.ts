import { connect } from 'node:net'
import { text as readToEnd } from 'node:stream/consumers'
import { brotliDecompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import contract from '../generated/openapi.json' with { type: 'json' }
import type { components } from '../generated/types.ts'
import { startHttpServer } from '../src/main/http-server.ts'
import { memoryLog, startTestService } from './support/service.ts'

type Problem = components['schemas']['Problem']

const service = await startTestService({ log: memoryLog({ expectsErrors: true }) })

describe('every failure is a problem', () => {
  test.each([
    ['an unknown path', '/api/nope', {}, 404, 'not_found'],
    ['an unknown method', '/api/jobs', { method: 'PUT' }, 405, 'method_not_allowed'],
    ['no credentials', '/api/jobs', {}, 401, 'unauthenticated'],
    [
      'malformed JSON',
      '/api/auth/login',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' },
      400,
      'invalid_request',
    ],
    [
      'no JSON',
      '/api/auth/login',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' },
      415,
      'unsupported_media_type',
    ],
    ['no body', '/api/auth/login', { method: 'POST' }, 415, 'unsupported_media_type'],
    [
      'too much of a body',
      '/api/auth/login',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: `"${'x'.repeat(1024 * 1024)}"` },
      413,
      'payload_too_large',
    ],
    ['an id that is none', '/api/jobs/7', { headers: {} }, 401, 'unauthenticated'],
  ])('%s', async (_fault, path, init, status, code) => {
    const response = await service.send(path, init)

    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    const problem = await response.json()
    expect(problem).toMatchObject({ status, code, instance: path, requestId: response.headers.get('x-request-id') })
  })

  test.each([
    ['U+0000 in a value', { name: 'a\u0000b' }, '/name'],
    ['U+0000 in a name', { properties: { 'a\u0000b': 1 } }, '/properties'],
    ['half a character', { properties: { deep: ['\ud800'] } }, '/properties/deep/0'],
    ['nesting without end', { properties: { deep: JSON.parse('['.repeat(500) + ']'.repeat(500)) } }, undefined],
  ])('%s', async (_fault, over, pointer) => {
    const ana = await service.person()
    const ring = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 0],
    ]
    const creating = ana.client.polygons.create({ polygon: { type: 'Polygon', coordinates: [ring] }, ...over })

    const refusal = await creating.catch((error) => error)

    expect(refusal).toMatchObject({ status: 400, code: 'invalid_request' })
    if (pointer) expect(refusal.errors[0].pointer).toBe(pointer)
  })

  test('a number beyond all bounds', async () => {
    const { token } = await service.person()
    const body =
      '{"polygon":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]},"properties":{"deep":[1e400]}}'
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }

    const response = await service.send('/api/polygons', { method: 'POST', headers, body })

    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ errors: [{ pointer: '/properties/deep/0' }] })
  })

  describe('a body of JSON', () => {
    const area = '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}'
    const many = (value: string, count: number) => `[${`${value},`.repeat(count - 1)}${value}]`
    const post = async (path: string, body: string) => {
      const { token } = await service.person()
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
      return service.send(path, { method: 'POST', headers, body })
    }

    test('with more faults than can be listed', async () => {
      const rings = many(many('0', 99_000), 2)

      const response = await post('/api/polygons', `{"polygon":{"type":"Polygon","coordinates":${rings}}}`)

      expect(response.status).toBe(400)
      expect((await response.json()).errors.length).toBeLessThanOrEqual(100)
    })

    test.each([
      ['numbers', many('0', 260_000)],
      ['texts', many('""', 260_000)],
      ['lists', many(many('[]', 2), 130_000)],
    ])('with a flood of %s', async (_, flood) => {
      const response = await post('/api/polygons', `{"polygon":${area},"properties":{"flood":${flood}}}`)

      expect(response.status).toBe(413)
      expect((await response.json()).detail).toBe('The body may hold at most 250000 values.')
    })

    test('with as many positions as a ring may have', async () => {
      const ring = many('[0,0]', 100_000)

      const response = await post('/api/polygons', `{"polygon":{"type":"Polygon","coordinates":[${ring}]}}`)

      expect((await response.json()).detail).toBe('This ring encloses nothing: all its positions lie on one line.')
    })

    test('of many that are large waits for its turn, and gives it on whatever comes of it', async () => {
      const blank = ' '.repeat(900_000)
      const bodies = [`{}${blank}`, `{"polygon":${area}}${blank}`, `{"polygon":${blank}`]
      // Three times as much as may be in work at once.
      const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => post('/api/polygons', bodies[n % 3]!)))

      expect(answers.map(({ status }) => status)).toEqual(
        Array.from({ length: 30 }, (_, n) => (n % 3 === 1 ? 201 : 400)),
      )
    })

    test('that is larger than the operation can need', async () => {
      const blank = ' '.repeat(65_536)

      const [small, large] = [await post('/api/auth/token', `{}${blank}`), await post('/api/polygons', `{}${blank}`)]

      expect([small.status, (await small.json()).detail]).toEqual([413, 'The body may have at most 65536 bytes.'])
      expect(large.status).toBe(400)
    })

    test.each([
      ['', `{"__proto__":{},"polygon":${area}}`],
      ['/polygon', `{"polygon":{"__proto__":1,${area.slice(1)}}`],
      ['/properties/deep/0', `{"polygon":${area},"properties":{"deep":[{"__proto__":[]}]}}`],
    ])('with a member __proto__ at "%s"', async (place, body) => {
      const response = await post('/api/polygons', body)

      expect(response.status).toBe(400)
      expect((await response.json()).errors).toEqual([
        { pointer: `${place}/__proto__`, detail: 'Unknown: "__proto__"' },
      ])
    })

    test('with an unknown member of a long name, of which a part is told', async () => {
      const response = await post('/api/polygons', JSON.stringify({ [`/${'x'.repeat(10_000)}`]: 1 }))

      const { detail, errors } = (await response.json()) as Problem
      expect(response.status).toBe(400)
      const unknown = errors!.find((error) => error.detail.startsWith('Unknown'))!
      expect(unknown.pointer).toMatch(/^\/~1x+…$/)
      for (const told of [detail, unknown.pointer, unknown.detail]) expect(told!.length).toBeLessThan(500)
    })
  })

  test('what is a bug of ours tells nothing', async () => {
    const ana = await service.person()
    await service.sql`alter table polygons rename to polygons_gone`

    const failure = await ana.client.polygons.list().catch((error) => error)
    await service.sql`alter table polygons_gone rename to polygons`

    expect(failure).toMatchObject({ status: 500, code: 'internal', detail: 'Something went wrong on our side.' })
    const [line] = service.log.lines.filter(({ message }) => message === 'unhandled error')
    expect(line!.fields).toMatchObject({ requestId: failure.requestId })
  })
})

describe('a body that does not arrive', () => {
  const head = 'POST /api/auth/login HTTP/1.1\r\nhost: reef.example\r\ncontent-type: application/json\r\n'
  const announced = `${head}content-length: 100\r\n\r\n{"email":`
  const inChunks = `${head}transfer-encoding: chunked\r\n\r\n9\r\n{"email":\r\n`
  const send = async (url: string, text: string) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {}).write(text)
    return socket
  }

  test.each([
    ['of an announced length', announced],
    ['in chunks', inChunks],
  ])('%s is given up', async (_, text) => {
    const { app } = await startTestService({ bodyDeadlineMs: 50 })
    const server = await startHttpServer({ fetch: app.fetch, host: '127.0.0.1', port: 0 })

    const answer = await readToEnd(await send(server.url, text))

    expect(answer).toMatch(/^HTTP\/1.1 408 /)
    expect(answer).toMatch(/^connection: close\r$/m)
    expect(answer).toContain('"code":"request_timeout"')
    await server.stop()
  })

  test.each([
    ['of an announced length', announced],
    ['in chunks', inChunks],
  ])('%s since the client went away, is no failure of ours', async (_, text) => {
    const { app, log } = await startTestService()
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<Response>()]
    const fetch = async (request: Request) => {
      const answer = app.fetch(request)
      asked.resolve()
      answered.resolve(answer)
      return answer
    }
    const server = await startHttpServer({ fetch, host: '127.0.0.1', port: 0 })
    const socket = await send(server.url, text)
    await asked.promise

    socket.resetAndDestroy()

    expect((await answered.promise).status).toBe(400)
    expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([])
    await server.stop()
  })
})

describe('headers', () => {
  test('forbid what a browser might do with an answer', async () => {
    const { headers } = await service.send('/livez')

    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
  })

  test('let the listed origins in, and no other', async () => {
    const ask = (origin: string) =>
      service.send('/api/jobs', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
      })

    const [ours, other] = [await ask('https://console.reef.example'), await ask('https://evil.example')]

    expect(ours.headers.get('access-control-allow-origin')).toBe('https://console.reef.example')
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('keep a request id that fits, and make one in place of one that does not', async () => {
    const ask = async (id: string) =>
      (await service.send('/livez', { headers: { 'x-request-id': id } })).headers.get('x-request-id')

    expect(await ask('trace-1')).toBe('trace-1')
    expect(await ask('<script>')).not.toBe('<script>')
  })
})

describe('compression', () => {
  test.each([
    ['/openapi.json', 'gzip, deflate, br', 'br'],
    ['/openapi.json', 'gzip', 'gzip'],
    ['/openapi.json', 'br;q=0, gzip', 'gzip'],
    ['/openapi.json', 'GZIP;q=0.5', 'gzip'],
    ['/openapi.json', 'x-br-br, gzip;q=0.0', null],
    ['/openapi.json', 'identity', null],
    ['/livez', 'br', null],
  ])('%s for who accepts %s is encoded as %s', async (path, accepted, encoding) => {
    const request = new Request(`${service.baseUrl}${path}`, { headers: { 'accept-encoding': accepted } })

    const { headers } = await service.app.fetch(request)

    expect(headers.get('content-encoding')).toBe(encoding)
  })

  test('gives back what it was given', async () => {
    const request = new Request(`${service.baseUrl}/openapi.json`, { headers: { 'accept-encoding': 'br' } })

    const bytes = Buffer.from(await (await service.app.fetch(request)).arrayBuffer())

    expect(JSON.parse(brotliDecompressSync(bytes).toString())).toEqual(contract)
  })
})

describe('getReadiness', () => {
  test('really asks the database and the store', async () => {
    const broken = await startTestService({
      store: { ...service.store, check: () => Promise.reject(new Error('gone')) },
    })

    expect(await (await service.send('/readyz')).json()).toEqual({
      status: 'ok',
      checks: { database: 'ok', store: 'ok' },
    })
    const response = await broken.send('/readyz')
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual({ status: 'unavailable', checks: { database: 'ok', store: 'unavailable' } })
    await broken.sql.end()
    expect(await (await broken.send('/readyz')).json()).toMatchObject({ checks: { database: 'unavailable' } })
    expect((await broken.send('/livez')).status).toBe(200)
  })
})
