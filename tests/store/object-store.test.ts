import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ObjectMismatch, type ObjectStore } from '../../src/store/object-store.ts'
import { startDiskStore, startS3Store } from './stores.ts'

describe.each([
  { name: 'disk', start: startDiskStore },
  { name: 's3', start: startS3Store },
])('the $name store', ({ start }) => {
  let store: ObjectStore
  let fill: (keys: string[]) => Promise<void>
  let stop: () => Promise<void>
  let keys = 0
  const newKey = () => `runs/${++keys}/sites.geojson`

  beforeAll(async () => {
    ;({ store, fill, stop } = await start())
  })

  afterAll(() => stop())

  describe('put and get', () => {
    test('give back bytes, content type and facts', async () => {
      const key = newKey()

      const put = await store.put(key, Buffer.from('some sites'), { contentType: 'application/geo+json' })
      const object = await store.get(key)

      expect(await text(object!.body)).toBe('some sites')
      expect(object!.info).toMatchObject({
        sizeBytes: 10,
        contentType: 'application/geo+json',
        sha256: sha256('some sites'),
      })
      expect(object!.info.etag).toMatch(/^"[^"]+"$/)
      expect(await store.head(key)).toEqual(put)
    })

    test.each([
      ['a node stream', () => Readable.from([Buffer.from('first '), Buffer.from('second')])],
      ['a web stream', () => new Blob(['first ', 'second']).stream()],
    ])('take %s', async (_, body) => {
      const key = newKey()

      await store.put(key, body(), { contentType: 'text/plain', sizeBytes: 12 })

      expect(await text((await store.get(key))!.body)).toBe('first second')
    })

    test('keep an empty object', async () => {
      const key = newKey()

      await store.put(key, new Uint8Array(), { contentType: 'text/plain' })

      expect(await text((await store.get(key))!.body)).toBe('')
      expect(await store.head(key)).toMatchObject({ sizeBytes: 0 })
    })

    test('keep an object of many megabytes, streamed', async () => {
      const key = newKey()
      const bytes = Buffer.alloc(20_000_001, 'terrain ')

      await store.put(key, Readable.from(slices(bytes, 65_536)), { contentType: 'image/tiff' })

      const object = await store.get(key)
      expect(object!.info.sizeBytes).toBe(bytes.length)
      expect(sha256(await buffer(object!.body))).toBe(sha256(bytes))
    })

    test('replace what was there', async () => {
      const key = newKey()
      await store.put(key, Buffer.from('old and long'), { contentType: 'text/plain' })

      await store.put(key, Buffer.from('new'), { contentType: 'text/html' })

      expect(await text((await store.get(key))!.body)).toBe('new')
      expect(await store.head(key)).toMatchObject({ contentType: 'text/html', sizeBytes: 3 })
    })

    test.each([
      ['fewer', 11],
      ['more', 9],
    ])('store nothing when %s bytes come than were announced', async (_, sizeBytes) => {
      const key = newKey()

      const put = store.put(key, Readable.from([Buffer.from('some '), Buffer.from('sites')]), {
        contentType: 'text/plain',
        sizeBytes,
      })

      await expect(put).rejects.toThrow(ObjectMismatch)
      expect(await store.head(key)).toBeUndefined()
    })

    test('store nothing when the body breaks, however far it got', async () => {
      const key = newKey()
      const breaking = Readable.from(slicesThenError(Buffer.alloc(20_000_000), 65_536))

      await expect(store.put(key, breaking, { contentType: 'text/plain' })).rejects.toThrow('the source broke')

      expect(await store.head(key)).toBeUndefined()
    })
  })

  describe('get', () => {
    test.each([
      [{ start: 2, end: 4 }, '234'],
      [{ start: 7 }, '789'],
      [{ start: 8, end: 100 }, '89'],
      [{ start: 0, end: 0 }, '0'],
    ])('gives the range %j, and the facts of the whole', async (range, expected) => {
      const key = newKey()
      await store.put(key, Buffer.from('0123456789'), { contentType: 'text/plain' })

      const object = await store.get(key, { range })

      expect(await text(object!.body)).toBe(expected)
      expect(object!.info.sizeBytes).toBe(10)
    })

    test('refuses a range behind the end', async () => {
      const key = newKey()
      await store.put(key, Buffer.from('0123456789'), { contentType: 'text/plain' })

      await expect(store.get(key, { range: { start: 10 } })).rejects.toThrow(RangeError)
    })

    test('is undefined for what is not there', async () => {
      expect(await store.get('runs/none')).toBeUndefined()
      expect(await store.head('runs/none')).toBeUndefined()
    })
  })

  describe('list', () => {
    test('gives all keys with the prefix, in byte order', async () => {
      for (const key of [
        'list/b/c',
        'list/b.txt',
        'list/b',
        'list/a',
        'list/b-1',
        'list/ba',
        'listless',
        'list/b/a/x',
      ]) {
        await store.put(key, Buffer.from(key), { contentType: 'text/plain' })
      }

      expect(await listKeys('list/')).toEqual([
        'list/a',
        'list/b',
        'list/b-1',
        'list/b.txt',
        'list/b/a/x',
        'list/b/c',
        'list/ba',
      ])
      expect(await listKeys('list/b/')).toEqual(['list/b/a/x', 'list/b/c'])
      expect(await listKeys('list/b')).toEqual([
        'list/b',
        'list/b-1',
        'list/b.txt',
        'list/b/a/x',
        'list/b/c',
        'list/ba',
      ])
      expect(await listKeys('listl')).toEqual(['listless'])
      expect(await listKeys('nothing/')).toEqual([])
    })

    test.each([
      ['after/a', ['after/a-1', 'after/a/b/c', 'after/a/b/d', 'after/b']],
      ['after/a/b/c', ['after/a/b/d', 'after/b']],
      ['after/a/b/cc', ['after/a/b/d', 'after/b']],
      ['after/a/c', ['after/b']],
      ['after/b', []],
      ['aft', ['after/a', 'after/a-1', 'after/a/b/c', 'after/a/b/d', 'after/b']],
      ['b', []],
    ])('goes on behind %s', async (after, expected) => {
      for (const key of ['after/a', 'after/a-1', 'after/a/b/c', 'after/a/b/d', 'after/b'])
        await store.put(key, Buffer.from(key), { contentType: 'text/plain' })

      expect((await collect(store.list('after/', { after }))).map(({ key }) => key)).toEqual(expected)
    })

    test.each(['../', 'a b', 'a//'])('refuses to go on behind %j', async (after) => {
      await expect(collect(store.list('after/', { after }))).rejects.toThrow(TypeError)
    })

    test.each(['../', '/', 'a b', 'a//', '.'])('refuses the prefix %j', async (prefix) => {
      await expect(listKeys(prefix)).rejects.toThrow(TypeError)
    })

    test('tells size and time', async () => {
      await store.put('facts/one', Buffer.from('12345'), { contentType: 'text/plain' })

      const listed = await collect(store.list('facts/'))

      expect(listed).toEqual([{ key: 'facts/one', sizeBytes: 5, lastModifiedAt: expect.any(Date) }])
    })

    test('and delete go beyond a thousand', { timeout: 60_000 }, async () => {
      const many = Array.from({ length: 1005 }, (_, i) => `many/${String(i).padStart(4, '0')}`)
      await fill(many)

      expect(await listKeys('many/')).toEqual(many)
      await store.delete(many)
      expect(await listKeys('many/')).toEqual([])
    })
  })

  describe('delete', () => {
    test('removes what is there, and no more, and does not mind what is not', async () => {
      for (const key of ['gone/a/b', 'gone/a/c', 'gone/a']) {
        await store.put(key, Buffer.from('x'), { contentType: 'text/plain' })
      }

      await store.delete(['gone/a/b', 'gone/never', 'gone/never/was', 'gone/a'])
      await store.delete([])

      expect(await listKeys('gone')).toEqual(['gone/a/c'])
    })
  })

  describe('a key', () => {
    const BAD = [
      '',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      'a/../b',
      './a',
      'a b',
      'ä',
      'a\\b',
      'a%2fb',
      'a\0',
      'a~',
      'x'.repeat(201),
    ]

    test.each([...BAD, 'x/'.repeat(250).concat('x')])('%j is refused by every method', async (key) => {
      const terms = { sizeBytes: 1, sha256: sha256('x'), contentType: 'text/plain', expirySeconds: 60 }

      await expect(store.signUpload(key, terms)).rejects.toThrow(TypeError)
      await expect(store.signDownload(key, terms)).rejects.toThrow(TypeError)
      await expect(store.put(key, Buffer.from('x'), terms)).rejects.toThrow(TypeError)
      await expect(store.get(key)).rejects.toThrow(TypeError)
      await expect(store.head(key)).rejects.toThrow(TypeError)
      await expect(store.delete([key])).rejects.toThrow(TypeError)
    })

    test('may have dots, dashes and 500 characters', async () => {
      const key = `a..b/-/_.tif/${'x'.repeat(187)}/${'y'.repeat(200)}/${'z'.repeat(98)}`
      expect(key).toHaveLength(500)

      await store.put(key, Buffer.from('x'), { contentType: 'text/plain' })

      expect(await text((await store.get(key))!.body)).toBe('x')
    })
  })

  describe('signUpload', () => {
    test('stores what is sent to it, once', async () => {
      const key = newKey()
      const upload = await signUpload(key, 'some sites')

      const answer = await send(upload, 'some sites')

      expect(answer.ok).toBe(true)
      expect(await store.head(key)).toMatchObject({
        sizeBytes: 10,
        contentType: 'application/geo+json',
        sha256: sha256('some sites'),
      })
      expect((await send(await signUpload(key, 'other'), 'other')).status).toBe(412)
      expect(await text((await store.get(key))!.body)).toBe('some sites')
    })

    test.each([
      ['a larger file', {}, 'some sites and more'],
      ['a smaller file', {}, 'some'],
      ['another file of that size', {}, 'some SITES'],
      ['another content type', { 'content-type': 'text/html' }, 'some sites'],
    ])('refuses %s, and stores nothing', async (_, headers, body) => {
      const key = newKey()
      const upload = await signUpload(key, 'some sites')

      const answer = await send({ ...upload, headers: { ...upload.headers, ...headers } }, body)

      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.status).toBeLessThan(500)
      expect(await store.head(key)).toBeUndefined()
    })

    test('is no permission for another key, nor for reading', async () => {
      const key = newKey()
      const other = newKey()
      const upload = await signUpload(key, 'some sites')

      expect((await send({ ...upload, url: upload.url.replace(key, other) }, 'some sites')).status).toBe(403)
      expect((await fetch(upload.url)).status).toBe(403)
      expect(await store.head(other)).toBeUndefined()
    })

    test('keeps an empty file', async () => {
      const key = newKey()

      expect((await send(await signUpload(key, ''), '')).ok).toBe(true)

      expect(await store.head(key)).toMatchObject({ sizeBytes: 0, sha256: sha256('') })
    })
  })

  describe('signDownload', () => {
    test('gives the file, to be shown', async () => {
      const key = newKey()
      await store.put(key, Buffer.from('some sites'), { contentType: 'application/geo+json' })

      const { url } = await store.signDownload(key, { expirySeconds: 60 })
      const answer = await fetch(url)

      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toBe('application/geo+json')
      expect(answer.headers.get('content-disposition')).toBeNull()
      expect(await answer.text()).toBe('some sites')
    })

    test('gives it under a name and a content type of ours', async () => {
      const key = newKey()
      await store.put(key, Buffer.from('some sites'), { contentType: 'application/geo+json' })

      const { url } = await store.signDownload(key, {
        expirySeconds: 60,
        fileName: 'Küste "Nord"/*1*.geojson',
        contentType: 'text/plain',
      })

      // fauxqs, unlike S3, does not answer with the headers that the URL asks for; that they are asked for is seen there.
      if (new URL(url).searchParams.has('response-content-type')) {
        expect(new URL(url).searchParams.get('response-content-type')).toBe('text/plain')
        expect(new URL(url).searchParams.get('response-content-disposition')).toBe(DISPOSITION)
      } else {
        const { headers } = await fetch(url)
        expect(headers.get('content-type')).toBe('text/plain')
        expect(headers.get('content-disposition')).toBe(DISPOSITION)
      }
    })

    test('is no permission for another key, name or for writing', async () => {
      const key = newKey()
      const other = newKey()
      await store.put(key, Buffer.from('some sites'), { contentType: 'text/plain' })
      await store.put(other, Buffer.from('a secret'), { contentType: 'text/plain' })

      const { url } = await store.signDownload(key, { expirySeconds: 60, fileName: 'sites.txt' })

      expect((await fetch(url.replace(key, other))).status).toBe(403)
      expect((await fetch(url.replace('sites.txt', 'virus.exe'))).status).toBe(403)
      expect((await fetch(url, { method: 'PUT', body: 'mine' })).status).toBe(403)
      expect((await fetch(url, { method: 'DELETE' })).ok).toBe(false)
      expect(await text((await store.get(key))!.body)).toBe('some sites')
    })
  })

  test('check is content', async () => {
    await store.check()
  })

  const signUpload = (key: string, content: string) =>
    store.signUpload(key, {
      sizeBytes: Buffer.byteLength(content),
      sha256: sha256(content),
      contentType: 'application/geo+json',
      expirySeconds: 60,
    })

  const listKeys = async (prefix: string) => (await collect(store.list(prefix))).map(({ key }) => key)
})

const DISPOSITION = `attachment; filename="K_ste _Nord__*1*.geojson"; filename*=UTF-8''K%C3%BCste%20%22Nord%22_%2A1%2A.geojson`

const send = (
  { url, method, headers }: { url: string; method: string; headers: Record<string, string> },
  body: string,
) => fetch(url, { method, headers, body })

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')

function* slices(bytes: Buffer, size: number) {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

function* slicesThenError(bytes: Buffer, size: number) {
  yield* slices(bytes, size)
  throw new Error('the source broke')
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}
