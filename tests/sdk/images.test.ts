import { describe, expect, test, vi } from 'vitest'
import { ApiError, TransferError } from '../../sdk/index.ts'
import { png } from '../images/inspection/png-bytes.ts'
import { startTestService } from '../support/service.ts'
import { collect } from './support/promises.ts'

const service = await startTestService()
const ana = await service.person()
const { images } = ana.client

let width = 1
/** A sound image that no other test has. */
const somePng = () => png({ width: width++ }) as Uint8Array<ArrayBuffer>
const fileOf = (bytes = somePng(), name = 'reef.png', type = 'image/png') => new File([bytes], name, { type })
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer())

const area = {
  type: 'Polygon' as const,
  coordinates: [
    [
      [145, -14],
      [146, -14],
      [146, -13],
      [145, -14],
    ],
  ],
}
const polygon = await ana.client.polygons.create({ polygon: area })
const note = await ana.client.notes.create({ polygonId: polygon.id, content: 'Bleached.' })
const about = { polygonId: polygon.id, noteId: note.id }

describe.each(['create', 'upload'] as const)('images.%s', (way) => {
  test('keeps a file byte for byte, under its name', async () => {
    const bytes = somePng()

    const image = await images[way](fileOf(bytes))

    expect(image).toMatchObject({ name: 'reef.png', contentType: 'image/png', sizeBytes: bytes.length })
    expect(await bytesOf(await images.download(image.id))).toEqual(new Uint8Array(bytes))
  })

  test.each(['récif "ouest".png', '日本 🐠.png', "50% of Ana's; a=b.png"])('keeps the name %s', async (name) => {
    expect(await images[way](fileOf(undefined, name))).toMatchObject({ name })
    expect(await images[way](fileOf(), { name })).toMatchObject({ name })
  })

  test('names what has no name', async () => {
    const blob = new Blob([somePng()], { type: 'image/png' })

    expect(await images[way](blob, { name: undefined })).toMatchObject({ name: 'image' })
    expect(await images[way](fileOf(undefined, 'reef.png'), { name: undefined })).toMatchObject({ name: 'reef.png' })
  })

  test('attaches it to a polygon and a note', async () => {
    const image = await images[way](fileOf(), { ...about, name: 'attached.png' })

    expect(image).toMatchObject({ ...about, name: 'attached.png' })
    expect((await images.list({ noteId: note.id })).items).toContainEqual(image)
  })

  test('leaves it alone where nothing is said', async () => {
    const image = await images[way](fileOf(), { polygonId: undefined, noteId: undefined })

    expect(image).not.toHaveProperty('polygonId')
    expect(image).not.toHaveProperty('noteId')
  })

  test('tells what was refused, and where', async () => {
    const unknown = { polygonId: crypto.randomUUID() }
    const refusal = images[way](fileOf(), unknown)

    await expect(refusal).rejects.toBeInstanceOf(ApiError)
    await expect(refusal).rejects.toMatchObject({
      status: 422,
      code: 'unresolved_reference',
      errors: [{ pointer: '/polygonId' }],
    })
    const damaged = somePng()
    damaged[damaged.length - 6]! ^= 1
    await expect(images[way](fileOf(damaged))).rejects.toMatchObject({ status: 422, code: 'image_refused' })
    const text = new File(['no image'], 'reef.png', { type: 'image/png' })
    await expect(images[way](text)).rejects.toMatchObject({ status: 415, code: 'unsupported_media_type' })
  })
})

describe('images.upload', () => {
  test('tells how far it is', async () => {
    const file = fileOf()
    const onProgress = vi.fn()

    await images.upload(file, undefined, { onProgress })

    expect(onProgress).toHaveBeenLastCalledWith({ doneBytes: file.size, totalBytes: file.size })
  })

  test('takes the type and the checksum of who knows better', async () => {
    const untyped = new Blob([somePng()])
    const { sha256 } = await images.create(untyped)
    const contentType = 'image/png'

    await expect(images.upload(untyped)).rejects.toMatchObject({ status: 400, errors: [{ pointer: '/contentType' }] })
    expect(await images.upload(untyped, {}, { contentType })).toMatchObject({ contentType, sha256 })
    expect(await images.upload(untyped, {}, { contentType, sha256 })).toMatchObject({ sha256 })
    const other = images.upload(untyped, {}, { contentType, sha256: 'a'.repeat(64) })
    await expect(other).rejects.toBeInstanceOf(TransferError)
    await expect(other).rejects.toMatchObject({ code: 'upload_failed' })
  })

  test('is refused where the type is not what the bytes are', async () => {
    await expect(images.upload(fileOf(undefined, 'reef.jpg', 'image/jpeg'))).rejects.toMatchObject({
      code: 'image_refused',
      status: 422,
    })
  })

  test('can be done step by step', async () => {
    const file = fileOf()
    const { sha256 } = await images.create(file)

    const { imageId, upload } = await images.createUpload({
      name: 'steps.png',
      contentType: 'image/png',
      sizeBytes: file.size,
      sha256,
    })
    await expect(images.completeUpload(imageId)).rejects.toMatchObject({ code: 'upload_incomplete' })
    await ana.client.transfers.upload(upload, file)

    expect(await images.completeUpload(imageId)).toMatchObject({ id: imageId, name: 'steps.png', sha256 })
  })
})

describe('images.download', () => {
  test('gives a part where that is asked for', async () => {
    const bytes = somePng()
    const { id, sha256 } = await images.create(fileOf(bytes))
    const part = (etag: string) => images.download(id, { headers: { Range: 'bytes=8-15', 'If-Range': etag } })

    const [same, other] = [await part(`"${sha256}"`), await part('"other"')]

    expect([same.status, same.headers.get('content-range')]).toEqual([206, `bytes 8-15/${bytes.length}`])
    expect(await bytesOf(same)).toEqual(new Uint8Array(bytes.subarray(8, 16)))
    expect([other.status, (await bytesOf(other)).length]).toEqual([200, bytes.length])
  })

  test('is the problem where it is refused', async () => {
    const { id } = await images.create(fileOf())

    const stranger = (await service.person()).client.images.download(id)
    await expect(stranger).rejects.toBeInstanceOf(ApiError)
    await expect(stranger).rejects.toMatchObject({ status: 404, code: 'image_not_found' })
    await expect(images.download(id, { headers: { Range: 'bytes=9999-' } })).rejects.toMatchObject({
      status: 416,
      code: 'range_not_satisfiable',
    })
  })
})

describe('what is known of images', () => {
  test('is listed, shown, changed and forgotten', async () => {
    const { client } = await service.person()
    for (const name of ['1.png', '2.png', '3.png']) await client.images.create(fileOf(), { name })

    const listed = await collect(client.images.listAll({ limit: 2 }))
    const { id } = listed[0]!
    const updated = await client.images.update(id, { name: 'récif.png' })
    await client.images.delete(listed[1]!.id)

    expect(listed.map(({ name }) => name)).toEqual(['3.png', '2.png', '1.png'])
    expect(updated).toEqual({ ...listed[0], name: 'récif.png' })
    expect(await client.images.get(id)).toEqual(updated)
    expect((await client.images.list()).items.map(({ name }) => name)).toEqual(['récif.png', '1.png'])
  })
})

describe('raw', () => {
  test('sends forms and fetches bytes', async () => {
    const bytes = somePng()
    const form = new FormData()
    form.append('polygonId', polygon.id)
    form.append('file', fileOf(bytes, 'raw.png'))
    const { raw } = ana.client

    const sent = await raw.POST('/api/images', { body: { file: '' }, bodySerializer: () => form })
    expect(sent.data).toMatchObject({ name: 'raw.png', polygonId: polygon.id })
    const path = { imageId: sent.data!.id }
    const fetched = await raw.GET('/api/images/{imageId}', { params: { path }, parseAs: 'arrayBuffer' })

    expect(new Uint8Array(fetched.data!)).toEqual(new Uint8Array(bytes))
    expect(fetched.response.headers.get('content-disposition')).toContain('raw.png')
  })
})
