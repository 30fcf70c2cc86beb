import { afterAll, describe, expect, test } from 'vitest'
import { startS3Store } from '../store/stores.ts'
import { startTestService } from '../support/service.ts'
import { faulty, jpegOf } from './faulty.ts'
import { samples } from './inspection/samples.ts'
import { pngOf } from './large-png.ts'
import {
  ask,
  formOf,
  get,
  multipart,
  noteOf,
  type Problem,
  polygonOf,
  remains,
  send,
  sha256,
  somePng,
  upload,
} from './support.ts'

const service = await startTestService()
const s3 = await startS3Store()
afterAll(() => s3.stop())
const onS3 = {
  ...(await startTestService({ store: s3.store, objects: undefined })),
  store: s3.store as typeof service.store,
}
const ana = await service.person()

describe('createImage', () => {
  test.each(samples)('keeps $name byte for byte', async ({ bytes, facts }) => {
    const image = await upload(service, ana, bytes, 'reef')

    expect(image).toMatchObject({
      userId: ana.id,
      name: 'reef',
      contentType: facts.type,
      sizeBytes: bytes.length,
      sha256: sha256(bytes),
      width: facts.width,
      height: facts.height,
    })
    const file = await get(service, ana, image.id)
    expect(file.headers.get('content-type')).toBe(facts.type)
    expect(Buffer.from(await file.arrayBuffer()).equals(bytes)).toBe(true)
    expect(await service.store.head(`images/${image.id}`)).toMatchObject({ contentType: facts.type })
  })

  test('says where the image is', async () => {
    const response = await send(service, ana, formOf(somePng()))

    const { id } = (await response.json()) as { id: string }
    expect(response.headers.get('location')).toBe(`/api/images/${id}`)
    expect((await ask(service, ana, 'GET', `/api/images/${id}/metadata`)).body.id).toBe(id)
  })

  test.each([
    ['accents and quotes', 'récif "ouest".jpg', 'récif "ouest".jpg'],
    ['an emoji', '🐠🪸.png', '🐠🪸.png'],
    ['what a browser escapes, written out', 'a%22b.png', 'a"b.png'],
    ['other percents', '100%25 %E2.png', '100%25 %E2.png'],
    ['the folders it lay in', 'C:\\reef\\west.png', 'west.png'],
    ['folders elsewhere', '/etc/../west.png', 'west.png'],
    ['nothing but a dot in front', '.png', '.png'],
    ['255 characters', '🐠'.repeat(255), '🐠'.repeat(255)],
    ['a semicolon and an apostrophe', "o'hara; x=1.png", "o'hara; x=1.png"],
  ])('keeps a name with %s', async (_, sent, kept) => {
    const image = await upload(service, ana, somePng(), sent)

    expect(image.name).toBe(kept)
    const disposition = (await get(service, ana, image.id)).headers.get('content-disposition')!
    const [, encoded] = /^attachment; filename="[\x20-\x7e]*"; filename\*=UTF-8''([^ ]+)$/.exec(disposition) ?? []
    expect(decodeURIComponent(encoded!)).toBe(kept)
  })

  test.each([
    ['is JPEG inside', 'reef.png', undefined],
    ['is called text', 'reef.txt', undefined],
    ['is announced as something else', 'reef.png', 'text/html'],
  ])('goes by the bytes when a file %s', async (_, fileName, type) => {
    const { body, type: contentType } = multipart([{ name: 'file', fileName, ...(type && { type }), body: jpegOf() }])

    const response = await send(service, ana, body, { 'content-type': contentType })

    expect(await response.json()).toMatchObject({ contentType: 'image/jpeg' })
  })

  test.each([
    ['before the file', true],
    ['after the file', false],
  ])('reads the fields %s', async (_, isBefore) => {
    const polygonId = await polygonOf(ana)
    const noteId = await noteOf(service, ana, polygonId)
    const file = { name: 'file', fileName: 'a.png', body: somePng() }
    const fields = [
      { name: 'polygonId', body: polygonId },
      { name: 'noteId', body: noteId },
    ]
    const { body, type } = multipart(isBefore ? [...fields, file] : [file, ...fields])

    const response = await send(service, ana, body, { 'content-type': type })

    expect(response.status).toBe(201)
    expect(await response.json()).toMatchObject({ polygonId, noteId })
  })
})

describe('createImage on S3', () => {
  test('keeps what goes there in parts, and nothing of what is refused', async () => {
    const person = await onS3.person()
    const bytes = Buffer.concat([...pngOf(3000, 3000)])
    const damaged = Buffer.concat([bytes, Buffer.from('more')])

    const image = await upload(onS3, person, bytes)
    const refused = await send(onS3, person, formOf(damaged))

    expect(image).toMatchObject({ sizeBytes: bytes.length, sha256: sha256(bytes), width: 3000 })
    expect(sha256(Buffer.from(await (await get(onS3, person, image.id)).arrayBuffer()))).toBe(sha256(bytes))
    expect(refused.status).toBe(422)
    expect(await remains(onS3)).toEqual({ rows: 1, keys: 1 })
  })
})

describe('createImage keeps nothing of', () => {
  const before = { rows: 0, keys: 0 }

  test.each(faulty)('$name', async ({ bytes, status, code }) => {
    Object.assign(before, await remains(service))

    const response = await send(service, ana, formOf(bytes, 'reef.png'))

    const problem = (await response.json()) as Problem
    expect(problem).toMatchObject({ status, code })
    expect(problem.detail).toMatch(/^[A-Z].*\.$/)
    expect(await remains(service)).toEqual(before)
  })

  test('what does not begin like an image, before anything is stored', async () => {
    const { put } = service.store
    let puts = 0
    service.store.put = (...call) => {
      puts++
      return put(...call)
    }

    const response = await send(service, ana, formOf(Buffer.from('The reef is bleached, and this is no image.')))

    service.store.put = put
    expect(response.status).toBe(415)
    expect(puts).toBe(0)
  })

  test.each([
    ['no name', '', 'invalid_request'],
    ['a name of folders alone', 'reef/', 'invalid_request'],
    ['a name that is a folder', '.', 'invalid_request'],
    ['a name that is the folder above', 'reef/..', 'invalid_request'],
    ['a name of 256 characters', 'x'.repeat(256), 'invalid_request'],
    ['a line break in its name', 'a%0Ab.png', 'invalid_request'],
    ['a control character in its name', 'a\u0001b.png', 'invalid_request'],
    ['a C1 control character in its name', 'a\u0085b.png', 'invalid_request'],
  ])('a file with %s', async (_, fileName, code) => {
    Object.assign(before, await remains(service))
    const { body, type } = multipart([{ name: 'file', fileName, body: somePng() }])

    const response = await send(service, ana, body, { 'content-type': type })

    expect(await response.json()).toMatchObject({ status: 400, code, errors: [{ pointer: '/file' }] })
    expect(await remains(service)).toEqual(before)
  })

  test.each([
    ['a polygon that is not there', 'polygonId'],
    ['a note that is not there', 'noteId'],
  ])('an image of %s', async (_, member) => {
    Object.assign(before, await remains(service))

    const response = await send(service, ana, formOf(somePng(), 'a.png', { [member]: crypto.randomUUID() }))

    expect(await response.json()).toMatchObject({
      status: 422,
      code: 'unresolved_reference',
      errors: [{ pointer: `/${member}` }],
    })
    expect(await remains(service)).toEqual(before)
  })

  test('an image of a polygon or a note of somebody else', async () => {
    const polygonId = await polygonOf(ana)
    const noteId = await noteOf(service, ana, polygonId)
    const ben = await service.person()
    Object.assign(before, await remains(service))

    for (const [member, id] of Object.entries({ polygonId, noteId })) {
      const response = await send(service, ben, formOf(somePng(), 'a.png', { [member]: id }))
      expect(await response.json()).toMatchObject({ status: 422, errors: [{ pointer: `/${member}` }] })
    }

    expect(await remains(service)).toEqual(before)
  })

  test.each([
    ['an unknown field', [{ name: 'title', body: 'x' }], '/title'],
    ['an id that is none', [{ name: 'polygonId', body: '7' }], '/polygonId'],
    ['a field twice', [1, 2].map(() => ({ name: 'polygonId', body: crypto.randomUUID() })), '/polygonId'],
    ['a second file', [{ name: 'file', fileName: 'b.png', body: somePng() }], '/file'],
  ])('a form with %s after the file', async (_, parts, pointer) => {
    Object.assign(before, await remains(service))
    const { body, type } = multipart([{ name: 'file', fileName: 'a.png', body: somePng() }, ...parts])

    const response = await send(service, ana, body, { 'content-type': type })

    expect(await response.json()).toMatchObject({ status: 400, code: 'invalid_request', errors: [{ pointer }] })
    expect(await remains(service)).toEqual(before)
  })
})
