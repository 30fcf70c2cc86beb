import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConnectionError, download, type SignedUpload, TimeoutError, TransferError, upload } from '../../sdk/index.ts'
import { fakeService, hangs, json, problem, refused } from './support/fake-service.ts'
import { collect, countingSignal, settled, streamOfChunks } from './support/promises.ts'

const url = 'https://store.example/f?sig=secret'
const to: SignedUpload = {
  name: 'sites.geojson',
  url,
  method: 'PUT',
  headers: { 'content-type': 'application/geo+json', 'x-amz-checksum-sha256': 'abc' },
  expiresAt: '2026-03-02T22:40:00Z',
}
const bytes = new TextEncoder().encode('0123456789')
const created = () => new Response(null, { status: 201 })

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('upload', () => {
  test.each([
    ['bytes', () => bytes],
    ['an ArrayBuffer', () => bytes.buffer],
    ['a Blob', () => new Blob([bytes])],
    ['a stream', () => ({ sizeBytes: 10, stream: () => new Blob([bytes]).stream() })],
  ])('sends %s with the signed headers and none of ours', async (_, body) => {
    const service = fakeService({ 'PUT /f': created })

    await service.client({ apiKey: 'fs_key', token: undefined }).transfers.upload(to, body())

    const [request] = service.requests
    expect(request!.body).toBe('0123456789')
    expect(request!.query).toEqual({ sig: 'secret' })
    const { 'content-length': _length, ...headers } = Object.fromEntries(request!.headers)
    expect(headers).toEqual(to.headers)
  })

  test('announces the size of a stream', async () => {
    const service = fakeService({ 'PUT /f': created })
    await upload(to, { sizeBytes: 10, stream: () => new Blob([bytes]).stream() }, { fetch: service.fetch })
    expect(service.requests[0]!.headers.get('content-length')).toBe('10')
  })

  test('reports progress as chunks go', async () => {
    const onProgress = vi.fn()
    const chunk = (text: string) => new TextEncoder().encode(text)
    const stream = () => streamOfChunks([chunk('0123'), chunk('45'), chunk('6789')])

    await upload(to, { sizeBytes: 10, stream }, { fetch: fakeService({ 'PUT /f': created }).fetch, onProgress })

    expect(onProgress.mock.calls.map(([{ doneBytes }]) => doneBytes)).toEqual([4, 6, 10])
    expect(onProgress).toHaveBeenLastCalledWith({ doneBytes: 10, totalBytes: 10 })
  })

  test('makes the stream anew for another try', async () => {
    const stream = vi.fn(() => streamOfChunks([bytes]))
    const service = fakeService({
      'PUT /f': [problem(503, 'service_unavailable'), refused(), problem(500, 'internal'), created],
    })
    const sent = settled(upload(to, { sizeBytes: 10, stream }, { fetch: service.fetch }))
    await vi.runAllTimersAsync()
    expect([sent.isSettled, sent.error]).toEqual([true, undefined])
    expect(stream).toHaveBeenCalledTimes(4)
    expect(service.requests.map(({ body }) => body)).toEqual(Array(4).fill('0123456789'))
  })

  test('fails with what the store says, and never names the URL', async () => {
    const error = await upload(to, bytes, {
      fetch: fakeService({ 'PUT /f': problem(400, 'upload_mismatch') }).fetch,
    }).catch((e) => e)
    expect(error).toBeInstanceOf(TransferError)
    expect(error).toMatchObject({ code: 'upload_failed', status: 400 })
    expect(error.message).toContain('sites.geojson')
    expect(error.message).not.toContain('secret')
  })

  test('takes "it is there already" for success where it asked for that', async () => {
    const { fetch } = fakeService({ 'PUT /f': problem(412, 'precondition_failed') })
    const careful = { ...to, headers: { ...to.headers, 'If-None-Match': '*' } }

    await expect(upload(careful, bytes, { fetch })).resolves.toBeUndefined()
    await expect(upload(to, bytes, { fetch })).rejects.toMatchObject({ status: 412 })
  })

  test('is given up when nothing moves, however long the whole takes', async () => {
    const slow = async (request: Request) => {
      const reader = request.body!.getReader()
      for (let n = 0; n < 5; n++) {
        await new Promise((resolve) => setTimeout(resolve, 900))
        await reader.read()
      }
      return new Promise<Response>(() => {})
    }
    const stream = () => streamOfChunks(Array.from({ length: 100 }, () => bytes))
    const sent = settled(upload(to, { sizeBytes: 1000, stream }, { fetch: slow, timeoutMs: 1_000, retries: 0 }))

    await vi.advanceTimersByTimeAsync(4_600)
    expect(sent.isSettled).toBe(false)
    await vi.advanceTimersByTimeAsync(2_000)

    expect(sent.error).toBeInstanceOf(TimeoutError)
  })

  test('in one piece gets time by its size', async () => {
    const { fetch } = fakeService({ 'PUT /f': hangs })
    const sent = settled(upload(to, new Uint8Array(160_000), { fetch, timeoutMs: 1_000, retries: 0 }))
    await vi.advanceTimersByTimeAsync(10_999)
    expect(sent.isSettled).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(sent.error).toBeInstanceOf(TimeoutError)
  })

  test('ends with the reason of the signal, and leaves nothing behind', async () => {
    const { controller, signal, listeners } = countingSignal()
    const { fetch } = fakeService({ 'PUT /f': hangs })
    const sent = settled(upload(to, bytes, { fetch, signal }))
    await vi.advanceTimersByTimeAsync(10)
    controller.abort(new Error('enough'))
    await vi.advanceTimersByTimeAsync(0)
    expect(sent.error).toEqual(new Error('enough'))
    expect([listeners(), vi.getTimerCount()]).toEqual([0, 0])
  })
})

describe('upload in a browser', () => {
  class FakeXhr {
    static last: FakeXhr
    upload: { onprogress?: (event: { loaded: number }) => void } = {}
    onload?: () => void
    onerror?: () => void
    status = 0
    headers: Record<string, string> = {}
    sent: unknown
    isAborted = false
    constructor() {
      FakeXhr.last = this
    }
    open = vi.fn()
    setRequestHeader = (name: string, value: string) => {
      this.headers[name] = value
    }
    getResponseHeader = () => null
    send = (body: unknown) => {
      this.sent = body
    }
    abort = () => {
      this.isAborted = true
    }
    answer(status: number) {
      this.status = status
      this.onload?.()
    }
  }

  beforeEach(() => vi.stubGlobal('XMLHttpRequest', FakeXhr))

  test('is watched by XMLHttpRequest', async () => {
    const onProgress = vi.fn()
    const headers = { ...to.headers, 'Content-Length': '10' }
    const sent = upload({ ...to, headers }, bytes, { onProgress })
    await vi.advanceTimersByTimeAsync(0)

    FakeXhr.last.upload.onprogress?.({ loaded: 4 })
    FakeXhr.last.answer(200)
    await sent

    expect(FakeXhr.last.open).toHaveBeenCalledWith('PUT', url)
    expect(FakeXhr.last.headers).toEqual(to.headers)
    expect(FakeXhr.last.sent).toBeInstanceOf(Blob)
    expect(onProgress.mock.calls).toEqual([[{ doneBytes: 4, totalBytes: 10 }]])
  })

  test('ends with the signal, with silence, and with a refusal', async () => {
    const controller = new AbortController()
    const ended = settled(upload(to, bytes, { signal: controller.signal }))
    await vi.advanceTimersByTimeAsync(0)
    controller.abort(new Error('enough'))
    await vi.advanceTimersByTimeAsync(0)
    expect(FakeXhr.last.isAborted).toBe(true)
    const silent = settled(upload(to, bytes, { timeoutMs: 100, retries: 0 }))
    await vi.advanceTimersByTimeAsync(100)
    const refusedOne = settled(upload(to, bytes))
    await vi.advanceTimersByTimeAsync(0)
    FakeXhr.last.answer(403)
    await vi.advanceTimersByTimeAsync(0)

    expect(ended.error).toEqual(new Error('enough'))
    expect(silent.error).toBeInstanceOf(TimeoutError)
    expect(refusedOne.error).toMatchObject({ code: 'upload_failed', status: 403 })
  })

  test('goes on as long as something moves', async () => {
    const sent = settled(upload(to, bytes, { timeoutMs: 100, retries: 0 }))
    await vi.advanceTimersByTimeAsync(90)
    FakeXhr.last.upload.onprogress?.({ loaded: 4 })
    await vi.advanceTimersByTimeAsync(90)
    FakeXhr.last.answer(200)
    await vi.advanceTimersByTimeAsync(0)

    expect(sent).toEqual({ isSettled: true })
  })

  test('uses the fetch that it was given', async () => {
    const service = fakeService({ 'PUT /f': created })
    await service.client().transfers.upload(to, bytes)
    expect(service.requests).toHaveLength(1)
  })
})

describe('download', () => {
  const parts = (...texts: string[]) => streamOfChunks(texts.map((text) => new TextEncoder().encode(text)))

  test('gives a response to read, reports progress, and sends no credentials', async () => {
    const service = fakeService({
      'GET /f': () => new Response(parts('{"a"', ':1}'), { headers: { 'content-length': '7' } }),
    })
    const onProgress = vi.fn()

    const response = await service.client({ apiKey: 'fs_key' }).transfers.download(url, { onProgress })

    expect(await response.json()).toEqual({ a: 1 })
    expect(onProgress.mock.calls).toEqual([[{ doneBytes: 4, totalBytes: 7 }], [{ doneBytes: 7, totalBytes: 7 }]])
    expect([...service.requests[0]!.headers]).toEqual([])
  })

  test('is tried again before it begins, and fails with what the store says', async () => {
    const service = fakeService({
      'GET /f': [refused(), problem(503, 'service_unavailable'), () => new Response('ok')],
    })
    const got = settled(download(url, { fetch: service.fetch }))
    await vi.runAllTimersAsync()
    expect(await (got.value as Response).text()).toBe('ok')
    await expect(
      download(url, { fetch: fakeService({ 'GET /f': problem(403, 'url_expired') }).fetch }),
    ).rejects.toMatchObject({
      code: 'download_failed',
      status: 403,
    })
  })

  test('does not hang when the body does', async () => {
    const stuck = () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
    const response = await download(url, { fetch: fakeService({ 'GET /f': stuck }).fetch, timeoutMs: 100 })
    const text = settled(response.text())
    await vi.advanceTimersByTimeAsync(100)
    expect(text.error).toBeInstanceOf(TimeoutError)
  })

  test('says so when the connection breaks, and ends with the signal', async () => {
    const broken = () => new Response(new ReadableStream({ pull: (c) => c.error(new TypeError('terminated')) }))
    const response = await download(url, { fetch: fakeService({ 'GET /f': broken }).fetch })
    await expect(response.text()).rejects.toBeInstanceOf(ConnectionError)

    const controller = new AbortController()
    const stuck = () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
    const ending = await download(url, { fetch: fakeService({ 'GET /f': stuck }).fetch, signal: controller.signal })
    const text = settled(ending.text())
    controller.abort(new Error('enough'))
    await vi.advanceTimersByTimeAsync(0)
    expect(text.error).toEqual(new Error('enough'))
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('jobs.downloadFiles', () => {
  test("gives a job's files by name", async () => {
    const files = {
      'b.json': 'https://store.example/b',
      'a.json': 'https://store.example/a',
      c: 'https://store.example/c',
    }
    const service = fakeService({
      'GET /api/jobs/j/download': json({ job: { id: 'j' }, files }),
      'GET /a': () => new Response('A'),
      'GET /b': () => new Response('B'),
      'GET /c': () => new Response('C'),
    })
    const { jobs } = service.client({ apiKey: 'fs_key' })
    const read = async (options?: { names: string[] }) => {
      const found: Record<string, string> = {}
      for await (const { name, response } of jobs.downloadFiles('j', options)) found[name] = await response.text()
      return found
    }

    expect(await read()).toEqual({ 'a.json': 'A', 'b.json': 'B', c: 'C' })
    expect(await read({ names: ['c'] })).toEqual({ c: 'C' })
    await expect(collect(jobs.downloadFiles('j', { names: ['nope'] }))).rejects.toThrow('no file nope')
  })
})

describe('regions.uploadLayer', () => {
  const layer = (status: string, more: object = {}) => ({ name: 'depth', version: 2, status, sizeBytes: 10, ...more })
  const region = (...layers: object[]) => json({ name: 'r', layers })
  const routes = {
    'POST /api/regions/r/layers/depth/uploads': json({ version: 2, upload: to }, { status: 201 }),
    'PUT /f': created,
    'POST /api/regions/r/layers/depth/complete': json(layer('INSPECTING'), { status: 202 }),
  }

  test('declares, sends, completes, and waits for the verdict', async () => {
    const verdict = layer('REJECTED', { reason: 'The file has 3 bands.' })
    const service = fakeService({
      ...routes,
      'GET /api/regions/r': [
        region(layer('INSPECTING')),
        problem(503, 'service_unavailable'),
        region({ ...layer('READY'), name: 'slope' }, layer('INSPECTING')),
        region(verdict),
      ],
    })
    const onChange = vi.fn()

    const done = settled(service.client().regions.uploadLayer('r', 'depth', bytes, { onChange }))
    await vi.waitFor(() => expect(service.requests.length).toBeGreaterThan(2))
    await vi.runAllTimersAsync()

    expect(done.value).toEqual(verdict)
    expect(service.requests[0]!.body).toEqual({
      sizeBytes: 10,
      sha256: '84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882',
      contentType: 'image/tiff',
    })
    expect(service.to('POST /api/regions/r/layers/depth/complete')[0]!.body).toEqual({ version: 2 })
    expect(onChange.mock.calls.map(([{ status }]) => status)).toContain('REJECTED')
  })

  test('does not wait for a version that somebody has replaced', async () => {
    const service = fakeService({ ...routes, 'GET /api/regions/r': region({ ...layer('UPLOADING'), version: 3 }) })
    const done = settled(service.client().regions.uploadLayer('r', 'depth', bytes))
    await vi.waitFor(() => expect(service.requests.length).toBeGreaterThan(2))
    await vi.runAllTimersAsync()
    expect(done.error).toMatchObject({ message: expect.stringContaining('replaced') })
  })

  test('needs the checksum of a stream', async () => {
    const stream = { sizeBytes: 10, stream: () => new Blob([bytes]).stream() }
    await expect(fakeService(routes).client().regions.uploadLayer('r', 'depth', stream)).rejects.toThrow(TypeError)
  })
})
