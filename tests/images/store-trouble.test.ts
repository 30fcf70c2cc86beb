import { once } from 'node:events'
import { rename } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { discardedFiles } from '../../src/files/discarded-files.ts'
import { imageInspections } from '../../src/images/image-inspections.ts'
import { imageReceiver } from '../../src/images/image-receiver.ts'
import { imageStore } from '../../src/images/image-store.ts'
import { type ObjectStore, StoreUnavailable } from '../../src/store/object-store.ts'
import { createS3Store } from '../../src/store/s3-store.ts'
import { s3Client, startDiskStore, startS3Store } from '../store/stores.ts'
import { memoryLog, startTestService } from '../support/service.ts'
import { ask, formOf, get, remains, send, somePng, upload } from './support.ts'

const [disk, s3] = [await startDiskStore(), await startS3Store()]
const refusing = createServer((_, response) => response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>'))
refusing.listen(0, '127.0.0.1')
await once(refusing, 'listening')
afterAll(async () => {
  await Promise.all([disk.stop(), s3.stop()])
  refusing.closeAllConnections()
  refusing.close()
})

/** What the service takes for its store: for the time of a test another one, or one with a fault. */
let present: ObjectStore = disk.store
afterEach(() => {
  present = disk.store
})
const store = new Proxy({} as ObjectStore, { get: (_, member) => Reflect.get(present, member) })
const log = memoryLog({ expectsErrors: true })
const service = { ...(await startTestService({ store, objects: undefined, log })), store: disk.store }
const ana = await service.person()

const troubles = [
  ['does not answer', () => createS3Store({ client: s3Client('http://127.0.0.1:1'), bucket: 'field-files' })],
  ['has no such bucket', () => createS3Store({ client: s3.client, bucket: 'no-such-bucket' })],
  [
    'refuses our credentials',
    () => {
      const { port } = refusing.address() as AddressInfo
      return createS3Store({ client: s3Client(`http://127.0.0.1:${port}`), bucket: 'field-files' })
    },
  ],
] as const

const unavailable = { status: 503, code: 'service_unavailable', detail: 'The object store does not answer.' }

describe('while the store', () => {
  test.each(troubles)('%s, an image cannot be fetched now', async (_, broken) => {
    const image = await upload(service, ana)
    present = broken()

    const response = await get(service, ana, image.id)

    expect(response.headers.get('retry-after')).toBe('2')
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject(unavailable)
  })

  test.each(troubles)('%s, an image cannot be uploaded, and leaves no row', async (_, broken) => {
    const before = await remains(service)
    present = broken()

    const response = await send(service, ana, formOf(somePng()))

    expect(response.headers.get('retry-after')).toBe('2')
    expect(await response.json()).toMatchObject(unavailable)
    expect(await remains(service)).toEqual(before)
  })

  test('has lost its directory, it is down, and no image is missing', async () => {
    const image = await upload(service, ana)
    await rename(disk.root, `${disk.root}-away`)

    const response = await get(service, ana, image.id)

    await rename(`${disk.root}-away`, disk.root)
    expect(await response.json()).toMatchObject(unavailable)
    expect((await get(service, ana, image.id)).status).toBe(200)
  })

  test('is down, an image can be deleted, and its file goes later', async () => {
    const image = await upload(service, ana)
    present = troubles[0][1]()
    expect((await ask(service, ana, 'DELETE', `/api/images/${image.id}`)).status).toBe(204)
    present = disk.store

    await service.sql`update discarded_objects set discarded_at = now() - interval '2 hours'`
    expect(await disk.store.head(`images/${image.id}`)).toBeDefined()
    await service.chores['purge discarded files']()

    expect(await disk.store.head(`images/${image.id}`)).toBeUndefined()
    expect(await service.sql`select from discarded_objects`).toHaveLength(0)
  })
})

describe('an image', () => {
  test.each([
    ['is gone from the store', () => Promise.resolve()],
    ['is not what it was', (key: string) => disk.store.put(key, Buffer.from('short'), { contentType: 'image/png' })],
  ])('that %s is a bug of ours, and told from one that is not there', async (_, damage) => {
    const image = await upload(service, ana)
    await disk.store.delete([`images/${image.id}`])
    await damage(`images/${image.id}`)

    const response = await get(service, ana, image.id)

    expect(await response.json()).toMatchObject({ status: 500, code: 'internal' })
    for (const header of ['etag', 'content-disposition', 'accept-ranges', 'last-modified'])
      expect(response.headers.has(header), header).toBe(false)
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        fields: expect.objectContaining({ error: expect.objectContaining({ name: 'FileMissing' }) }),
      }),
    )
  })

  test('that is deleted while it is fetched is not there', async () => {
    const image = await upload(service, ana)
    present = {
      ...disk.store,
      async get() {
        await service.sql`delete from images where id = ${image.id}`
        return undefined
      },
    }

    expect(await (await get(service, ana, image.id)).json()).toMatchObject({ status: 404, code: 'image_not_found' })
  })
})

describe('an upload leaves nothing', () => {
  test('when the store fails in the midst of it', async () => {
    const before = await remains(service)
    present = {
      ...disk.store,
      async put(_, body) {
        for await (const _chunk of body as AsyncIterable<Uint8Array>) break
        throw new StoreUnavailable('full', 'No space left.')
      },
    }

    const response = await send(service, ana, formOf(somePng(500)))

    expect(await response.json()).toMatchObject(unavailable)
    expect(await remains(service)).toEqual(before)
  })

  test('when the database fails at its end', async () => {
    const before = await remains(service)
    await service.sql`alter table images add constraint no_more check (status <> 'READY') not valid`

    const response = await send(service, ana, formOf(somePng()))

    await service.sql`alter table images drop constraint no_more`
    expect(response.status).toBe(500)
    expect(await remains(service)).toEqual(before)
  })

  test('though its file cannot be deleted now, and tells why it was refused', async () => {
    const before = await remains(service)
    present = { ...disk.store, delete: () => Promise.reject(new StoreUnavailable('unreachable', 'Gone quiet.')) }

    const response = await send(service, ana, formOf(somePng(), 'a.png', { polygonId: crypto.randomUUID() }))

    expect(await response.json()).toMatchObject({ code: 'unresolved_reference' })
    expect(await remains(service)).toEqual({ rows: before.rows, keys: before.keys + 1 })
    present = disk.store
    await service.sql`update discarded_objects set discarded_at = now() - interval '2 hours'`
    await service.chores['purge discarded files']()
    expect(await remains(service)).toEqual(before)
  })
})

describe('an image that became ready', () => {
  test('stays whole, though the answer of the database was lost', async () => {
    const images = imageStore(service.sql)
    const lost = new Error('The connection broke.')
    const receiver = imageReceiver({
      sql: service.sql,
      images: {
        ...images,
        async makeReady(...call) {
          await images.makeReady(...call)
          throw lost
        },
      },
      store: disk.store,
      inspections: imageInspections(disk.store),
      attachments: { assert: async () => {}, whileThere: (_, write) => write() },
      files: discardedFiles({ sql: service.sql, store: disk.store, log }),
      log,
    })
    const bytes = somePng(77)
    const form = { file: { name: 'ready.png', bytes: Readable.from([bytes]) }, fields: async () => ({}) }

    const caller = { kind: 'session' as const, userId: ana.id, roles: [], scopes: [] }
    await expect(receiver.receive(caller, form)).rejects.toBe(lost)

    const [row] = await service.sql<{ id: string }[]>`select id from images where name = 'ready.png'`
    const file = await get(service, ana, row!.id)
    expect(Buffer.from(await file.arrayBuffer())).toEqual(bytes)
    expect(await service.sql`select from discarded_objects`).toHaveLength(0)
  })
})
