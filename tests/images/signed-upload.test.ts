import { afterAll, describe, expect, test } from 'vitest'
import type { components } from '../../generated/types.ts'
import { discardedFiles } from '../../src/files/discarded-files.ts'
import { imageService } from '../../src/images/image-service.ts'
import { imageStore } from '../../src/images/image-store.ts'
import type { ObjectStore } from '../../src/store/object-store.ts'
import { startS3Store } from '../store/stores.ts'
import { type Person, startTestService } from '../support/service.ts'
import { faulty, jpegOf } from './faulty.ts'
import { ask, countedReads, get, type Image, noteOf, polygonOf, remains, sha256, somePng, upload } from './support.ts'

type Created = components['schemas']['ImageUploadCreated']
type Input = components['schemas']['ImageUpload']

const s3 = await startS3Store()
afterAll(() => s3.stop())
const limitBytes = 1024 * 1024
const onDisk = await startTestService({ imageLimitBytes: limitBytes })
const onS3 = await startTestService({ imageLimitBytes: limitBytes, store: s3.store, objects: undefined })

const badNames = [
  '',
  '.',
  '..',
  'a/b',
  'a\\b',
  'a\u0000b',
  'a\u001fb',
  'a\u007fb',
  'a\u0080b',
  'a\u0085b',
  'a\u009fb',
  'a\ud800b',
]

const inputOf = (bytes: Uint8Array, over: Partial<Input> = {}): Input => ({
  name: 'récif "ouest".png',
  contentType: 'image/png',
  sizeBytes: bytes.length,
  sha256: sha256(bytes),
  ...over,
})

describe.each([
  { name: 'disk', service: onDisk, store: onDisk.store as ObjectStore },
  { name: 's3', service: { ...onS3, store: s3.store as typeof onS3.store }, store: s3.store },
])('on $name', ({ service, store }) => {
  const start = async (person: Person, input: Input) =>
    ask<Created>(service, person, 'POST', '/api/images/uploads', input)
  const complete = (person: Person, id: string) => ask(service, person, 'POST', `/api/images/${id}/complete`)

  async function put({ url, method, headers }: Created['upload'], body: Uint8Array): Promise<number> {
    const request = new Request(url, { method, headers, body: body as Uint8Array<ArrayBuffer> })
    const response = await (url.startsWith(service.baseUrl) ? service.fetch(request) : fetch(request))
    await response.body?.cancel()
    return response.status
  }

  /** An upload whose file has arrived. */
  async function arrived(person: Person, bytes: Uint8Array, over?: Partial<Input>): Promise<Created> {
    const { body } = await start(person, inputOf(bytes, over))
    expect(await put(body.upload, bytes)).toBeLessThan(300)
    return body
  }

  test('an image goes past the service', async () => {
    const ana = await service.person()
    const polygonId = await polygonOf(ana)
    const noteId = await noteOf(service, ana, polygonId)
    const bytes = somePng(33)

    const created = await start(ana, inputOf(bytes, { polygonId, noteId }))
    expect(created.status).toBe(201)
    const { imageId, upload } = created.body
    expect(upload).toMatchObject({ name: `${imageId}.png`, method: 'PUT' })
    expect(await put(upload, bytes)).toBeLessThan(300)
    const { status, body } = await complete(ana, imageId)

    expect({ ...body, status }).toMatchObject({
      status: 200,
      id: imageId,
      ...inputOf(bytes, { polygonId, noteId }),
      width: 33,
    })
    const file = await get(service, ana, imageId)
    expect(Buffer.from(await file.arrayBuffer())).toEqual(bytes)
    const countReads = countedReads(store)
    expect(await complete(ana, imageId)).toEqual({ status, body })
    expect(countReads()).toBe(0)
    const part = await get(service, ana, imageId, { range: 'bytes=2-5' })
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(2, 6))
  })

  test('a file that has not arrived can still come', async () => {
    const ana = await service.person()
    const bytes = somePng(34)
    const { imageId, upload } = (await start(ana, inputOf(bytes))).body

    expect((await complete(ana, imageId)).body).toMatchObject({ status: 409, code: 'upload_incomplete' })
    await put(upload, bytes)

    expect((await complete(ana, imageId)).status).toBe(200)
  })

  test('no other file than the announced one is taken', async () => {
    const ana = await service.person()
    const bytes = somePng(35)
    const { imageId, upload } = (await start(ana, inputOf(bytes))).body
    const other = Buffer.from(bytes)
    other[20]! ^= 1

    expect(await put(upload, other)).toBeGreaterThanOrEqual(400)

    expect((await complete(ana, imageId)).body).toMatchObject({ status: 409, code: 'upload_incomplete' })
  })

  test('a file is not replaced by the same URL', async () => {
    const ana = await service.person()
    const bytes = somePng(36)
    const { imageId, upload } = await arrived(ana, bytes)
    await complete(ana, imageId)
    const other = Buffer.from(bytes)
    other[20]! ^= 1

    expect(await put(upload, other)).toBeGreaterThanOrEqual(400)

    expect(Buffer.from(await (await get(service, ana, imageId)).arrayBuffer())).toEqual(bytes)
  })

  test.each(faulty.filter(({ bytes }) => bytes.length > 0))('$name is refused, and goes', async (fault) => {
    const ana = await service.person()
    const before = await remains(service)
    const { imageId } = await arrived(ana, fault.bytes)

    const { status, body } = await complete(ana, imageId)

    expect({ ...body, status }).toMatchObject({ status: fault.status, code: fault.code })
    expect(await remains(service)).toEqual(before)
    expect((await complete(ana, imageId)).status).toBe(404)
  })

  test('an image of another kind than announced is refused, and goes', async () => {
    const ana = await service.person()
    const before = await remains(service)
    const { imageId } = await arrived(ana, jpegOf())

    const { body } = await complete(ana, imageId)

    expect(body).toMatchObject({ status: 422, code: 'image_refused', detail: 'The file is image/jpeg, not image/png.' })
    expect(await remains(service)).toEqual(before)
  })

  test('of two who complete it at once both are told the same', async () => {
    const ana = await service.person()
    const { imageId } = await arrived(ana, somePng(37))
    const release = heldReads(store, 2)

    const [one, other] = await Promise.all([complete(ana, imageId), complete(ana, imageId)])

    release()
    expect(one.status).toBe(200)
    expect(other).toEqual(one)
  })

  test('however many complete it at once, it is inspected once', async () => {
    const ana = await service.person()
    const [alone, together] = [await arrived(ana, somePng(39)), await arrived(ana, somePng(39))]
    const one = heldReads(store, 1)
    await complete(ana, alone.imageId)
    const reads = one()

    const release = heldReads(store, 8)
    const all = await Promise.all(Array.from({ length: 8 }, () => complete(ana, together.imageId)))

    expect(release()).toBe(reads)
    for (const { status } of all) expect(status).toBe(200)
  })

  test('an upload is cancelled by who started it, whether its file has arrived or still comes', async () => {
    const [ana, ben, admin] = [await service.person(), await service.person(), await service.person('ADMIN')]
    const before = await remains(service)
    const bytes = somePng(40)
    const there = (await arrived(ana, bytes)).imageId
    const { imageId: coming, upload: signed } = (await start(ana, inputOf(bytes))).body
    const cancel = (person: Person, id: string) => ask(service, person, 'DELETE', `/api/images/${id}`)

    for (const other of [ben, admin]) expect((await cancel(other, there)).body).toMatchObject({ status: 404 })
    for (const id of [there, coming]) {
      expect((await cancel(ana, id)).status).toBe(204)
      expect((await cancel(ana, id)).body).toMatchObject({ status: 404, code: 'image_not_found' })
      expect((await complete(ana, id)).body).toMatchObject({ status: 404, code: 'image_not_found' })
    }
    expect(await put(signed, bytes)).toBeLessThan(300)
    await service.sql`update discarded_objects set discarded_at = now() - interval '2 hours'`
    await service.chores['purge discarded files']()

    expect(await remains(service)).toEqual(before)
  })

  test('what is cancelled while it is completed is not there', async () => {
    const ana = await service.person()
    const { imageId } = await arrived(ana, somePng(41))
    const { get: original } = store
    store.get = async (...call) => {
      store.get = original
      expect((await ask(service, ana, 'DELETE', `/api/images/${imageId}`)).status).toBe(204)
      return original(...call)
    }

    expect((await complete(ana, imageId)).body).toMatchObject({ status: 404, code: 'image_not_found' })
  })

  test('what was refused to somebody else just then is not there', async () => {
    const ana = await service.person()
    const { imageId } = await arrived(ana, somePng(38))
    const { get: original } = store
    store.get = async () => {
      await service.sql`delete from images where id = ${imageId}`
      return undefined
    }

    const { body } = await complete(ana, imageId)

    store.get = original
    expect(body).toMatchObject({ status: 404, code: 'image_not_found' })
  })

  test('of two who complete what is refused neither hears of a bug of ours', async () => {
    const ana = await service.person()
    const bytes = faulty.find(({ name }) => name === 'a bomb')!.bytes
    const { imageId } = await arrived(ana, bytes)
    const release = heldReads(store, 2)

    const both = await Promise.all([complete(ana, imageId), complete(ana, imageId)])

    release()
    expect(both.map(({ status }) => status)).toEqual([422, 422])
  })
})

/** Holds back whoever reads a file until so many have asked whether it is there. Gives how often it was read, and lets reads be. */
function heldReads(store: ObjectStore, askers: number): () => number {
  const { get, head } = store
  const all = Promise.withResolvers<void>()
  let [asked, reads] = [0, 0]
  store.head = async (key) => {
    const found = await head(key)
    // Then they have gone on to read it, or to wait for who does.
    if (++asked === askers) setImmediate(all.resolve)
    return found
  }
  store.get = async (...call) => {
    reads++
    await all.promise
    return get(...call)
  }
  return () => {
    Object.assign(store, { get, head })
    return reads
  }
}

describe('createImageUpload', () => {
  test('takes what the service takes, and no byte more', async () => {
    const ana = await onDisk.person()
    const before = await remains(onDisk)
    const input = inputOf(somePng())

    const exact = await ask(onDisk, ana, 'POST', '/api/images/uploads', { ...input, sizeBytes: limitBytes })
    const more = await ask(onDisk, ana, 'POST', '/api/images/uploads', { ...input, sizeBytes: limitBytes + 1 })

    expect(exact.status).toBe(201)
    expect(more.body).toMatchObject({ status: 413, code: 'payload_too_large' })
    expect(await remains(onDisk)).toMatchObject({ rows: before.rows + 1 })
  })

  test.each(['polygonId', 'noteId'])('refuses a %s of somebody else', async (member) => {
    const [ana, ben] = [await onDisk.person(), await onDisk.person()]
    const polygonId = await polygonOf(ana)
    const ids: Record<string, string> = { polygonId, noteId: await noteOf(onDisk, ana, polygonId) }

    const { body } = await ask(onDisk, ben, 'POST', '/api/images/uploads', {
      ...inputOf(somePng()),
      [member]: ids[member],
    })

    expect(body).toMatchObject({ status: 422, code: 'unresolved_reference', errors: [{ pointer: `/${member}` }] })
  })

  test.each(badNames)('refuses the name %j, and so does the image it would be', async (name) => {
    const ana = await onDisk.person()
    const image = await upload(onDisk, ana)

    const started = await ask(onDisk, ana, 'POST', '/api/images/uploads', inputOf(somePng(), { name }))
    const renamed = await ask(onDisk, ana, 'PATCH', `/api/images/${image.id}`, { name })

    for (const { body } of [started, renamed])
      expect(body).toMatchObject({ status: 400, code: 'invalid_request', errors: [{ pointer: '/name' }] })
  })

  test.each(['...', '.reef', '..reef', 'reef..', 'a\u00a0b'])('takes the name %j', async (name) => {
    const ana = await onDisk.person()

    expect((await ask(onDisk, ana, 'POST', '/api/images/uploads', inputOf(somePng(), { name }))).status).toBe(201)
    expect((await upload(onDisk, ana, somePng(), name)).name).toBe(name)
  })
})

describe('deleteImage', () => {
  test('deletes an upload that became an image just then', async () => {
    const ana = await onDisk.person()
    const { sql, store, log } = onDisk
    const image = await upload(onDisk, ana)
    const images = imageStore(sql)
    const files = discardedFiles({ sql, store, log })
    const remove = imageService({
      ...{ sql, store, log, files, limitBytes },
      images: { ...images, findOwn: async (...call) => ({ ...(await images.findOwn(...call))!, status: 'UPLOADING' }) },
      polygons: { isVisible: async () => false },
      notes: { findOwn: async () => undefined },
    }).delete

    await remove({ kind: 'session', userId: ana.id, roles: [], scopes: [] }, image.id)

    expect((await get(onDisk, ana, image.id)).status).toBe(404)
    expect(await store.head(`images/${image.id}`)).toBeUndefined()
  })

  test('cancels no form that is under way', async () => {
    const ana = await onDisk.person()
    const id = crypto.randomUUID()
    await onDisk.sql`
      insert into images (id, user_id, object_key, name) values (${id}, ${ana.id}, ${`images/${id}`}, 'a.png')
    `

    const { body } = await ask(onDisk, ana, 'DELETE', `/api/images/${id}`)

    expect(body).toMatchObject({ status: 404, code: 'image_not_found' })
    expect(await onDisk.sql`select from images where id = ${id}`).toHaveLength(1)
  })
})

describe('completeImageUpload', () => {
  test('is for who started it', async () => {
    const [ana, admin] = [await onDisk.person(), await onDisk.person('ADMIN')]
    const { body } = await ask<Created>(onDisk, ana, 'POST', '/api/images/uploads', inputOf(somePng()))

    const answer = await ask<Image>(onDisk, admin, 'POST', `/api/images/${body.imageId}/complete`)

    expect(answer.body).toMatchObject({ status: 404, code: 'image_not_found' })
  })

  test('is not for what comes in a form', async () => {
    const ana = await onDisk.person()
    const id = crypto.randomUUID()
    await onDisk.sql`
      insert into images (id, user_id, object_key, name) values (${id}, ${ana.id}, ${`images/${id}`}, 'a.png')
    `
    await onDisk.store.put(`images/${id}`, somePng(), { contentType: 'image/png' })

    const { body } = await ask(onDisk, ana, 'POST', `/api/images/${id}/complete`)

    expect(body).toMatchObject({ status: 409, code: 'upload_incomplete' })
  })
})
