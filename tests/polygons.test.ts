import { describe, expect, test } from 'vitest'
import { etagOf, type PolygonWrite } from '../sdk/index.ts'
import { startTestService } from './support/service.ts'

const service = await startTestService()
const ring = [
  [145.442, -14.668],
  [145.461, -14.668],
  [145.461, -14.651],
  [145.442, -14.651],
  [145.442, -14.668],
]
const lagoon = (over: Partial<PolygonWrite> = {}): PolygonWrite => ({
  name: 'Lizard Island lagoon',
  polygon: { type: 'Polygon', coordinates: [ring] },
  ...over,
})

describe('createPolygon', () => {
  test('keeps the polygon, and says where it is', async () => {
    const { client, id: userId } = await service.person()

    const created = await client.polygons.create(lagoon({ properties: { habitat: 'lagoon', n: { snake_case: 1 } } }))

    expect(created).toMatchObject({
      userId,
      name: 'Lizard Island lagoon',
      polygon: { type: 'Polygon', coordinates: [ring] },
    })
    expect(await client.polygons.get(created.id)).toEqual(created)
    expect(created.properties).toEqual({ habitat: 'lagoon', n: { snake_case: 1 } })
  })

  test('takes a Feature, and its properties where none are named', async () => {
    const { client } = await service.person()
    const feature = {
      type: 'Feature' as const,
      properties: { habitat: 'slope' },
      geometry: { type: 'Polygon' as const, coordinates: [ring] },
      bbox: [1, 2, 3, 4],
    }

    expect(await client.polygons.create(lagoon({ polygon: feature }))).toMatchObject({
      polygon: { type: 'Polygon' },
      properties: { habitat: 'slope' },
    })
  })

  test('winds rings as RFC 7946 asks', async () => {
    const { client } = await service.person()

    const { polygon } = await client.polygons.create(
      lagoon({ polygon: { type: 'Polygon', coordinates: [ring.toReversed()] } }),
    )

    expect(polygon.coordinates).toEqual([ring])
  })

  test.each([
    ['a ring that is not closed', [ring.slice(0, -1).concat([[145.443, -14.668]])], '/polygon/coordinates/0/4'],
    [
      'a longitude out of range',
      [
        [
          [181, 0],
          [2, 0],
          [2, 2],
          [181, 0],
        ],
      ],
      '/polygon/coordinates/0/0/0',
    ],
    [
      'a latitude out of range',
      [
        [
          [0, 0],
          [2, 91],
          [2, 2],
          [0, 0],
        ],
      ],
      '/polygon/coordinates/0/1/1',
    ],
    [
      'a ring that encloses nothing',
      [
        [
          [0, 0],
          [1, 1],
          [2, 2],
          [0, 0],
        ],
      ],
      '/polygon/coordinates/0',
    ],
    [
      'a ring of three positions',
      [
        [
          [0, 0],
          [1, 1],
          [0, 0],
        ],
      ],
      '/polygon/coordinates/0',
    ],
    ['a position of one number', [[[0], [1, 1], [2, 2], [0]]], '/polygon/coordinates/0/0'],
  ])('points at %s', async (_fault, coordinates, pointer) => {
    const { client } = await service.person()

    const refusal = client.polygons.create(lagoon({ polygon: { type: 'Polygon', coordinates } }))

    await expect(refusal).rejects.toMatchObject({
      status: 400,
      code: 'invalid_request',
      errors: expect.arrayContaining([expect.objectContaining({ pointer })]),
    })
    expect((await client.polygons.list()).items).toEqual([])
  })
})

describe('a polygon of somebody else', () => {
  test('does not exist, except for admins', async () => {
    const [ana, ben, admin] = [await service.person(), await service.person(), await service.person('ADMIN')]
    const { id } = await ana.client.polygons.create(lagoon())
    const refusal = { status: 404, code: 'polygon_not_found' }

    await expect(ben.client.polygons.get(id)).rejects.toMatchObject(refusal)
    await expect(ben.client.polygons.replace(id, lagoon())).rejects.toMatchObject(refusal)
    await expect(ben.client.polygons.delete(id)).rejects.toMatchObject(refusal)
    expect((await ben.client.polygons.list()).items).toEqual([])
    expect((await admin.client.polygons.get(id)).id).toBe(id)
    expect((await admin.client.polygons.list()).items.map((polygon) => polygon.id)).toContain(id)
  })
})

describe('listPolygons', () => {
  test('pages through mine, newest first', async () => {
    const { client } = await service.person()
    const ids: string[] = []
    for (let n = 0; n < 3; n++) ids.unshift((await client.polygons.create(lagoon())).id)

    expect(await Array.fromAsync(client.polygons.listAll({ limit: 2 }), ({ id }) => id)).toEqual(ids)
  })
})

describe('a page of very large polygons', () => {
  test('is not made of what is kept with them', async () => {
    const { client } = await service.person()
    const creating = client.polygons.create(lagoon({ properties: { huge: 'x'.repeat(70_000) } }))

    await expect(creating).rejects.toMatchObject({ status: 413, code: 'payload_too_large' })
  })

  test('counts what is kept with them', async () => {
    const { client, id } = await service.person()

    await client.polygons.create(lagoon({ properties: { large: 'x'.repeat(60_000) } }))

    expect(await service.sql`select from polygons where user_id = ${id} and size_bytes > 60000`).toHaveLength(1)
  })

  test('holds fewer of them, and leaves none out', async () => {
    const { client, id } = await service.person()
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.unshift((await client.polygons.create(lagoon())).id)
    await service.sql`update polygons set size_bytes = 5 * 1024 * 1024 where user_id = ${id}`

    const page = await client.polygons.list()

    expect(page.items.length).toBeLessThan(5)
    expect(await Array.fromAsync(client.polygons.listAll(), (polygon) => polygon.id)).toEqual(ids)
  })
})

describe('replacePolygon', () => {
  test('replaces all of it', async () => {
    const { client } = await service.person()
    const { id } = await client.polygons.create(lagoon({ description: 'shallow' }))

    const replaced = await client.polygons.replace(id, { polygon: { type: 'MultiPolygon', coordinates: [[ring]] } })

    expect(replaced).not.toHaveProperty('name')
    expect(replaced).not.toHaveProperty('description')
    expect(replaced.polygon.type).toBe('MultiPolygon')
  })

  test('is refused when the polygon has changed since it was read', async () => {
    const { client } = await service.person()
    const read = await client.polygons.create(lagoon())
    const ifMatch = etagOf(read)
    const changed = await client.polygons.replace(read.id, lagoon({ name: 'first' }), { ifMatch })

    const refusal = { status: 412, code: 'precondition_failed' }
    await expect(client.polygons.replace(read.id, lagoon({ name: 'second' }), { ifMatch })).rejects.toMatchObject(
      refusal,
    )
    await expect(client.polygons.delete(read.id, { ifMatch })).rejects.toMatchObject(refusal)
    await expect(client.polygons.delete(read.id, { ifMatch: 'bogus' })).rejects.toMatchObject(refusal)

    expect(await client.polygons.get(read.id)).toMatchObject({ name: 'first' })
    await client.polygons.delete(read.id, { ifMatch: etagOf(changed) })
  })

  test.each([
    ['any of several tags', '"7", "1" ,"9"', true],
    ['whatever is there', '*', true],
    ['none of several tags', '"7", "11"', false],
    ['a weak tag, which matches nothing', 'W/"1"', false],
    ['a weak tag among others', '"7", W/"1"', false],
    ['a tag without its quotes', '1', false],
    ['a number that is written in another way', '"01"', false],
  ])('goes by %s', async (_, ifMatch, isDone) => {
    const { client } = await service.person()
    const { id } = await client.polygons.create(lagoon())

    const outcome = await client.polygons.replace(id, lagoon(), { ifMatch }).catch((error) => error)

    expect(outcome).toMatchObject(isDone ? { id } : { status: 412 })
  })
})

describe('deletePolygon', () => {
  test('deletes it', async () => {
    const { client } = await service.person()
    const { id } = await client.polygons.create(lagoon())

    await client.polygons.delete(id)

    await expect(client.polygons.get(id)).rejects.toMatchObject({ status: 404 })
    await expect(client.polygons.delete(id)).rejects.toMatchObject({ status: 404 })
  })
})
