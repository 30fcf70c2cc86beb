import { connect } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { startHttpServer } from '../src/main/http-server.ts'
import { startTestService } from './support/service.ts'

const service = await startTestService()
const server = await startHttpServer({ fetch: service.fetch, host: '127.0.0.1', port: 0 })
afterAll(() => server.stop())
const ana = await service.person()

const area = '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}'
const polygon = `{"polygon":${area}}`

describe('a body of JSON', () => {
  const post = (headers: Record<string, string>) =>
    service.send('/api/polygons', {
      method: 'POST',
      headers: { authorization: `Bearer ${ana.token}`, 'content-type': 'application/json', ...headers },
      body: new TextEncoder().encode(polygon),
    })

  test.each(['identity', 'Identity', 'identity , identity', ''])(
    'may say that it is as it is: "%s"',
    async (coding) => {
      expect((await post({ 'content-encoding': coding })).status).toBe(201)
    },
  )

  test.each(['gzip', 'br', 'zstd', 'gzip, identity', 'identity,gzip', 'nonsense'])(
    'has no coding such as %s',
    async (coding) => {
      const response = await post({ 'content-encoding': coding })

      expect([response.status, response.headers.get('accept-encoding')]).toEqual([415, 'identity'])
      expect((await response.json()).detail).toBe(`Send the body as it is, without the content coding ${coding}.`)
    },
  )

  test.each(['charset=utf-8', 'charset="UTF-8"', 'Charset=utf8', 'profile=x;charset=utf-8', 'profile=x'])(
    'may be of UTF-8: %s',
    async (parameter) => {
      expect((await post({ 'content-type': `application/json; ${parameter}` })).status).toBe(201)
    },
  )

  test.each(['charset=latin1', 'charset="utf-16"', 'CHARSET=utf-8859', 'profile=x; charset=us-ascii'])(
    'is of no %s',
    async (parameter) => {
      const response = await post({ 'content-type': `application/geo+json; ${parameter}` })

      expect(response.status).toBe(415)
      expect((await response.json()).detail).toBe(`JSON is sent in UTF-8, not as application/geo+json; ${parameter}.`)
    },
  )
})

describe('who asks before it sends a body', () => {
  const json = { authorization: `Bearer ${ana.token}`, 'content-type': 'application/json' }
  const form = { ...json, 'content-type': 'multipart/form-data; boundary=x' }

  /** A connection with requests of which the bodies wait for 100, and what comes back on it. */
  function open() {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').setEncoding('utf8')
    const state = { heard: '', isClosed: false }
    socket.on('error', () => {})
    socket.on('data', (text: string) => {
      state.heard += text
    })
    socket.on('close', () => {
      state.isClosed = true
    })
    const ask = (path: string, headers: Record<string, string | number>) => {
      const lines = Object.entries({ host: 'reef', expect: '100-continue', ...headers })
      socket.write(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
    }
    return { state, ask, write: (text: string) => socket.write(text), close: () => socket.destroy() }
  }

  test.each<[string, number, string, Record<string, string | number>]>([
    ['is a stranger', 401, '/api/polygons', { 'content-length': 100 }],
    ['may not', 403, '/api/jobs/claim', { ...json, 'content-length': 100 }],
    ['asks for nothing', 404, '/api/nothing', { ...json, 'content-length': 100 }],
    ['has too much', 413, '/api/polygons', { ...json, 'content-length': 100_000_000 }],
    ['has too much of a file', 413, '/api/images', { ...form, 'content-length': 100_000_000_000 }],
    ['has no JSON', 415, '/api/polygons', { ...json, 'content-type': 'text/csv', 'content-length': 100 }],
    ['has it compressed', 415, '/api/images', { ...form, 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' }],
  ])('%s is told so at once, and sends none', async (_, status, path, headers) => {
    const { state, ask } = open()

    ask(path, headers)

    await expect.poll(() => state.isClosed).toBe(true)
    expect(state.heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(state.heard).toMatch(/^connection: close\r$/im)
    expect(state.heard).not.toContain('100 Continue')
  })

  test.each([
    ['announced', { 'content-length': polygon.length }, polygon],
    ['in chunks', { 'transfer-encoding': 'chunked' }, `${polygon.length.toString(16)}\r\n${polygon}\r\n0\r\n\r\n`],
  ])('is asked for it, %s, and may ask again', async (_, framing, body) => {
    const { state, ask, write, close } = open()

    for (let answers = 1; answers <= 2; answers++) {
      ask('/api/polygons', { ...json, ...framing })
      await expect.poll(() => state.heard.match(/HTTP\/1.1 100 Continue\r\n\r\n/g)?.length).toBe(answers)
      write(body)
      await expect.poll(() => state.heard.match(/HTTP\/1.1 201 Created\r\n/g)?.length).toBe(answers)
    }

    close()
  })

  test('is asked for a form', async () => {
    const { state, ask, close } = open()

    ask('/api/images', { ...form, 'content-length': 1000 })

    await expect.poll(() => state.heard).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    close()
  })
})
