import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startHttpServer } from '../../src/main/http-server.ts'
import { createDiskStore } from '../../src/store/disk-store.ts'
import { diskStoreRoutes } from '../../src/store/disk-store-routes.ts'
import { type ObjectBody, StoreUnavailable } from '../../src/store/object-store.ts'
import { conditionsOf } from './conditions.ts'
import { startDiskStore } from './stores.ts'

type Disk = Awaited<ReturnType<typeof startDiskStore>>

let disk: Disk
let store: Disk['store']

beforeEach(async () => {
  disk = await startDiskStore()
  store = disk.store
})

afterEach(() => disk.stop())

const KEY = 'runs/7/sites.geojson'
const CONTENT = 'some sites'

describe('an upload URL', () => {
  test.each([
    ['expires', '99999999999'],
    ['type', 'text/html'],
    ['size', '11'],
    ['size', '10.0'],
    ['sha256', sha256('other')],
    ['signature', 'AAAA'],
    ['signature', ''],
  ])('with another %s (%s) is refused', async (name, value) => {
    const url = new URL((await signUpload()).url)
    url.searchParams.set(name, value)

    const answer = await fetch(url, { method: 'PUT', body: CONTENT, headers: { 'content-type': 'text/html' } })

    // A size of 10.0 is the same number, so the signature holds, and the refusal is the content type's.
    await expectProblem(answer, value === '10.0' ? [400, 'upload_mismatch'] : [403, 'signature_invalid'])
    await expectNothingStored()
  })

  test.each(['expires', 'type', 'size', 'sha256', 'signature'])('without its %s is refused', async (name) => {
    const upload = await signUpload()
    const url = new URL(upload.url)
    url.searchParams.delete(name)

    await expectProblem(await send({ ...upload, url: url.href }), [403, 'signature_invalid'])
  })

  test.each(['size=10', 'versionId=1', 'name=x'])('with %s added is refused', async (addition) => {
    const upload = await signUpload()

    await expectProblem(await send({ ...upload, url: `${upload.url}&${addition}` }), [403, 'signature_invalid'])
  })

  test('signed with another secret is refused', async () => {
    const other = createDiskStore({ root: disk.root, secret: 'another', baseUrl: baseUrlOf((await signUpload()).url) })

    await expectProblem(await send(await signUpload(CONTENT, other)), [403, 'signature_invalid'])
  })

  test('is refused once it expired', async () => {
    const upload = await signUpload()
    disk.clock.now = upload.expiresAt.getTime()

    await expectProblem(await send(upload), [403, 'url_expired'])
    await expectNothingStored()
  })

  test('does for PUT alone', async () => {
    const { url } = await signUpload()

    await expectProblem(await fetch(url), [403, 'signature_invalid'])
    await expectProblem(await fetch(url, { method: 'POST', body: CONTENT }), [405, 'method_not_allowed'])
    await expectProblem(await fetch(url, { method: 'DELETE' }), [405, 'method_not_allowed'])
  })

  test('says 201 first, 200 when the same comes again, 412 to anything else', async () => {
    expect((await send(await signUpload())).status).toBe(201)

    expect((await send(await signUpload())).status).toBe(200)
    await expectProblem(await send(await signUpload('other'), 'other'), [412, 'object_exists'])

    expect(await readTemporary()).toEqual([])
    expect(await text((await store.get(KEY))!.body)).toBe(CONTENT)
  })

  test('lets exactly one of many at once create the file', async () => {
    const bodies = Array.from({ length: 8 }, (_, i) => `sites of ${i}`)

    const answers = await Promise.all(bodies.map(async (body) => send(await signUpload(body), body)))

    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(412)])
    expect(await text((await store.get(KEY))!.body)).toBe(bodies[answers.findIndex(({ status }) => status === 201)])
  })

  test.each([
    ['larger', `${CONTENT} and more`, [413, 'too_large']],
    ['smaller', 'some', [400, 'upload_mismatch']],
    ['other', 'some SITES', [400, 'upload_mismatch']],
  ] as const)('refuses a %s file, announced or not', async (_, body, problem) => {
    await expectProblem(await send(await signUpload(), body), problem)

    // Without a length, as over HTTP/2 or when the app is called directly.
    const { url, ...request } = await signUpload()
    const streamed = { ...request, body: new Blob([body]).stream(), duplex: 'half' } as RequestInit
    const unannounced = new Request(url, streamed)
    expect(unannounced.headers.get('content-length')).toBeNull()
    await expectProblem(await disk.app.request(unannounced), problem)
    await expectNothingStored()
  })

  test('refuses another content type', async () => {
    const upload = await signUpload()

    await expectProblem(await send({ ...upload, headers: { 'content-type': 'text/html' } }), [400, 'upload_mismatch'])
    await expectNothingStored()
  })

  test('refuses chunks, as their length is not announced', async () => {
    const answer = await sendRaw(await signUpload(), 'transfer-encoding: chunked', `a\r\n${CONTENT}\r\n0\r\n\r\n`)

    expect(answer).toMatch(/^HTTP\/1.1 411 .*length_required/s)
    await expectNothingStored()
  })

  test('keeps nothing of a client that leaves in the middle', async () => {
    const upload = await signUpload()
    const socket = openRaw(upload, 'content-length: 10')
    socket.write('some')
    await expect.poll(readTemporary).toHaveLength(1)

    socket.destroy()

    await expect.poll(readTemporary).toEqual([])
    await expectNothingStored()
    expect((await send(upload)).status).toBe(201)
  })

  test.each([
    ['at its beginning', ''],
    ['in its middle', 'some'],
  ])('tells a client that falls silent %s, and keeps nothing of it', async (_, sent) => {
    const hasty = await startDiskStore({ silenceMs: 20 })
    const upload = await signUpload(CONTENT, hasty.store)
    const socket = openRaw(upload, 'content-length: 10', undefined, 'keep-alive')
    socket.write(sent)

    const answer = await text(socket)

    expect(answer).toMatch(/^HTTP\/1.1 408 .*"code":"request_timeout"/s)
    expect(answer).toMatch(/^connection: close\r$/im)
    expect(await readdir(join(hasty.root, '~temporary'))).toEqual([])
    expect(await hasty.store.head(KEY)).toBeUndefined()
    await hasty.stop()
  })

  test('refuses early, and answers, although much is still to come', async () => {
    const upload = await signUpload()

    const answer = await send({ ...upload, url: `${upload.url}x` }, 'x'.repeat(5_000_000))

    await expectProblem(answer, [403, 'signature_invalid'])
  })

  test('answers a client that sends all before it reads, though the store fails in the middle', async () => {
    const receive = async (_: unknown, body: ObjectBody) => {
      for await (const _piece of body as Readable) throw new StoreUnavailable('full', 'No space is left.')
      return 'created' as const
    }
    const routes = diskStoreRoutes({ ...store, receive })
    const server = await startHttpServer({
      fetch: new Hono().route('/objects', routes).fetch,
      host: '127.0.0.1',
      port: 0,
    })
    const content = 'x'.repeat(20_000_000)
    const { pathname, search } = new URL((await signUpload(content)).url)
    const upload = { ...(await signUpload(content)), url: `${server.url}${pathname}${search}` }
    const socket = openRaw(upload, `content-length: ${content.length}`).pause()
    await new Promise((resolve) => socket.write(content, resolve))

    expect(await text(socket)).toMatch(/^HTTP\/1.1 503 .*"code":"service_unavailable"/s)
    await server.stop()
  })

  test('answers 503 when the directory has vanished', async () => {
    const upload = await signUpload()
    await rm(disk.root, { recursive: true })

    const answer = await send(upload)

    expect(answer.headers.get('retry-after')).toBe('5')
    await expectProblem(answer, [503, 'service_unavailable'])
  })
})

describe('a download URL', () => {
  test.each([
    ['bytes=2-4', '234', '2-4'],
    ['bytes=7-', '789', '7-9'],
    ['bytes=-3', '789', '7-9'],
    ['bytes=-99', '0123456789', '0-9'],
    ['bytes=8-99', '89', '8-9'],
  ])('gives the range %s', async (range, expected, contentRange) => {
    const answer = await fetch(await download('0123456789'), { headers: { range } })

    expect(answer.status).toBe(206)
    expect(answer.headers.get('content-range')).toBe(`bytes ${contentRange}/10`)
    expect(answer.headers.get('content-length')).toBe(String(expected.length))
    expect(await answer.text()).toBe(expected)
  })

  test.each(['bytes=10-', 'bytes=99-100', 'bytes=-0'])('refuses the range %s', async (range) => {
    const answer = await fetch(await download('0123456789'), { headers: { range } })

    expect(answer.headers.get('content-range')).toBe('bytes */10')
    await expectProblem(answer, [416, 'range_not_satisfiable'])
  })

  test.each(['bytes=4-2', 'bytes=a-b', 'bytes=-', 'lines=1-2', 'bytes=0-1,4-5'])(
    'ignores the range %s',
    async (range) => {
      const answer = await fetch(await download('0123456789'), { headers: { range } })

      expect(answer.status).toBe(200)
      expect(await answer.text()).toBe('0123456789')
    },
  )

  test('gives a range only of the file that If-Range names', async () => {
    const url = await download('0123456789')
    const { headers } = await fetch(url, { method: 'HEAD' })
    const status = async (condition: string) =>
      (await fetch(url, { headers: { range: 'bytes=0-1', 'if-range': condition } })).status

    expect(await status(headers.get('etag')!)).toBe(206)
    expect(await status(headers.get('last-modified')!)).toBe(206)
    expect(await status('"other"')).toBe(200)
    expect(await status(`W/${headers.get('etag')}`)).toBe(200)
  })

  test('answers 304 to who has the file', async () => {
    const url = await download()
    const etag = (await fetch(url, { method: 'HEAD' })).headers.get('etag')!
    const get = (condition: string) => fetch(url, { headers: { 'if-none-match': condition } })

    for (const condition of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await get(condition)
      expect(answer.status).toBe(304)
      expect(answer.headers.get('etag')).toBe(etag)
    }
    expect((await get('"other"')).status).toBe(200)
  })

  test('goes by its conditions', async () => {
    const url = await download()
    const { headers } = await fetch(url, { method: 'HEAD' })
    const cases = conditionsOf(headers.get('etag')!, headers.get('last-modified')!)

    for (const [name, conditions, status] of cases) {
      const [head, get] = [
        await fetch(url, { method: 'HEAD', headers: conditions }),
        await fetch(url, { headers: conditions }),
      ]
      expect([head.status, get.status], name).toEqual([status, status])
      if (status === 412) await expectProblem(get, [412, 'precondition_failed'])
      else await get.text()
    }
    await expect.poll(openFiles).toEqual([])
  })

  test('answers HEAD with all of it, whatever range that asks for', async () => {
    const url = await download()

    const { status, headers } = await fetch(url, { method: 'HEAD', headers: { range: 'bytes=0-1' } })

    expect([status, headers.get('content-range')]).toEqual([200, null])
  })

  test('answers HEAD with the headers of GET', async () => {
    const url = await download()

    const head = await fetch(url, { method: 'HEAD' })
    const get = await fetch(url)

    const described = ({ headers }: Response) =>
      ['content-length', 'content-type', 'etag', 'accept-ranges', 'last-modified'].map((name) => headers.get(name))
    expect(head.status).toBe(200)
    expect(await head.text()).toBe('')
    expect(described(head)).toEqual(described(get))
    expect(described(get)).not.toContain(null)
    expect(get.headers.get('content-length')).toBe('10')
  })

  test('keeps browsers from making more of a file than a file', async () => {
    const { headers } = await fetch(await download('<script>alert(1)</script>', 'text/html'))

    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
    expect(headers.get('cache-control')).toBe('private, no-cache, no-transform')
  })

  test('is refused when expired, changed, or for what is not there', async () => {
    const { url, expiresAt } = await store.signDownload('runs/none', { expirySeconds: 60, fileName: 'a.txt' })

    await expectProblem(await fetch(url), [404, 'object_not_found'])
    await expectProblem(await fetch(url.replace('name=a.txt', 'name=a.exe')), [403, 'signature_invalid'])
    await expectProblem(await fetch(`${url}&type=text%2Fhtml`), [403, 'signature_invalid'])
    disk.clock.now = expiresAt.getTime()
    await expectProblem(await fetch(url), [403, 'url_expired'])
  })

  test('does not mix up what is signed, however a name is worded', async () => {
    const { url } = await store.signDownload(KEY, { expirySeconds: 60, contentType: 'text/html' })
    const { url: worded } = await store.signDownload(KEY, { expirySeconds: 60, fileName: 'a","b' })

    await expectProblem(await fetch(url.replace('type=', 'name=')), [403, 'signature_invalid'])
    await expectProblem(await fetch(worded.replace('a%22%2C%22b', 'a&type=b')), [403, 'signature_invalid'])
  })

  test('leaves no file open, whatever is asked', async () => {
    const url = await download('x'.repeat(1_000_000))
    const empty = await download('')

    await fetch(url, { method: 'HEAD' })
    await fetch(url, { headers: { 'if-none-match': '*' } })
    await fetch(url, { headers: { range: 'bytes=2000000-' } })
    await (await fetch(empty)).text()
    const leaving = new AbortController()
    await fetch(url, { signal: leaving.signal })
    leaving.abort()

    await expect.poll(openFiles).toEqual([])
  })
})

describe('a path out of the store', () => {
  test.each([
    '/objects/../../../etc/passwd',
    '/objects/%2e%2e/%2e%2e/etc/passwd',
    '/objects/a%2f..%2f..%2fetc/passwd',
    '/objects//etc/passwd',
    '/objects/a/~temporary',
    '/objects/a%00b',
  ])('%s is refused', async (path) => {
    const { url, method } = await store.signDownload(KEY, { expirySeconds: 60 }).then((d) => ({ ...d, method: 'GET' }))
    const target = new URL(url)

    const answer = await sendRaw({ url, method, headers: {} }, '', '', path + target.search)

    expect(answer).toMatch(/^HTTP\/1.1 (403|404|400) /)
  })

  test('does not lead through a symlink that somebody put there', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'fieldstation-outside-'))
    await put('secret')
    await rename(join(disk.root, 'secret'), join(outside, 'secret'))
    await symlink(outside, join(disk.root, 'out~'))
    await symlink(join(outside, 'secret'), join(disk.root, 'secret'))

    await expect(store.put('out/new', Buffer.from('x'), { contentType: 'text/plain' })).rejects.toThrow(
      'not a directory',
    )
    await expect(store.put('out/deep/new', Buffer.from('x'), { contentType: 'text/plain' })).rejects.toThrow()
    await expect(store.get('out/secret')).rejects.toThrow('not a directory')
    await expect(store.get('secret')).rejects.toThrow()
    await expect(store.delete(['out/secret'])).rejects.toThrow('not a directory')
    expect((await store.list('')[Symbol.asyncIterator]().next()).done).toBe(true)

    expect(await readdir(outside)).toEqual(['secret'])
    expect(await readTemporary()).toEqual([])
    await rm(outside, { recursive: true })
  })
})

describe('the disk store', () => {
  test('shows files under their own names to who looks into the directory', async () => {
    await store.put('runs/7/map.png', Buffer.from('pixels'), { contentType: 'image/png' })

    expect(await readFile(join(disk.root, 'runs~/7~/map.png'), 'utf8')).toMatch(/^pixels\{/)
  })

  test('lists keys in the order of their bytes', async () => {
    for (const key of ['b', 'B', 'a/x', 'a', 'a-1', 'a.txt']) await put(key)

    const keys: string[] = []
    for await (const { key } of store.list('')) keys.push(key)

    expect(keys).toEqual(['B', 'a', 'a-1', 'a.txt', 'a/x', 'b'])
  })

  test('leaves no empty directories when objects are deleted', async () => {
    await put('runs/7/deep/down')
    await put('runs/8')

    await store.delete(['runs/7/deep/down'])

    expect(await readdir(join(disk.root, 'runs~'))).toEqual(['8'])
  })

  test('keeps what is put beside what is deleted at the same time', async () => {
    for (let round = 0; round < 100; round++) {
      await put('race/a/b/old')
      await Promise.all([put('race/a/b/new'), store.delete(['race/a/b/old'])])
      expect(await store.head('race/a/b/new')).toBeDefined()
      await store.delete(['race/a/b/new'])
    }
  })

  test('lets a reader finish what is replaced and deleted meanwhile', async () => {
    await store.put(KEY, Buffer.alloc(1_000_000, 'a'), { contentType: 'text/plain' })
    const reading = await store.get(KEY)

    await store.put(KEY, Buffer.from('b'), { contentType: 'text/plain' })
    await store.delete([KEY])

    expect(await text(reading!.body)).toBe('a'.repeat(1_000_000))
  })

  test('removes at its start what an interrupted process left', async () => {
    await writeFile(join(disk.root, '~temporary', 'half'), 'half an upl')

    createDiskStore({ root: disk.root, secret: 's', baseUrl: '' })

    expect(await readTemporary()).toEqual([])
  })

  test('does not serve a file that was cut short', async () => {
    await put(KEY)
    const file = join(disk.root, 'runs~/7~/sites.geojson')
    await writeFile(file, (await readFile(file)).subarray(3))

    await expect(store.get(KEY)).rejects.toThrow()
  })

  test('keeps nothing of a body that breaks', async () => {
    const breaking = Readable.from(
      (function* () {
        yield Buffer.from('some')
        throw new Error('the source broke')
      })(),
    )

    await expect(store.put(KEY, breaking, { contentType: 'text/plain' })).rejects.toThrow('the source broke')

    await expectNothingStored()
  })

  test('that has vanished is not mistaken for an empty one', async () => {
    await put(KEY)
    await rm(disk.root, { recursive: true })
    const unavailable = { name: 'StoreUnavailable', trouble: 'missing', cause: { code: 'ENOENT' } }

    await expect(store.check()).rejects.toMatchObject(unavailable)
    await expect(store.head(KEY)).rejects.toMatchObject(unavailable)
    await expect(store.delete([KEY])).rejects.toMatchObject(unavailable)
    await expect(put(KEY)).rejects.toMatchObject(unavailable)
    await expect(store.list('')[Symbol.asyncIterator]().next()).rejects.toMatchObject(unavailable)
  })

  test('refuses a content type that is none', async () => {
    for (const contentType of ['', 'text/plain\r\nset-cookie: a=b', 'x'.repeat(201)]) {
      await expect(store.put(KEY, Buffer.from('x'), { contentType })).rejects.toThrow(TypeError)
    }
  })
})

const put = (key: string) => store.put(key, Buffer.from(key), { contentType: 'text/plain' })

interface Sendable {
  url: string
  method: string
  headers: Record<string, string>
}

const signUpload = (content = CONTENT, by = store) =>
  by.signUpload(KEY, {
    sizeBytes: Buffer.byteLength(content),
    sha256: sha256(content),
    contentType: 'application/geo+json',
    expirySeconds: 60,
  })

const send = ({ url, method, headers }: Sendable, body = CONTENT) => fetch(url, { method, headers, body })

let downloads = 0
async function download(content = CONTENT, contentType = 'text/plain'): Promise<string> {
  const key = `downloads/${++downloads}`
  await store.put(key, Buffer.from(content), { contentType })
  return (await store.signDownload(key, { expirySeconds: 60 })).url
}

/** What fetch would refuse to send. */
function openRaw({ url, method, headers }: Sendable, header: string, path?: string, connection = 'close') {
  const { hostname, port, pathname, search } = new URL(url)
  const lines = Object.entries({ host: hostname, connection, ...headers }).map(([name, value]) => `${name}: ${value}`)
  const socket = connect(Number(port), hostname)
  socket.write(
    `${[`${method} ${path ?? pathname + search} HTTP/1.1`, ...lines, ...(header ? [header] : [])].join('\r\n')}\r\n\r\n`,
  )
  return socket
}

async function sendRaw(request: Sendable, header: string, body: string, path?: string): Promise<string> {
  const socket = openRaw(request, header, path)
  socket.write(body)
  return text(socket)
}

async function expectProblem(answer: Response, [status, code]: readonly [number, string]): Promise<void> {
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(await answer.json()).toEqual({
    type: `https://fieldstation.example/problems/${code.replaceAll('_', '-')}`,
    title: expect.any(String),
    status,
    detail: expect.any(String),
    instance: expect.stringMatching(/^\/objects\//),
    code,
  })
  expect(answer.status).toBe(status)
}

async function expectNothingStored(): Promise<void> {
  expect(await readTemporary()).toEqual([])
  expect(await store.head(KEY)).toBeUndefined()
}

const readTemporary = () => readdir(join(disk.root, '~temporary'))

async function openFiles(): Promise<string[]> {
  const files = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  )
  return files.filter((file) => file.startsWith(disk.root))
}

const baseUrlOf = (url: string) => url.slice(0, url.indexOf(`/${KEY}`))

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex')
}
