import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { SignedUpload } from '../../sdk/index.ts'
import {
  downloadFile,
  downloadJobFiles,
  fileDeclaration,
  fileSource,
  uploadFile,
  uploadLayerFile,
} from '../../sdk/node.ts'
import { fakeService, json } from './support/fake-service.ts'
import { fileServer, type Handler } from './support/file-server.ts'

const content = Buffer.from(Array.from({ length: 300_000 }, (_, n) => n % 251))
const sha256 = createHash('sha256').update(content).digest('hex')

let directory: string
let server: Awaited<ReturnType<typeof fileServer>> | undefined

const serve = async (handler: Handler) => {
  server = await fileServer(handler)
  return server
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldstation-sdk-test-'))
  // Pauses before another try are tested elsewhere.
  vi.spyOn(Math, 'random').mockReturnValue(-0.99)
})
afterEach(async () => {
  await server?.close()
  server = undefined
  await rm(directory, { recursive: true })
  vi.restoreAllMocks()
})

const at = (name: string) => join(directory, name)

/** As a store answers, ranges and all. */
function answerWith(body: Buffer, etag = '"v1"'): Handler {
  return ({ headers }, response) => {
    const first = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
    const isPart = first > 0 && headers['if-range'] === etag
    const part = isPart ? body.subarray(first) : body
    response.writeHead(isPart ? 206 : 200, { etag, 'content-length': part.length }).end(part)
  }
}

/** Begins well, and breaks off when the client is told that some of it is on disk. */
function breaking(bytes: number) {
  let answer: ServerResponse | undefined
  return {
    begin(response: ServerResponse) {
      answer = response
      response.writeHead(200, { etag: '"v1"', 'content-length': content.length })
      response.write(content.subarray(0, bytes))
    },
    onProgress() {
      answer?.destroy()
      answer = undefined
    },
  }
}

describe('downloadFile', () => {
  test('writes the file, makes directories, and tells its checksum', async () => {
    const { url, requests } = await serve(answerWith(content))
    const onProgress = vi.fn()

    const file = await downloadFile(url, at('a/b/file.tif'), { sha256, sizeBytes: content.length, onProgress })

    expect(file).toEqual({ path: at('a/b/file.tif'), sizeBytes: content.length, sha256 })
    expect(await readFile(file.path)).toEqual(content)
    expect(onProgress).toHaveBeenLastCalledWith({ doneBytes: content.length, totalBytes: content.length })
    expect(requests[0]!.headers).not.toHaveProperty('authorization')
  })

  test('goes on where it broke off', async () => {
    const whole = answerWith(content)
    const { begin, onProgress } = breaking(100_000)
    let tries = 0
    const { url, requests } = await serve((request, response) =>
      tries++ === 0 ? begin(response) : whole(request, response),
    )

    await downloadFile(url, at('file'), { sha256, onProgress })

    expect(await readFile(at('file'))).toEqual(content)
    expect(requests).toHaveLength(2)
    expect(requests[1]!.headers.range).toMatch(/^bytes=[1-9]\d*-$/)
    expect(requests[1]!.headers['if-range']).toBe('"v1"')
  })

  test('starts over when the file has changed meanwhile', async () => {
    const other = Buffer.from(content).reverse()
    const { begin, onProgress } = breaking(100_000)
    const whole = answerWith(other, '"v2"')
    let tries = 0
    const { url } = await serve((request, response) => (tries++ === 0 ? begin(response) : whole(request, response)))

    const file = await downloadFile(url, at('file'), { onProgress })

    expect(await readFile(at('file'))).toEqual(other)
    expect(file.sha256).toBe(createHash('sha256').update(other).digest('hex'))
  })

  test.each([
    ['another checksum', { sha256: '0'.repeat(64) }, 'checksum_mismatch'],
    ['too short', { sizeBytes: content.length + 1 }, 'connection_failed'],
    ['too long', { sizeBytes: content.length - 1 }, 'size_mismatch'],
  ])('leaves nothing behind for a file that is wrong: %s', async (_, expected, code) => {
    const { url } = await serve(answerWith(content))
    await writeFile(at('file'), 'what was there before')

    await expect(downloadFile(url, at('file'), { ...expected, retries: 0 })).rejects.toMatchObject({ code })

    expect(await readdir(directory)).toEqual(['file'])
    expect(await readFile(at('file'), 'utf8')).toBe('what was there before')
  })

  test('does not read on when more comes than there may be', async () => {
    const { url } = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(content)) {}
      }
      response.on('drain', more)
      more()
    })
    await expect(downloadFile(url, at('file'), { sizeBytes: 1_000_000 })).rejects.toMatchObject({
      code: 'size_mismatch',
    })
  })

  test('leaves nothing behind when it is ended, or never gets through', async () => {
    const { begin, onProgress } = breaking(1_000)
    const { url } = await serve((_, response) => begin(response))
    await expect(downloadFile(url, at('file'), { retries: 2, onProgress })).rejects.toMatchObject({
      code: 'connection_failed',
    })
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(downloadFile(url, at('file'), { signal })).rejects.toThrow('enough')
    expect(await readdir(directory)).toEqual([])
  })
})

describe('downloadJobFiles', () => {
  const job = (files: Record<string, string>) =>
    fakeService({
      'GET /api/jobs/j/download': json({ job: { id: 'j' }, files }),
      'GET /1': () => new Response('one'),
      'GET /2': () => new Response('two'),
    }).client()

  test("writes a job's files by their names", async () => {
    const files = await downloadJobFiles(
      job({ 'b/two.txt': 'https://s.example/2', 'one.txt': 'https://s.example/1' }),
      'j',
      directory,
    )
    expect(files.map(({ path }) => path)).toEqual([at('b/two.txt'), at('one.txt')])
    expect(await readFile(at('b/two.txt'), 'utf8')).toBe('two')
  })

  test.each(['../up.txt', '/etc/passwd', 'a/../../b', '.hidden', 'a//b', 'C:\\x'])(
    'does not write outside: %s',
    async (name) => {
      await expect(downloadJobFiles(job({ [name]: 'https://s.example/1' }), 'j', directory)).rejects.toThrow(RangeError)
      expect(await readdir(directory)).toEqual([])
    },
  )
})

describe('files to upload', () => {
  const signed = (url: string): SignedUpload => ({
    name: 'f.tif',
    url,
    method: 'PUT',
    headers: { 'content-type': 'image/tiff' },
    expiresAt: '2026-03-03T00:00:00Z',
  })
  const store: Handler = (_, response) => response.writeHead(201).end()

  beforeEach(() => writeFile(at('f.tif'), content))

  test('are declared by exact size and checksum', async () => {
    expect(await fileDeclaration(at('f.tif'), 'out/f.tif', 'image/tiff')).toEqual({
      name: 'out/f.tif',
      sizeBytes: content.length,
      sha256,
      contentType: 'image/tiff',
    })
  })

  test('go out whole, with their length and not in chunks', async () => {
    const { url, requests } = await serve(store)
    const onProgress = vi.fn()

    await uploadFile(signed(url), at('f.tif'), { onProgress })

    expect(requests[0]!.body).toBe(content.toString())
    expect(requests[0]!.headers).toMatchObject({
      'content-length': String(content.length),
      'content-type': 'image/tiff',
    })
    expect(requests[0]!.headers).not.toHaveProperty('transfer-encoding')
    expect(onProgress).toHaveBeenLastCalledWith({ doneBytes: content.length, totalBytes: content.length })
  })

  test('go out whole even if they are empty', async () => {
    await writeFile(at('f.tif'), '')
    const { url, requests } = await serve(store)
    await uploadFile(signed(url), at('f.tif'))
    expect(requests[0]).toMatchObject({ body: '', headers: { 'content-length': '0' } })
  })

  test('go out again when the connection breaks', async () => {
    let tries = 0
    const { url, requests } = await serve((request, response) =>
      tries++ === 0 ? request.socket.destroy() : store(request, response),
    )
    await uploadFile(signed(url), at('f.tif'))
    expect(requests.map(({ body }) => body.length)).toEqual([content.toString().length, content.toString().length])
  })

  test('that are not there fail before anything is sent', async () => {
    await expect(fileSource(at('nope'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('make a layer', async () => {
    const { url } = await serve(store)
    const ready = { name: 'depth', version: 1, status: 'READY' }
    const service = fakeService({
      'POST /api/regions/r/layers/depth/uploads': json({ version: 1, upload: signed(url) }, { status: 201 }),
      'POST /api/regions/r/layers/depth/complete': json(ready, { status: 202 }),
      'PUT /file': new Response(null, { status: 201 }),
    })

    await expect(uploadLayerFile(service.client(), 'r', 'depth', at('f.tif'))).resolves.toEqual(ready)

    expect(service.requests[0]!.body).toEqual({ sizeBytes: content.length, sha256, contentType: 'image/tiff' })
    expect(service.to('PUT /file')[0]!.body).toBe(content.toString())
  })
})
