import { describe, expect, test } from 'vitest'
import { conditionsOf } from '../store/conditions.ts'
import { startTestService } from '../support/service.ts'
import { authorization, countedReads, get, type Problem, somePng, upload } from './support.ts'

const service = await startTestService()
const ana = await service.person()
const bytes = somePng(50)
const image = await upload(service, ana, bytes, 'récif.png')
const etag = `"${image.sha256}"`
const size = bytes.length
const lastModified = new Date(image.createdAt).toUTCString()

const fetched = (headers?: Record<string, string>) => get(service, ana, image.id, headers)
const head = (headers: Record<string, string> = {}) =>
  service.send(`/api/images/${image.id}`, { method: 'HEAD', headers: { ...authorization(ana), ...headers } })
const bodyOf = async (response: Response) => Buffer.from(await response.arrayBuffer())

const whole = {
  etag,
  'last-modified': lastModified,
  'accept-ranges': 'bytes',
  'cache-control': 'private, no-cache, no-transform',
  'content-type': 'image/png',
  'content-length': String(size),
  'content-disposition': `attachment; filename="r_cif.png"; filename*=UTF-8''r%C3%A9cif.png`,
  'x-content-type-options': 'nosniff',
}

describe('getImage', () => {
  test('says what it sends', async () => {
    const response = await fetched({ 'accept-encoding': 'gzip, br' })

    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject(whole)
    expect(response.headers.has('content-encoding')).toBe(false)
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await bodyOf(response)).toEqual(bytes)
  })

  test('says all of it to HEAD, whatever range that asks for', async () => {
    for (const range of ['bytes=0-3', 'bytes=999999999-']) {
      const { status, headers } = await head({ range })

      expect([status, headers.get('content-length')]).toEqual([200, `${size}`])
      expect(headers.has('content-range')).toBe(false)
    }
  })

  test('says the same to HEAD, and opens nothing', async () => {
    const gets = countedReads(service.store)

    const response = await head()

    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject(whole)
    expect(await bodyOf(response)).toHaveLength(0)
    expect(gets()).toBe(0)
  })

  test.each([
    ['the first bytes', 'bytes=0-9', 0, 9],
    ['one byte', 'bytes=3-3', 3, 3],
    ['the middle', 'bytes=10-19', 10, 19],
    ['the rest', 'bytes=20-', 20, size - 1],
    ['the last bytes', 'bytes=-7', size - 7, size - 1],
    ['more than there is at the end', 'bytes=-1000000', 0, size - 1],
    ['what goes beyond the end', 'bytes=5-1000000', 5, size - 1],
  ])('sends %s', async (_, range, start, end) => {
    const response = await fetched({ range })

    expect(response.status).toBe(206)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      ...whole,
      'content-range': `bytes ${start}-${end}/${size}`,
      'content-length': String(end - start + 1),
    })
    expect(await bodyOf(response)).toEqual(bytes.subarray(start, end + 1))
  })

  test.each([
    ['several ranges', 'bytes=0-1,5-6'],
    ['a range in another unit', 'rows=0-1'],
    ['a range that runs backwards', 'bytes=9-3'],
    ['no range at all', 'bytes=-'],
  ])('sends the whole for %s', async (_, range) => {
    const response = await fetched({ range })

    expect(response.status).toBe(200)
    expect(await bodyOf(response)).toEqual(bytes)
  })

  test.each(['bytes=100000-', 'bytes=-0', `bytes=${size}-`])('cannot satisfy %s', async (range) => {
    const response = await fetched({ range })

    expect(response.status).toBe(416)
    expect(response.headers.get('content-range')).toBe(`bytes */${size}`)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect((await response.json()) as Problem).toMatchObject({ code: 'range_not_satisfiable' })
  })

  test.each([
    ['its tag', etag],
    ['its weak tag', `W/${etag}`],
    ['any of several', `"other", ${etag}`],
    ['whatever there is', '*'],
  ])('sends nothing to who has %s', async (_, known) => {
    const gets = countedReads(service.store)

    const response = await fetched({ 'if-none-match': known, range: 'bytes=0-9' })

    expect(response.status).toBe(304)
    expect(response.headers.get('etag')).toBe(etag)
    expect(await bodyOf(response)).toHaveLength(0)
    expect(gets()).toBe(0)
  })

  test('sends the whole to who has something else', async () => {
    expect((await fetched({ 'if-none-match': '"other"' })).status).toBe(200)
  })

  test.each([
    ['the part of these very bytes', etag, 206],
    ['the part of the same date', lastModified, 206],
    ['the whole instead of other bytes', '"other"', 200],
    ['the whole instead of weakly the same', `W/${etag}`, 200],
    ['the whole instead of an older date', new Date(0).toUTCString(), 200],
  ])('sends %s', async (_, condition, status) => {
    const response = await fetched({ range: 'bytes=0-9', 'if-range': condition })

    expect(response.status).toBe(status)
    await response.body?.cancel()
  })

  test.each(conditionsOf(etag, lastModified))('goes by its conditions: %s', async (_, conditions, status) => {
    const gets = countedReads(service.store)
    const [response, ofHead] = [await fetched(conditions), await head(conditions)]

    expect([response.status, ofHead.status]).toEqual([status, status])
    expect(gets()).toBe(status === 200 ? 1 : 0)
    if (status === 412) expect(await response.json()).toMatchObject({ code: 'precondition_failed' })
    else expect(response.headers.get('etag')).toBe(etag)
  })

  test('sends a part of what must have its tag', async () => {
    const response = await fetched({
      'if-match': etag,
      'if-modified-since': new Date(0).toUTCString(),
      range: 'bytes=0-9',
    })

    expect(response.status).toBe(206)
    expect(await bodyOf(response)).toEqual(bytes.subarray(0, 10))
  })

  test('says nothing of what one may not see, whatever the conditions', async () => {
    const stranger = await service.person()

    for (const name of ['if-match', 'if-none-match'])
      expect((await get(service, stranger, image.id, { [name]: '*' })).status).toBe(404)
  })

  test('knows no image that is not there', async () => {
    const response = await get(service, ana, crypto.randomUUID())

    expect(await response.json()).toMatchObject({ status: 404, code: 'image_not_found' })
  })
})
