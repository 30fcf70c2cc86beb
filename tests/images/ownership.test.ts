import { describe, expect, test } from 'vitest'
import { type Person, startTestService } from '../support/service.ts'
import { ask, get, type Image, noteOf, polygonOf, upload } from './support.ts'

const service = await startTestService()
const [admin, owner, uploader, stranger] = [
  await service.person('ADMIN'),
  await service.person(),
  await service.person('ADMIN'),
  await service.person(),
]
// An admin may attach to what belongs to others; then the role goes, and what was uploaded stays the uploader's.
const polygonId = await polygonOf(owner)
const noteId = await noteOf(service, owner, polygonId)
const onPolygon = await upload(service, uploader, undefined, 'on-polygon.png', { polygonId })
const onNote = await upload(service, uploader, undefined, 'on-note.png', { noteId })
const alone = await upload(service, uploader, undefined, 'alone.png')
await admin.client.users.update(uploader.id, { roles: ['USER'] })

const statusesOf = async (person: Pick<Person, 'token'>, image: Image) => ({
  file: (await get(service, person as Person, image.id)).status,
  metadata: (await ask(service, person, 'GET', `/api/images/${image.id}/metadata`)).status,
  update: (await ask(service, person, 'PATCH', `/api/images/${image.id}`, { name: image.name })).status,
})

const sees = { file: 200, metadata: 200, update: 403 }
const changes = { file: 200, metadata: 200, update: 200 }
const nothing = { file: 404, metadata: 404, update: 404 }

describe('an image', () => {
  test.each([
    ['its uploader', uploader, changes, changes, changes],
    ['an admin', admin, changes, changes, changes],
    ['the owner of the polygon that it shows', owner, sees, sees, nothing],
    ['a stranger', stranger, nothing, nothing, nothing],
  ])('is open to %s as far as it goes', async (_, person, ofPolygon, ofNote, ofNothing) => {
    expect(await statusesOf(person, onPolygon)).toEqual(ofPolygon)
    expect(await statusesOf(person, onNote)).toEqual(ofNote)
    expect(await statusesOf(person, alone)).toEqual(ofNothing)
  })

  test('is not open to the key of an admin who did not upload it', async () => {
    const { key } = await admin.client.users.createApiKey({ name: 'k', scopes: ['images:read', 'images:write'] })

    expect(await statusesOf({ token: key }, alone)).toEqual(nothing)
  })

  test.each([
    ['images:read', { file: 200, metadata: 200, update: 403 }],
    ['images:write', { file: 403, metadata: 403, update: 200 }],
  ] as const)('is open to a key with the scope %s as far as that goes', async (scope, statuses) => {
    const image = await upload(service, owner)
    const { key } = await owner.client.users.createApiKey({ name: 'k', scopes: [scope] })

    expect(await statusesOf({ token: key }, image)).toEqual(statuses)
  })

  test('is not shown before it is whole', async () => {
    const file = { name: 'a.png', contentType: 'image/png', sizeBytes: 10, sha256: 'a'.repeat(64) }
    const { body } = await ask<{ imageId: string }>(service, owner, 'POST', '/api/images/uploads', file)
    const image = { id: body.imageId, name: 'a.png' } as Image

    expect(await statusesOf(owner, image)).toEqual(nothing)
    expect(await statusesOf(admin, image)).toEqual(nothing)
    expect((await ask(service, admin, 'DELETE', `/api/images/${image.id}`)).status).toBe(404)
  })
})

describe('listImages', () => {
  const list = async (person: Person, query = '') => {
    const { body } = await ask<{ items: Image[]; nextCursor?: string }>(service, person, 'GET', `/api/images${query}`)
    return { names: body.items.map(({ name }) => name), nextCursor: body.nextCursor }
  }

  test('gives my own, newest first, page by page', async () => {
    const ana = await service.person()
    for (const name of ['1.png', '2.png', '3.png']) await upload(service, ana, undefined, name)

    const first = await list(ana, '?limit=2')
    const second = await list(ana, `?limit=2&cursor=${first.nextCursor}`)

    expect(first.names).toEqual(['3.png', '2.png'])
    expect(second).toEqual({ names: ['1.png'], nextCursor: undefined })
  })

  test("gives an admin everyone's", async () => {
    expect((await list(admin, '?limit=100')).names).toEqual(expect.arrayContaining(['on-polygon.png', 'alone.png']))
  })

  test('gives nothing of others to who asks for no polygon of theirs', async () => {
    expect((await list(stranger)).names).toEqual([])
    expect((await list(owner)).names).not.toContain('on-polygon.png')
  })

  test('gives the owner of a polygon all that belong to it, and to its notes', async () => {
    expect((await list(owner, `?polygonId=${polygonId}`)).names).toEqual(['on-polygon.png'])
    expect((await list(owner, `?noteId=${noteId}`)).names).toEqual(['on-note.png'])
    expect((await list(owner, `?polygonId=${polygonId}&noteId=${noteId}`)).names).toEqual([])
  })

  test('gives a stranger nothing of it, and nobody anything of what is not there', async () => {
    expect((await list(stranger, `?polygonId=${polygonId}`)).names).toEqual([])
    expect((await list(stranger, `?noteId=${noteId}`)).names).toEqual([])
    expect((await list(admin, `?polygonId=${crypto.randomUUID()}`)).names).toEqual([])
  })
})

describe('updateImage', () => {
  test('changes what it is given, and leaves the rest', async () => {
    const ana = await service.person()
    const polygon = await polygonOf(ana)
    const image = await upload(service, ana)
    const path = `/api/images/${image.id}`

    expect((await ask(service, ana, 'PATCH', path, { name: 'récif "2".png' })).body.name).toBe('récif "2".png')
    expect((await ask(service, ana, 'PATCH', path, { polygonId: polygon })).body).toMatchObject({
      name: 'récif "2".png',
      polygonId: polygon,
    })
    const detached = await ask(service, ana, 'PATCH', path, { polygonId: null })
    expect(detached.body).not.toHaveProperty('polygonId')
    expect((await ask(service, ana, 'PATCH', path, {})).body).toEqual(detached.body)
  })

  test.each([
    ['a polygon', 'polygonId', () => polygonId],
    ['a note', 'noteId', () => noteId],
    ['a polygon that is not there', 'polygonId', () => crypto.randomUUID()],
  ])('refuses %s of somebody else', async (_, member, id) => {
    const image = await upload(service, stranger)

    const { status, body } = await ask(service, stranger, 'PATCH', `/api/images/${image.id}`, { [member]: id() })

    expect({ ...body, status }).toMatchObject({
      status: 422,
      code: 'unresolved_reference',
      errors: [{ pointer: `/${member}` }],
    })
  })

  test('takes back what it gave, though it belongs to somebody else', async () => {
    const change = { polygonId, name: 'renamed.png' }

    const { status, body } = await ask(service, uploader, 'PATCH', `/api/images/${onPolygon.id}`, change)

    expect({ ...body, status }).toMatchObject({ status: 200, ...change })
    await ask(service, uploader, 'PATCH', `/api/images/${onPolygon.id}`, { name: onPolygon.name })
  })

  test.each([
    ['a name with a folder in it', { name: 'a/b.png' }, '/name'],
    ['an empty name', { name: '' }, '/name'],
    ['what cannot be changed', { width: 7 }, '/width'],
  ])('refuses %s', async (_, change, pointer) => {
    const { status, body } = await ask(service, uploader, 'PATCH', `/api/images/${alone.id}`, change)

    expect({ ...body, status }).toMatchObject({ status: 400, errors: [{ pointer }] })
  })

  test('tells of a polygon that is deleted just then', async () => {
    const ana = await service.person()
    const polygon = await polygonOf(ana)
    const image = await upload(service, ana)

    // Held open: the polygon is gone, and nobody sees it yet.
    const { status, body } = await service.sql
      .begin(async (tx) => {
        await tx`delete from polygons where id = ${polygon}`
        const update = ask(service, ana, 'PATCH', `/api/images/${image.id}`, { polygonId: polygon })
        await expect.poll(() => tx`select from pg_locks where not granted`).not.toHaveLength(0)
        return { update }
      })
      .then(({ update }) => update)

    expect({ ...body, status }).toMatchObject({ status: 422, errors: [{ pointer: '/polygonId' }] })
  })
})

describe('deleteImage', () => {
  test('takes the file along', async () => {
    const image = await upload(service, owner)

    const { status } = await ask(service, owner, 'DELETE', `/api/images/${image.id}`)

    expect(status).toBe(204)
    expect(await service.store.head(`images/${image.id}`)).toBeUndefined()
    expect(await service.sql`select from discarded_objects`).toHaveLength(0)
    expect(await statusesOf(owner, image)).toEqual(nothing)
    expect((await ask(service, owner, 'DELETE', `/api/images/${image.id}`)).status).toBe(404)
  })

  test('is not for who only sees it', async () => {
    const { status, body } = await ask(service, owner, 'DELETE', `/api/images/${onPolygon.id}`)

    expect({ ...body, status }).toMatchObject({ status: 403, code: 'forbidden' })
    expect((await get(service, owner, onPolygon.id)).status).toBe(200)
  })

  test('leaves the image when its polygon and its note are deleted', async () => {
    const ana = await service.person()
    const polygon = await polygonOf(ana)
    const note = await noteOf(service, ana, polygon)
    const image = await upload(service, ana, undefined, 'a.png', { polygonId: polygon, noteId: note })

    await ana.client.polygons.delete(polygon)

    const { body } = await ask(service, ana, 'GET', `/api/images/${image.id}/metadata`)
    expect(body).not.toHaveProperty('polygonId')
    expect(body).not.toHaveProperty('noteId')
  })
})
