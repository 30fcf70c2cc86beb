import { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { APIGatewayProxyEvent } from 'aws-lambda'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { lambdaGateway } from '../../src/lambda/gateway.ts'
import { memoryLog } from '../support/service.ts'
import { eventOf, wholeResponse } from './support/gateway.ts'
import { contextOf } from './support/lambda.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const publicUrl = 'https://api.reef.example/fieldstation'
const log = memoryLog({ expectsErrors: true })

/** The adapter before an app of one function. */
function gatewayBefore(fetch: (request: Request) => Response | Promise<Response>, thaw = async () => {}) {
  const gateway = lambdaGateway({ fetch, publicUrl, thaw, log })
  return { ...gateway, call: (event: APIGatewayProxyEvent) => gateway.buffered(event, contextOf(30_000)) }
}

const plainEvent = (url = 'https://api.reef.example/api/things', init?: RequestInit) =>
  eventOf(new Request(url, init), { resource: '/api/things' })

/** What the app is given for an event. */
async function requestFor(event: APIGatewayProxyEvent): Promise<Request> {
  let given: Request | undefined
  const { call } = gatewayBefore((request) => {
    given = request
    return new Response()
  })
  const { statusCode, body } = await call(event)
  if (!given) throw new Error(`${statusCode} ${body}`)
  return given
}

describe('an event becomes the request that it was', () => {
  test('with every value of the query and of the headers', async () => {
    const event = await plainEvent('https://api.reef.example/api/things?a=1&a=2&b=%26%3D%2B+%C3%BC&c=')
    event.multiValueHeaders = { ...event.multiValueHeaders, 'X-Tag': ['one', 'two'] }

    const { url, headers } = await requestFor(event)

    expect([...new URL(url).searchParams]).toEqual([
      ['a', '1'],
      ['a', '2'],
      ['b', '&=+ ü'],
      ['c', ''],
    ])
    expect(headers.get('x-tag')).toBe('one, two')
  })

  test('with what the path holds, and no query or end of it made of that', async () => {
    const event = await plainEvent()

    const { url } = await requestFor({ ...event, path: '/fieldstation/api/a?limit=1#b\\c d\te' })

    expect(new URL(url).search).toBe('')
    expect(decodeURIComponent(new URL(url).pathname)).toBe('/api/a?limit=1#b\\c d\te')
  })

  test('with the single values, where there are no others', async () => {
    const event = { ...(await plainEvent()), multiValueHeaders: null, multiValueQueryStringParameters: null }
    const single = { headers: { Accept: 'text/html' }, queryStringParameters: { a: '1' } }

    const { url, headers } = await requestFor({ ...event, ...single } as never)

    expect([new URL(url).search, headers.get('accept')]).toEqual(['?a=1', 'text/html'])
  })

  test.each([
    ['text', 'grüße', false],
    ['base64', Buffer.from([0, 255, 128, 10]), true],
  ])('with its body, in %s', async (_, body, isBase64Encoded) => {
    const bytes = Buffer.from(body as string)
    const event = { ...(await plainEvent(undefined, { method: 'POST' })), isBase64Encoded }
    event.multiValueHeaders = { 'Content-Length': ['7000000'], 'Transfer-Encoding': ['chunked'] }

    const request = await requestFor({ ...event, body: bytes.toString(isBase64Encoded ? 'base64' : 'utf8') })

    expect(Buffer.from(await request.arrayBuffer())).toEqual(bytes)
    expect(request.headers.get('content-length')).toBe(String(bytes.length))
    expect(request.headers.has('transfer-encoding')).toBe(false)
  })

  test('with a multipart body whose file is no text', async () => {
    const form = new FormData()
    form.set('label', 'Korallen 珊瑚')
    form.set('file', new Blob([new Uint8Array([0, 255, 128, 10])]), 'a.bin')
    const sent = new Request('https://api.reef.example/api/things', { method: 'POST', body: form })
    const binaryTypes = ['multipart/form-data']
    const event = await eventOf(sent, { resource: '/api/things', binaryTypes })

    const received = await (await requestFor(event)).formData()

    expect(event.isBase64Encoded).toBe(true)
    expect(received.get('label')).toBe('Korallen 珊瑚')
    expect(new Uint8Array(await (received.get('file') as Blob).arrayBuffer())).toEqual(
      new Uint8Array([0, 255, 128, 10]),
    )
  })

  test('without a body where the method has none', async () => {
    const event = { ...(await plainEvent()), body: 'what for?' }

    expect((await requestFor(event)).body).toBeNull()
  })

  test('without the length of a body that has not come', async () => {
    const event = await plainEvent(undefined, { method: 'POST' })
    event.multiValueHeaders = { 'Content-Length': ['7'] }

    const { headers, body } = await requestFor(event)

    expect([headers.has('content-length'), body]).toEqual([false, null])
  })

  test('with text in a header that is beyond its bytes', async () => {
    const event = await plainEvent()
    event.multiValueHeaders = { 'X-Name': ['珊瑚'] }

    const { headers } = await requestFor(event)

    expect(Buffer.from(headers.get('x-name')!, 'latin1').toString()).toBe('珊瑚')
  })

  test("with the client's id, and the gateway's where the client has none", async () => {
    const event = await plainEvent()
    const named = { ...event, multiValueHeaders: { 'x-request-id': ['trace-1'] } }

    expect((await requestFor(event)).headers.get('x-request-id')).toBe(event.requestContext.requestId)
    expect((await requestFor(named)).headers.get('x-request-id')).toBe('trace-1')
  })

  test.each([
    ['/fieldstation/api/jobs', '/fieldstation/api/jobs', '/api/jobs'],
    ['/fieldstation', '/fieldstation', '/'],
    ['/fieldstations/api', '/fieldstations/api', '/fieldstations/api'],
    ['/api/jobs', '/v1/api/jobs', '/api/jobs'],
    // A path that begins like the base path, asked for at the gateway's own domain, where there is none.
    ['/fieldstation/api', '/v1/fieldstation/api', '/fieldstation/api'],
    ['//evil.example/api', '/v1//evil.example/api', '//evil.example/api'],
  ])('%s, as %s to the gateway, is %s to the service', async (path, inContext, expected) => {
    const event = { ...(await plainEvent()), path }
    event.requestContext = { ...event.requestContext, path: inContext }

    const { url } = await requestFor(event)

    expect(url).toBe(`https://api.reef.example${expected}`)
  })
})

describe('an answer becomes a result', () => {
  const answered = async (response: Response, init: RequestInit = {}) =>
    gatewayBefore(() => response).call(await plainEvent(undefined, init))

  test.each(['application/json', 'application/problem+json; charset=utf-8', 'text/html', 'application/geo+json'])(
    'of text: %s',
    async (type) => {
      const result = await answered(new Response('{"name":"珊瑚"}', { headers: { 'content-type': type } }))

      expect(result).toMatchObject({ body: '{"name":"珊瑚"}', isBase64Encoded: false })
    },
  )

  test.each(['image/png', 'text/plain'])('of bytes that are no text, though called %s', async (type) => {
    const bytes = Buffer.from([137, 80, 78, 71, 0, 255])

    const result = await answered(new Response(bytes, { headers: { 'content-type': type } }))

    expect(result).toMatchObject({ body: bytes.toString('base64'), isBase64Encoded: true })
    const accepting = new Request(publicUrl, { headers: { accept: type } })
    expect(Buffer.from(await wholeResponse(result, accepting, [type]).arrayBuffer())).toEqual(bytes)
  })

  test.each([204, 304])('without a body: %i', async (status) => {
    const result = await answered(new Response(null, { status, headers: { etag: '"1"' } }))

    expect(result).toEqual({
      statusCode: status,
      multiValueHeaders: { etag: ['"1"'] },
      body: '',
      isBase64Encoded: false,
    })
  })

  test('with each of several cookies', async () => {
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2, and more'],
      ['vary', 'origin'],
      ['vary', 'accept'],
    ])

    const { multiValueHeaders } = await answered(new Response('', { headers }))

    expect(multiValueHeaders).toMatchObject({ 'set-cookie': ['a=1', 'b=2, and more'], vary: ['origin, accept'] })
  })

  test.each([
    ['bytes', 'application/octet-stream', 'x'.repeat(5_000_000)],
    ['what JSON doubles', 'text/plain', '"'.repeat(3_500_000)],
    ['text', 'text/plain', 'x'.repeat(7_000_000)],
  ])('that says so where it would be too large: %s', async (_, type, text) => {
    const { statusCode, multiValueHeaders, body } = await answered(
      new Response(text, { headers: { 'content-type': type } }),
    )

    expect([statusCode, multiValueHeaders!['content-type']]).toEqual([413, ['application/problem+json']])
    expect(JSON.parse(body)).toMatchObject({ code: 'payload_too_large', instance: '/api/things' })
  })

  test('that says so of one that has no end', async () => {
    let isCancelled = false
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
      cancel() {
        isCancelled = true
      },
    })

    const { statusCode } = await answered(new Response(endless))

    expect([statusCode, isCancelled]).toEqual([413, true])
  })

  test('of bytes that look like text by chance, though they are compressed', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'br' }

    const result = await answered(new Response('abc', { headers }))

    expect(result).toMatchObject({ body: Buffer.from('abc').toString('base64'), isBase64Encoded: true })
  })

  test('never compressed: the gateway would pass it on in base64', async () => {
    const { headers } = await requestFor(await plainEvent(undefined, { headers: { 'accept-encoding': 'br' } }))

    expect(headers.has('accept-encoding')).toBe(false)
  })
})

describe('what goes wrong', () => {
  test.each([
    ['nothing', undefined],
    ['a test event of the console', { key1: 'value1' }],
    ['an event of another make', { version: '2.0', rawPath: '/', requestContext: { http: { method: 'GET' } } }],
    ['a method that nobody may use', { httpMethod: 'TRACE', path: '/', requestContext: { identity: {} } }],
    ['a path that leads elsewhere', { httpMethod: 'GET', path: '/api/../docs', requestContext: { identity: {} } }],
    ['nobody who asks', { httpMethod: 'GET', path: '/', requestContext: {} }],
    [
      'a header that is none',
      { httpMethod: 'GET', path: '/', requestContext: { identity: {} }, headers: { 'a b': 'c' } },
    ],
  ])('%s is a problem', async (_, event) => {
    const { statusCode, body } = await gatewayBefore(() => new Response()).call(event as never)

    expect(statusCode).toBe(400)
    expect(JSON.parse(body)).toMatchObject({ code: 'invalid_request', requestId: expect.any(String) })
  })

  test('a failure of ours tells nothing', async () => {
    const failing = gatewayBefore(() => Promise.reject(new Error('the reef')))

    const { statusCode, body } = await failing.call(await plainEvent())

    expect(statusCode).toBe(500)
    expect(body).not.toContain('reef')
    expect(log.lines.at(-1)).toMatchObject({ message: 'unhandled error' })
  })

  test('a body that breaks off is no answer', async () => {
    const breaking = new ReadableStream({ pull: (controller) => controller.error(new Error('the reef')) })

    const { statusCode } = await gatewayBefore(() => new Response(breaking)).call(await plainEvent())

    expect(statusCode).toBe(500)
  })
})

describe('time', () => {
  test('is over for who waits before it is for the function, whatever was collected meanwhile', async () => {
    const gateway = gatewayBefore(({ signal }) => {
      setImmediate(collectGarbage)
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(new Response('in time'))))
    })

    const { body } = await gateway.buffered(await plainEvent(), contextOf(2050))

    expect(body).toBe('in time')
  })

  test('does not run on after the answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const during: unknown[] = []
    const gateway = gatewayBefore(({ signal }) => {
      during.push(signal, vi.getTimerCount())
      return new Response()
    })

    await gateway.buffered(await plainEvent(), contextOf(30_000))

    expect(during).toEqual([expect.objectContaining({ aborted: false }), 1])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is not spent on waiting for connections that stay open', async () => {
    const context = contextOf(30_000)

    await gatewayBefore(() => new Response()).buffered(await plainEvent(), context)

    expect(context.callbackWaitsForEmptyEventLoop).toBe(false)
  })
})

describe('a stream', () => {
  /** What the runtime does with the prelude. */
  function output() {
    const metadata: object[] = []
    const chunks: Buffer[] = []
    const waiting: (() => void)[] = []
    const stream = new Writable({
      highWaterMark: 100_000,
      write(chunk: Buffer, _encoding, next) {
        chunks.push(chunk)
        waiting.push(next)
      },
    })
    const from = (writable: Writable, head: object) => {
      metadata.push(head)
      return writable as awslambda.HttpResponseStream
    }
    return { stream, streams: { from }, metadata, chunks, waiting }
  }

  test('sends status and headers before there is anything to say', async () => {
    const { stream, streams, metadata, chunks, waiting } = output()
    const silent = new ReadableStream({ pull: () => new Promise(() => {}) })
    const gateway = gatewayBefore(() => new Response(silent, { headers: { 'content-type': 'text/event-stream' } }))

    const streaming = gateway.streaming(await plainEvent(), stream, contextOf(30_000), streams)
    while (chunks.length === 0) await turn()
    expect(metadata).toEqual([{ statusCode: 200, multiValueHeaders: { 'content-type': ['text/event-stream'] } }])

    waiting.shift()!()
    stream.destroy()
    await streaming
  })

  test('is made no faster than it is taken, and lets go of its source when nobody takes it any more', async () => {
    const { stream, streams, chunks, waiting } = output()
    let made = 0
    let isCancelled = false
    const endless = new ReadableStream({
      pull(controller) {
        made += 1
        controller.enqueue(new Uint8Array(60_000))
      },
      cancel() {
        isCancelled = true
      },
    })

    const streaming = gatewayBefore(() => new Response(endless)).streaming(
      await plainEvent(),
      stream,
      contextOf(30_000),
      streams,
    )
    for (let turns = 0; turns < 200; turns++) {
      await turn()
      if (chunks.length < 3) waiting.shift()?.()
    }

    expect(made).toBeLessThan(12)
    stream.destroy()
    await streaming
    expect(isCancelled).toBe(true)
    expect(log.lines.at(-1)).toMatchObject({ message: 'stream cut short' })
  })
})
