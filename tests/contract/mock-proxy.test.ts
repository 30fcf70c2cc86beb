import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { createClient } from '../../sdk/index.ts'
import { startHttpServer } from '../../src/main/http-server.ts'
import { claimOne, testJob } from '../support/jobs.ts'
import { startTestService } from '../support/service.ts'
import { operations } from './contract.ts'
import { picture } from './form.ts'
import { startMock } from './mock-process.ts'

const service = await startTestService()
const server = await startHttpServer({ fetch: service.fetch, host: '127.0.0.1', port: 0 })
afterAll(() => server.stop())
const proxy = await startMock(['--proxy', '--upstream', server.url])

const person = await service.person()
const worker = await service.worker()
const through = createClient({ baseUrl: proxy.url, token: person.token, retries: 0 })
const headers = { authorization: `Bearer ${person.token}`, 'content-type': 'application/json' }
const exampleOf = (id: string) => operations.find(({ operationId }) => operationId === id)!

const polygon = {
  polygon: {
    type: 'Polygon' as const,
    coordinates: [
      [
        [145.442, -14.668],
        [145.461, -14.668],
        [145.461, -14.651],
        [145.442, -14.668],
      ],
    ],
  },
}

/** How often the service was asked for something. */
const asked = (operationId: string) =>
  service.log.lines.filter(
    ({ message, fields }) => message === 'request' && 'operationId' in fields && fields.operationId === operationId,
  ).length

/** A service that answers in its own way, with a proxy in front of it. */
async function proxyOf(answer: RequestListener): Promise<string> {
  const upstream = createServer(answer).listen(0, '127.0.0.1')
  onTestFinished(() => {
    upstream.closeAllConnections()
    upstream.close()
  })
  await once(upstream, 'listening')
  const { url } = await startMock([
    '--proxy',
    '--upstream',
    `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
  ])
  return url
}

describe('the proxy', () => {
  test('lets through what fits, there and back', async () => {
    const { id } = await through.polygons.create({ name: 'Lagoon', ...polygon })
    const { items } = await through.polygons.list()

    expect(items.map((item) => item.id)).toEqual([id])
    expect(await person.client.polygons.get(id)).toMatchObject({ name: 'Lagoon' })
  })

  test('lets through what the service refuses', async () => {
    const { id } = await person.client.polygons.create(polygon)
    await person.client.polygons.delete(id)

    await expect(through.polygons.get(id)).rejects.toMatchObject({ status: 404, code: 'polygon_not_found' })
  })

  test('keeps tags and preconditions', async () => {
    const { id } = await person.client.polygons.create(polygon)

    await expect(through.polygons.replace(id, polygon, { ifMatch: '"7"' })).rejects.toMatchObject({
      code: 'precondition_failed',
    })
  })

  test('refuses a request that breaks the contract, and never sends it on', async () => {
    const before = asked('createPolygon')

    const body = JSON.stringify({ name: 'no polygon' })
    const response = await fetch(`${proxy.url}/api/polygons`, { method: 'POST', headers, body })

    expect(response.status).toBe(422)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({
      type: 'https://stoplight.io/prism/errors#UNPROCESSABLE_ENTITY',
      validation: [{ location: ['body'], code: 'required' }],
    })
    expect(asked('createPolygon')).toBe(before)
  })

  test('refuses a path that the contract does not know', async () => {
    const response = await fetch(`${proxy.url}/api/atolls`, { headers })

    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ type: 'https://stoplight.io/prism/errors#NO_PATH_MATCHED_ERROR' })
  })

  test('hands on the events of a job as they happen', async () => {
    const { jobId } = await through.jobs.create(testJob())
    const events = through.jobs.events(jobId)

    const first = await events.next()
    const { assignment } = await claimOne(worker.client)
    const second = await events.next()
    await worker.client.worker.reportResult(assignment.id, { status: 'FAILED', error: { message: 'No more' } })
    const rest = await Array.fromAsync(events)

    expect([first.value, second.value, ...rest]).toMatchObject([
      { status: 'PENDING' },
      { status: 'IN_PROGRESS' },
      { status: 'FAILED' },
    ])
  })

  test('hands on pages byte by byte', async () => {
    const [here, there] = await Promise.all([fetch(`${proxy.url}/docs`), fetch(`${server.url}/docs`)])

    expect(here.headers.get('content-security-policy')).toBe(there.headers.get('content-security-policy'))
    expect(Buffer.from(await here.arrayBuffer())).toEqual(Buffer.from(await there.arrayBuffer()))
  })

  test('hands on a form and its file byte by byte, and the file again', async () => {
    const { id: polygonId } = await person.client.polygons.create(polygon)

    const image = await through.images.create(new File([picture], 'récif "ouest".png'), { polygonId })
    const whole = await through.images.download(image.id)
    const part = await through.images.download(image.id, { headers: { Range: 'bytes=2-5' } })
    const head = await fetch(`${proxy.url}/api/images/${image.id}`, { method: 'HEAD', headers })

    expect(image).toMatchObject({ name: 'récif "ouest".png', polygonId, sizeBytes: picture.length })
    expect(new Uint8Array(await whole.arrayBuffer())).toEqual(picture)
    expect([part.status, new Uint8Array(await part.arrayBuffer())]).toEqual([206, picture.slice(2, 6)])
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(picture.length)])
    expect(await head.text()).toBe('')
  })

  test('leaves it to the service to refuse a form', async () => {
    await expect(through.images.create(new File(['no image'], 'reef.png'))).rejects.toMatchObject({
      code: 'unsupported_media_type',
    })
  })

  test('reads GeoJSON as the JSON that it is', async () => {
    const { id } = await person.client.polygons.create({ name: 'Channel', ...polygon })

    const { features } = await through.polygons.features({ name: 'channel' })

    expect(features.map((feature) => feature.id)).toEqual([id])
  })

  test('flags GeoJSON that breaks the contract', async () => {
    const url = await proxyOf((_, response) =>
      response.writeHead(200, { 'content-type': 'application/geo+json' }).end('{"type":"FeatureCollection"}'),
    )

    const response = await fetch(`${url}/api/polygons`, { headers: { ...headers, accept: 'application/geo+json' } })

    expect(response.status).toBe(500)
    expect((await response.json()).validation).toContainEqual(
      expect.objectContaining({ location: ['response', 'body'], message: expect.stringContaining("'features'") }),
    )
  })

  test('answers HEAD as the service does', async () => {
    const { id } = await person.client.polygons.create(polygon)

    const asked = [proxy.url, server.url].map((url) =>
      fetch(`${url}/api/polygons/${id}`, { method: 'HEAD', headers: { authorization: headers.authorization } }),
    )
    const [here, there] = await Promise.all(asked)

    expect([here!.status, here!.headers.get('etag')]).toEqual([200, there!.headers.get('etag')])
    expect(await here!.text()).toBe('')
  })

  test('flags an answer that breaks the contract', async () => {
    const url = await proxyOf((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json', etag: '"1"' }).end('{"id":"none"}'),
    )

    const response = await fetch(url + exampleOf('getPolygon').examplePath, { headers })

    expect(response.status).toBe(500)
    const problem = await response.json()
    expect(problem).toMatchObject({ type: 'https://stoplight.io/prism/errors#VIOLATIONS' })
    expect(problem.validation).toContainEqual(
      expect.objectContaining({ location: ['response', 'body'], message: expect.stringContaining("'userId'") }),
    )
  })

  test('flags a status that the contract does not know', async () => {
    const url = await proxyOf((_, response) =>
      response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"ok"}'),
    )

    const response = await fetch(`${url}/livez`)

    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({
      type: 'https://stoplight.io/prism/errors#VIOLATIONS',
      validation: [{ message: expect.stringContaining('Unable to match the returned status code') }],
    })
  })

  test('says that the service is away', async () => {
    const gone = createServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address() as AddressInfo
    await new Promise((resolve) => gone.close(resolve))
    const { url } = await startMock(['--proxy', '--upstream', `http://127.0.0.1:${port}`])

    const [json, page] = await Promise.all([fetch(`${url}/livez`), fetch(`${url}/docs`)])

    expect(json.status).toBe(500)
    expect(await json.json()).toMatchObject({ type: 'FetchError' })
    expect(page.status).toBe(502)
    expect(await page.json()).toMatchObject({ detail: 'The service does not answer: ECONNREFUSED.' })
  })
})
