import { once } from 'node:events'
import { openAsBlob } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ClientOptions, ConnectionError, createClient, TimeoutError } from '../../sdk/index.ts'
import { spawnNode, temporaryFolder } from '../support/processes.ts'
import { fakeService, hangs, json, problem, refused, tokens } from './support/fake-service.ts'
import { loopback } from './support/loopback.ts'
import { countingSignal, deferred, settled } from './support/promises.ts'

const folder = await temporaryFolder()
const imagePath = '/api/images/x'
const bytes = Uint8Array.from({ length: 1_000_000 }, (_, n) => n % 251)
const image = { id: 'x', name: 'reef.png' }
const enough = new Error('enough')

/** Files on disk, as Node opens them: nothing of them is read before it is sent. */
async function fileBacked(content: Uint8Array = bytes): Promise<Blob> {
  const path = join(folder, crypto.randomUUID())
  await writeFile(path, content)
  return openAsBlob(path)
}

const clientOf = (baseUrl: string, options: Partial<ClientOptions> = {}) =>
  createClient({ baseUrl, apiKey: 'fs_key', retries: 0, ...options })

const formOf = async (request: IncomingMessage): Promise<FormData> =>
  new Response(new Uint8Array(await buffer(request)), { headers: request.headers as HeadersInit }).formData()

describe('the form of an image', () => {
  test('is sent again, whole, after the session was renewed', async () => {
    const name = 'réef "1"\r\n.png'
    const forms: FormData[] = []
    const url = await loopback(async (request, response) => {
      const answer = (status: number, body: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      if (request.url === '/api/auth/token') return answer(200, tokens(2))
      forms.push(await formOf(request))
      const isFresh = request.headers.authorization === 'Bearer token-2'
      return isFresh ? answer(201, image) : answer(401, { code: 'unauthenticated' })
    })
    const client = clientOf(url, { apiKey: undefined, token: 'token-1', refreshToken: 'refresh-1' })

    await expect(client.images.create(await fileBacked(), { name, polygonId: 'p' })).resolves.toEqual(image)

    expect(forms).toHaveLength(2)
    for (const form of forms) {
      // What is wrong with a field can be told before the file has come.
      expect([...form.keys()]).toEqual(['polygonId', 'file'])
      const file = form.get('file') as File
      expect([form.get('polygonId'), file.name]).toEqual(['p', name])
      expect(Buffer.from(await file.arrayBuffer()).equals(bytes)).toBe(true)
    }
  })

  test('is not sent again where the connection broke', async () => {
    const onRequest = vi.fn()
    const url = await loopback((request) => request.once('data', () => request.socket.destroy()))

    const call = clientOf(url, { retries: 3, onRequest }).images.create(await fileBacked())

    await expect(call).rejects.toBeInstanceOf(ConnectionError)
    expect(onRequest.mock.calls).toEqual([[{ method: 'POST', path: '/api/images', attempt: 1 }]])
  })

  test('ends with the signal while it is under way, and is not sent to its end', async () => {
    const [arrived, closed] = [deferred<IncomingMessage>(), deferred()]
    const url = await loopback((request) => {
      request.on('close', closed.resolve)
      request.once('data', () => arrived.resolve(request.pause()))
    })
    const { controller, signal, listeners } = countingSignal()
    const sent = settled(clientOf(url).images.create(await fileBacked(new Uint8Array(50_000_000)), {}, { signal }))
    const request = await arrived.promise

    controller.abort(enough)
    await expect.poll(() => sent.error).toBe(enough)

    request.resume()
    await closed.promise
    expect(request.complete).toBe(false)
    expect(listeners()).toBe(0)
  })

  test('and the key that goes with it do not follow a redirect', async () => {
    const elsewhere = vi.fn()
    const other = await loopback(elsewhere)
    const url = await loopback(async (request, response) => {
      await buffer(request)
      response.writeHead(307, { location: `${other}/api/images` }).end()
    })

    await expect(clientOf(url).images.create(await fileBacked())).rejects.toBeInstanceOf(ConnectionError)

    expect(elsewhere).not.toHaveBeenCalled()
  })
})

describe('an image of 400 MB', () => {
  test('goes there and back without being held', { timeout: 120_000 }, async () => {
    const sizeBytes = 400_000_000
    const path = join(folder, 'large')
    const file = await open(path, 'w')
    await file.truncate(sizeBytes)
    await file.close()
    const url = await loopback(async (request, response) => {
      if (request.method !== 'GET') {
        for await (const _ of request);
        const upload = { name: 'x', url: `http://${request.headers.host}/store`, method: 'PUT', headers: {} }
        const answer = request.url === '/api/images/uploads' ? { imageId: 'x', upload } : image
        return response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
      }
      const chunk = Buffer.alloc(1_000_000)
      response.writeHead(200, { 'content-type': 'image/png' })
      for (let n = 0; n < sizeBytes / chunk.length; n++) if (!response.write(chunk)) await once(response, 'drain')
      return response.end()
    })

    const child = spawnNode('tests/sdk/support/move-image.ts', { SERVICE_URL: url, FILE: path })
    const [{ bytes, grownBytes }] = await once(child, 'message')

    expect(bytes).toBe(sizeBytes)
    expect(grownBytes).toBeLessThan(150_000_000)
  })
})

describe('the file of an image', () => {
  /** Sends the first half, and what the test says next. */
  async function halved(then: 'rest' | 'break' | 'nothing') {
    const [goOn, closed] = [deferred(), deferred()]
    const half = bytes.length / 2
    const url = await loopback(async (_, response) => {
      response.on('close', closed.resolve)
      response.writeHead(200, { 'content-type': 'image/png', 'content-length': bytes.length })
      response.write(bytes.subarray(0, half))
      await goOn.promise
      if (then === 'rest') response.end(bytes.subarray(half))
      if (then === 'break') response.destroy()
    })
    return { client: clientOf(url), goOn: goOn.resolve, closed: closed.promise }
  }

  test('is there from its first byte on', async () => {
    const { client, goOn } = await halved('rest')

    const { body, headers } = await client.images.download('x')
    const reader = body!.getReader()
    const first = await reader.read()
    goOn()

    expect(first.value!.length).toBeGreaterThan(0)
    let count = first.value!.length
    for (let next = await reader.read(); !next.done; next = await reader.read()) count += next.value.length
    expect([count, headers.get('content-length')]).toEqual([bytes.length, String(bytes.length)])
  })

  test('fails where the connection breaks', async () => {
    const { client, goOn } = await halved('break')
    const response = await client.images.download('x')
    goOn()
    await expect(response.arrayBuffer()).rejects.toBeInstanceOf(ConnectionError)
  })

  test.each(['read', 'left alone'])('ends with the signal while it is %s, and so does the connection', async (how) => {
    const { client, closed } = await halved('nothing')
    const controller = new AbortController()
    const response = await client.images.download('x', { signal: controller.signal })
    const read = how === 'read' ? settled(response.arrayBuffer()) : undefined

    controller.abort(enough)
    await closed

    if (read) await expect.poll(() => read.error).toBe(enough)
    else await expect(response.arrayBuffer()).rejects.toBe(enough)
  })

  test('lets the connection go when its reader leaves', async () => {
    const { client, closed } = await halved('nothing')
    const { signal, listeners } = countingSignal()

    for await (const _ of (await client.images.download('x', { signal })).body!) break

    await closed
    await expect.poll(listeners).toBe(0)
  })

  test('lets the connection go when nobody wants it after all', async () => {
    const { client, closed } = await halved('nothing')

    await (await client.images.download('x')).body!.cancel()

    await closed
  })

  test('leaves nothing on the signal once it is there', async () => {
    const { client, goOn } = await halved('rest')
    const { signal, listeners } = countingSignal()
    goOn()

    const response = await client.images.download('x', { signal })
    expect(listeners()).toBeGreaterThan(0)
    await response.arrayBuffer()

    await expect.poll(listeners).toBe(0)
  })
})

describe('time', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())
  const file = new Blob([new Uint8Array(160_000)], { type: 'image/png' })

  async function expectTimeout(call: Promise<unknown>, ms: number): Promise<void> {
    const outcome = settled(call)
    await vi.advanceTimersByTimeAsync(ms - 1)
    expect(outcome.isSettled).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(outcome.error).toBeInstanceOf(TimeoutError)
    expect(vi.getTimerCount()).toBe(0)
  }

  test('for a form grows with the file, unless the call says how much', async () => {
    const { images } = fakeService({ 'POST /api/images': hangs }).client({ timeoutMs: 1_000 })

    await expectTimeout(images.create(file), 11_000)
    await expectTimeout(images.create(file, {}, { timeoutMs: undefined }), 11_000)
    await expectTimeout(images.create(file, {}, { timeoutMs: 50 }), 50)
  })

  const to = { name: 'x.png', url: 'https://store.example/f', method: 'PUT', headers: {} }
  const signed = {
    'POST /api/images/uploads': json({ imageId: 'x', upload: to }, { status: 201 }),
    'PUT /f': new Response(null, { status: 201 }),
    'POST /api/images/x/complete': hangs,
  }
  const sha256 = 'a'.repeat(64)

  test('for looking at the file grows with it too', async () => {
    const service = fakeService(signed)
    const sent = service.client({ timeoutMs: 1_000 }).images.upload(file, {}, { sha256 })
    while (service.requests.length < 3) await vi.advanceTimersByTimeAsync(0)
    await expectTimeout(sent, 11_000)
  })

  test('for all of a signed upload is what the caller says', async () => {
    const { images } = fakeService(signed).client()
    await expectTimeout(images.upload(file, {}, { sha256, timeoutMs: 2_000 }), 2_000)
  })

  test('is up for the head of a download, and for silence after it', async () => {
    const silent = () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
    const service = fakeService({ [`GET ${imagePath}`]: [hangs, silent] })
    const { images } = service.client()

    await expectTimeout(images.download('x', { timeoutMs: 100 }), 100)
    const response = await images.download('x', { timeoutMs: 100 })
    await expectTimeout(response.arrayBuffer(), 60_000)
  })
})

describe('a signed upload', () => {
  const to = { name: 'x.png', url: 'https://store.example/f?sig=secret', method: 'PUT', headers: { 'x-a': 'b' } }
  const started = json({ imageId: 'x', upload: to }, { status: 201 })

  test('ends with the signal, and completes nothing', async () => {
    const service = fakeService({ 'POST /api/images/uploads': started, 'PUT /f': hangs })
    const { controller, signal, listeners } = countingSignal()
    const sent = settled(service.client().images.upload(new Blob([bytes]), {}, { signal }))
    await expect.poll(() => service.to('PUT /f')).toHaveLength(1)

    controller.abort(enough)
    await expect.poll(() => sent.error).toBe(enough)

    expect(service.to('PUT /f')[0]!.signal.aborted).toBe(true)
    expect(service.to('POST /api/images/x/complete')).toEqual([])
    expect(listeners()).toBe(0)
  })

  test('goes to the store without credentials', async () => {
    const service = fakeService({
      'POST /api/images/uploads': started,
      'PUT /f': new Response(null, { status: 201 }),
      'POST /api/images/x/complete': json(image),
    })

    await service.client({ apiKey: 'fs_key' }).images.upload(new Blob(['reef'], { type: 'image/png' }))

    const [put] = service.to('PUT /f')
    const { 'content-length': _length, ...headers } = Object.fromEntries(put!.headers)
    expect([put!.body, headers]).toEqual(['reef', { 'x-a': 'b', 'content-type': 'image/png' }])
    expect(service.requests.map(({ headers }) => headers.get('x-api-key'))).toEqual(['fs_key', null, 'fs_key'])
  })
})

describe('a download', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('is tried again before it begins', async () => {
    const reef = () => new Response('reef', { headers: { 'content-type': 'image/png' } })
    const service = fakeService({ [`GET ${imagePath}`]: [refused(), problem(503, 'service_unavailable'), reef] })

    const got = settled(service.client().images.download('x'))
    await vi.runAllTimersAsync()

    expect(await got.value!.text()).toBe('reef')
    expect(service.requests).toHaveLength(3)
  })

  test('is tried again where a refusal breaks off', async () => {
    const broken = () => new Response(new ReadableStream({ pull: (c) => c.error(refused()) }), { status: 500 })
    const service = fakeService({ [`GET ${imagePath}`]: [broken, () => new Response('reef')] })

    const got = settled(service.client().images.download('x'))
    await vi.runAllTimersAsync()

    expect(await got.value!.text()).toBe('reef')
  })

  test('ends with the signal even if fetch knows of no signals, and nobody reads', async () => {
    const cancel = vi.fn()
    const silent = () => new Response(new ReadableStream({ pull: () => new Promise(() => {}), cancel }))
    const { images } = fakeService({ [`GET ${imagePath}`]: silent }).client()
    const controller = new AbortController()

    await images.download('x', { signal: controller.signal })
    controller.abort(enough)
    await vi.advanceTimersByTimeAsync(0)

    expect(cancel).toHaveBeenCalledWith(enough)
  })
})
