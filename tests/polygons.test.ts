import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { v7 as uuid } from 'uuid'
import { describe, expect, test, vi } from 'vitest'
import { etagOf, type PolygonWrite } from '../sdk/index.ts'
import type { Sql } from '../src/db/sql.ts'
import type { Bbox } from '../src/polygons/measure.ts'
import { polygonStore } from '../src/polygons/polygon-store.ts'
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
  test.each([
    ['letters', 'x'.repeat(70_000)],
    ['characters of four bytes', '🐠'.repeat(17_000)],
  ])('is not made of what is kept with them: %s', async (_, huge) => {
    const { client } = await service.person()
    const creating = client.polygons.create(lagoon({ properties: { huge } }))

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

/** A square of so many degrees, its lower left corner there. */
const square = (west: number, south: number, degrees = 0.1): PolygonWrite['polygon'] => {
  const [east, north] = [west + degrees, south + degrees]
  return {
    type: 'Polygon',
    coordinates: [
      [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
      ],
    ],
  }
}

describe('what follows from a shape', () => {
  test('is told with it, and again when it is replaced', async () => {
    const { client } = await service.person()

    const created = await client.polygons.create(lagoon())
    const replaced = await client.polygons.replace(created.id, lagoon({ polygon: square(0, 0, 1) }))

    expect(created).toMatchObject({ bbox: [145.442, -14.668, 145.461, -14.651] })
    expect(created.areaSquareMeters).toBeCloseTo(3_849_705.05, 1)
    expect(created.centroid).toEqual([expect.closeTo(145.4515, 9), expect.closeTo(-14.6595, 9)])
    expect(replaced).toMatchObject({ bbox: [0, 0, 1, 1], centroid: [0.5, 0.5] })
    // One degree by one at the equator, as GeographicLib has it.
    expect(replaced.areaSquareMeters).toBeCloseTo(12_308_778_361.469, 2)
    expect(await client.polygons.get(created.id)).toEqual(replaced)
  })

  test('is a bounding box that goes across the antimeridian where the polygon does', async () => {
    const { client } = await service.person()
    const fiji = [
      [177, -20],
      [-178, -20],
      [-178, -16],
      [177, -16],
      [177, -20],
    ]

    const { polygon, bbox } = await client.polygons.create({ polygon: { type: 'Polygon', coordinates: [fiji] } })

    expect(polygon.type).toBe('MultiPolygon')
    expect(bbox).toEqual([177, -20, -178, -16])
  })

  test('is found out by and by for what was drawn before shapes were measured', async () => {
    const { client } = await service.person()
    const [seen, unseen] = [await client.polygons.create(lagoon()), await client.polygons.create(lagoon())]
    const inBox = async () => (await client.polygons.list({ bbox: '145,-15,146,-14' })).items.map(({ id }) => id)
    await service.sql`update polygons set bbox = null, area_square_meters = null, centroid = null`
    expect(await inBox()).toEqual([])

    expect(await client.polygons.get(seen.id)).toEqual(seen)
    expect(await inBox()).toEqual([seen.id])
    await service.chores['measure polygons']()
    expect(await inBox()).toEqual([unseen.id, seen.id])
  })
})

describe('a list of polygons', () => {
  test.each([
    ['that a box holds', '9,9,12,12', ['ten']],
    ['that a box touches', '10.1,9,11,11', ['ten']],
    ['that hold a box', '10.04,10.04,10.05,10.05', ['ten']],
    // Nearer than PostgreSQL's own boxes can tell apart.
    ['that a box all but touches', '10.1000001,9,11,11', []],
    ['that a box all but touches in the south', '9,9,11,9.9999999', []],
    ['that a box holds, written in another way', '9, 9,+12,1.2e1', ['ten']],
    ['that no box meets', '10.2,9,11,11', []],
    ['on both sides of the antimeridian', '179,-19,-179,-17', ['west', 'across', 'east']],
    ['east of the antimeridian', '-180,-19,-179,-17', ['west', 'across']],
    ['west of the antimeridian', '179,-19,180,-17', ['across', 'east']],
    ['of the whole world', '-180,-90,180,90', ['west', 'across', 'east', 'ten']],
  ])('shows those %s', async (_which, bbox, names) => {
    const { client } = await service.person()
    await client.polygons.create({ name: 'ten', polygon: square(10, 10) })
    await client.polygons.create({ name: 'east', polygon: square(179.2, -18.1) })
    const across = [
      [179.9, -18],
      [-179.9, -18],
      [-179.9, -17.9],
      [179.9, -17.9],
      [179.9, -18],
    ]
    await client.polygons.create({ name: 'across', polygon: { type: 'Polygon', coordinates: [across] } })
    await client.polygons.create({ name: 'west', polygon: square(-179.5, -18.1) })

    expect((await client.polygons.list({ bbox })).items.map(({ name }) => name)).toEqual(names)
  })

  test.each([
    ['181,0,182,1', 'Longitudes'],
    ['0,-91,1,1', 'latitudes'],
    ['0,2,1,1', 'The south lies north'],
  ])('refuses the box %s', async (bbox, words) => {
    const { client } = await service.person()

    await expect(client.polygons.list({ bbox })).rejects.toMatchObject({
      status: 400,
      errors: [{ pointer: '/query/bbox', detail: expect.stringContaining(words) }],
    })
  })

  test.each(['', '1,2,3', '1,2,3,4,5', '1,2,3,x', 'NaN,1,2,3', 'Infinity,2,3,4', '1;2;3;4', '1,,3,4', '0x1,2,3,4'])(
    'refuses %s, which is no box',
    async (bbox) => {
      const { client } = await service.person()

      await expect(client.polygons.list({ bbox })).rejects.toMatchObject({
        status: 400,
        errors: [{ pointer: '/query/bbox', detail: expect.stringContaining('west, south, east, north') }],
      })
    },
  )

  test('goes by what is in the name, in whatever case, and takes no pattern for one', async () => {
    const { client } = await service.person()
    for (const name of ['North Lagoon', '100% reef', 'sand_bank', 'Récif Ünï'])
      await client.polygons.create(lagoon({ name }))
    const found = async (name: string) => (await client.polygons.list({ name })).items.map((polygon) => polygon.name)

    expect(await found('lagoon')).toEqual(['North Lagoon'])
    expect(await found('%')).toEqual(['100% reef'])
    expect(await found('_')).toEqual(['sand_bank'])
    expect(await found('RÉCIF')).toEqual(['Récif Ünï'])
    expect(await found('ünÏ'.normalize('NFD'))).toEqual(['Récif Ünï'])
  })

  test('goes by time, of any instant that RFC 3339 can write', async () => {
    const { client } = await service.person()
    const [first, second] = [await client.polygons.create(lagoon()), await client.polygons.create(lagoon())]
    await service.sql`update polygons set created_at = '2026-01-01T00:00:00Z' where id = ${first.id}`
    const found = async (query: object) => (await client.polygons.list(query)).items.map(({ id }) => id)

    expect(await found({ createdAfter: second.createdAt })).toEqual([])
    expect(await found({ createdBefore: second.createdAt })).toEqual([first.id])
    expect(await found({ createdAfter: '2026-01-01T00:00:00Z' })).toEqual([second.id])
    expect(await found({ createdBefore: '2026-01-01T10:00:01+10:00' })).toEqual([first.id])
    expect(await found({ createdAfter: '0000-01-01T00:00:00+23:59' })).toEqual([second.id, first.id])
  })

  test('goes by owner for admins, and shows nobody else those of others', async () => {
    const [ana, ben, admin] = [await service.person(), await service.person(), await service.person('ADMIN')]
    const { id } = await ana.client.polygons.create(lagoon())
    await ben.client.polygons.create(lagoon())
    const query = { userId: ana.id }

    expect((await admin.client.polygons.list(query)).items.map((polygon) => polygon.id)).toEqual([id])
    expect((await ana.client.polygons.list(query)).items.map((polygon) => polygon.id)).toEqual([id])
    expect(await ben.client.polygons.list(query)).toEqual({ items: [] })
  })

  test('keeps its filters from page to page, and links to the next', async () => {
    const { client, token } = await service.person()
    for (let n = 0; n < 3; n++) await client.polygons.create({ name: `here ${n}`, polygon: square(10, 10) })
    await client.polygons.create({ name: 'elsewhere', polygon: square(20, 20) })
    const names: unknown[] = []
    let path: string | undefined = '/api/polygons?limit=2&bbox=9,9,11,11'
    while (path) {
      const answer = await service.send(path, { headers: { authorization: `Bearer ${token}` } })
      const { items } = (await answer.json()) as { items: { name: string }[] }
      names.push(...items.map(({ name }) => name))
      path = /^<(.+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
    }

    expect(names).toEqual(['here 2', 'here 1', 'here 0'])
  })

  test('finds a box by an index', async () => {
    // Its worker would be in the database when that is dropped, and may not be sent away.
    await service.sql`alter table polygons set (autovacuum_enabled = false)`
    const people = Array.from({ length: 100 }, () => uuid())
    await service.sql`insert into users (id, email) select id, id || '@reef.example' from unnest(${people}::uuid[]) as id`
    await service.sql`
      insert into polygons (id, user_id, geometry, size_bytes, bbox, area_square_meters, centroid)
      select gen_random_uuid(), (${people}::uuid[])[1 + n % 100], '{}', 10, array[x, y, x + 0.01, y + 0.01], 1, array[x, y]
      from (select n, (n % 360) - 180.0 as x, (n / 360 % 170) - 85.0 as y from generate_series(1, 40000) n) spread
    `
    await service.sql`analyze polygons`

    const scans = await service.sql.begin(async (tx) => {
      const page = { owner: people[0], bbox: [10, 10, 11, 11] as Bbox, beforeId: undefined, limit: 51 }
      await polygonStore(tx as unknown as Sql).listSizes(page)
      const [row] = await tx<{ count: number }[]>`
        select pg_stat_get_xact_numscans('polygons_extent'::regclass)::integer as count
      `
      return row!.count
    })

    expect(scans).toBeGreaterThan(0)
  })
})

describe('a FeatureCollection', () => {
  const asGeoJson = async (token: string, path: string, accept = 'application/geo+json') => {
    const answer = await service.send(path, { headers: { authorization: `Bearer ${token}`, accept } })
    return { type: answer.headers.get('content-type'), vary: answer.headers.get('vary'), body: await answer.json() }
  }

  test('is what a list is, for who asks for one', async () => {
    const { client, token, id: userId } = await service.person()
    const { id, areaSquareMeters, bbox, createdAt, updatedAt } = await client.polygons.create(
      lagoon({ description: 'shallow', properties: { habitat: 'lagoon', name: 'overruled' } }),
    )

    expect(await asGeoJson(token, '/api/polygons')).toEqual({
      type: 'application/geo+json',
      vary: expect.stringContaining('accept'),
      body: {
        type: 'FeatureCollection',
        features: [
          {
            type: 'Feature',
            id,
            bbox,
            geometry: { type: 'Polygon', coordinates: [ring] },
            properties: {
              habitat: 'lagoon',
              name: 'Lizard Island lagoon',
              description: 'shallow',
              userId,
              areaSquareMeters,
              createdAt,
              updatedAt,
            },
          },
        ],
      },
    })
    expect(await asGeoJson(token, `/api/polygons/${id}`)).toMatchObject({ body: { type: 'Feature', id } })
  })

  test.each([
    ['application/json', 'application/json'],
    ['*/*', 'application/json'],
    ['text/html', 'application/json'],
    ['application/json;q=0.5, application/geo+json', 'application/geo+json'],
    ['application/geo+json;q=0.1, application/json', 'application/json'],
  ])('or a page comes, as the client likes it: %s', async (accept, type) => {
    const { token } = await service.person()

    expect((await asGeoJson(token, '/api/polygons', accept)).type).toBe(type)
  })

  test('has its pages, too', async () => {
    const { client, token } = await service.person()
    for (let n = 0; n < 3; n++) await client.polygons.create(lagoon())

    const { body } = await asGeoJson(token, '/api/polygons?limit=2')
    const rest = await asGeoJson(token, `/api/polygons?limit=2&cursor=${(body as { nextCursor: string }).nextCursor}`)

    expect(body).toMatchObject({ features: [{}, {}] })
    expect(rest.body).toMatchObject({ features: [{}] })
    expect(rest.body).not.toHaveProperty('nextCursor')
  })
})

describe('importPolygons', () => {
  const feature = (properties: Record<string, unknown> | null, geometry: unknown = square(10, 10)) => ({
    type: 'Feature' as const,
    properties,
    geometry: geometry as never,
  })
  const collection = (...features: ReturnType<typeof feature>[]) => ({ type: 'FeatureCollection' as const, features })
  const open = {
    type: 'Polygon',
    coordinates: [
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    ],
  }

  test('makes a polygon of each feature, in their order', async () => {
    const { client } = await service.person()

    const { items } = await client.polygons.import(
      collection(
        feature({ name: 'first', description: 'sand', habitat: 'flat' }),
        feature({ name: 7 }),
        feature(null, square(20, 20)),
      ),
    )

    expect(items.map(({ name }) => name)).toEqual(['first', '7', undefined])
    const [third, second, first] = (await client.polygons.list()).items
    expect(items.map(({ id }) => id)).toEqual([first!.id, second!.id, third!.id])
    expect(first).toMatchObject({ name: 'first', description: 'sand', properties: { name: 'first', habitat: 'flat' } })
    expect(second).toMatchObject({ name: '7', properties: { name: 7 } })
    expect(third).toMatchObject({ bbox: items[2]!.bbox, properties: {} })
  })

  test('takes names from the property that is said to hold them', async () => {
    const { client } = await service.person()

    const { items } = await client.polygons.import(collection(feature({ NAME: 'Elford Reef', name: 'x' })), {
      nameProperty: 'NAME',
    })

    expect(items).toEqual([expect.objectContaining({ name: 'Elford Reef' })])
  })

  test.each([200, 201])('counts characters in a name as createPolygon does: %i', async (length) => {
    const { client } = await service.person()
    const name = '🐠'.repeat(length)

    const outcomes = await Promise.all([
      client.polygons.create(lagoon({ name })).then(
        () => 'kept',
        () => 'refused',
      ),
      client.polygons.import(collection(feature({ name }))).then(
        () => 'kept',
        () => 'refused',
      ),
    ])

    expect(outcomes).toEqual(length === 200 ? ['kept', 'kept'] : ['refused', 'refused'])
  })

  test('points at a property whose name a pointer escapes', async () => {
    const { client } = await service.person()
    const importing = client.polygons.import(collection(feature({ 'a/b~': 'x'.repeat(201) })), { nameProperty: 'a/b~' })

    await expect(importing).rejects.toMatchObject({ errors: [{ pointer: '/features/0/properties/a~1b~0' }] })
  })

  test('makes thousands at once', async () => {
    const { client } = await service.person()
    const features = Array.from({ length: 1200 }, (_, n) => feature({ name: `${n}` }))

    const { items } = await client.polygons.import(collection(...features))

    expect(items.map(({ name }) => name)).toEqual(features.map((_, n) => `${n}`))
    const names = await Array.fromAsync(client.polygons.listAll({ limit: 200 }), ({ name }) => name)
    expect(names).toEqual(features.map((_, n) => `${n}`).toReversed())
  })

  test('points at each fault of each feature, and makes none', async () => {
    const { client } = await service.person()
    const bow = {
      type: 'Polygon',
      coordinates: [
        [
          [0, 0],
          [1, 1],
          [1, 0],
          [0, 1],
          [0, 0],
        ],
      ],
    }
    const importing = client.polygons.import(
      collection(
        feature({}),
        feature({}, bow),
        feature({ name: 'x'.repeat(201) }),
        feature({}, open),
        feature({ huge: 'x'.repeat(70_000) }),
      ),
    )

    await expect(importing).rejects.toMatchObject({
      status: 400,
      errors: [
        { pointer: expect.stringMatching(/^\/features\/1\/geometry\/coordinates\/0/) },
        { pointer: '/features/2/properties/name' },
        { pointer: '/features/3/geometry/coordinates/0/3' },
        { pointer: '/features/4/properties' },
      ],
    })
    expect((await client.polygons.list()).items).toEqual([])
  })

  test('points at what does not fit the contract and at what is wrong with the shapes at once, feature by feature', async () => {
    const { client } = await service.person()
    const importing = client.polygons.import({
      ...collection(
        feature({}),
        feature({ name: 'x'.repeat(201) }, open),
        feature({}, { type: 'Point', coordinates: [145, -14] }),
        feature({}, open),
        feature([] as never),
      ),
      crs: { type: 'name', properties: { name: 'EPSG:3857' } },
    })

    await expect(importing).rejects.toMatchObject({
      status: 400,
      detail: expect.stringMatching(/CRS84.* at \/crs$/),
      errors: [
        { pointer: '/crs' },
        { pointer: '/features/1/properties/name' },
        { pointer: '/features/1/geometry/coordinates/0/3' },
        { pointer: '/features/2/geometry/type' },
        { pointer: '/features/3/geometry/coordinates/0/3' },
        { pointer: '/features/4/properties' },
      ],
    })
    expect((await client.polygons.list()).items).toEqual([])
  })

  test.each<[string, unknown, string]>([
    ['no features', { type: 'FeatureCollection' }, '/features'],
    ['features that are none', { type: 'FeatureCollection', features: {} }, '/features'],
    ['none at all', { type: 'FeatureCollection', features: [] }, '/features'],
    ['no collection', [], ''],
    ['nothing', null, ''],
  ])('refuses %s', async (_, body, pointer) => {
    const { client } = await service.person()

    await expect(client.polygons.import(body as never)).rejects.toMatchObject({
      status: 400,
      errors: expect.arrayContaining([expect.objectContaining({ pointer })]),
    })
  })

  test.each([
    ['a crs that is none', { type: 'FeatureCollection', crs: 'EPSG:4326' }, ['/crs']],
    ['another type', { type: 'Collection' }, ['/type']],
  ])('says once that there is %s, and all else', async (_, wrong, pointers) => {
    const { client } = await service.person()

    const refusal = await client.polygons
      .import({ ...collection(feature({}, open)), ...wrong } as never)
      .catch((e) => e)

    expect(refusal.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      ...pointers,
      '/features/0/geometry/coordinates/0/3',
    ])
  })

  test('takes no longer to check many intricate areas than one', async () => {
    const { client } = await service.person()
    const blades = Array.from({ length: 3000 }, (_, i) => {
      const [angle, radius] = [(i / 3000) * 2 * Math.PI, i % 2 ? 80 : 1]
      return [radius * Math.cos(angle), radius * Math.sin(angle)].map((degrees) => Number(degrees.toFixed(6)))
    })
    const fan = { type: 'Polygon', coordinates: [[...blades, blades[0]!]] }
    const fans = (count: number) => collection(...Array.from({ length: count }, () => feature({}, fan)))

    expect((await client.polygons.import(fans(1))).items).toHaveLength(1)
    await expect(client.polygons.import(fans(6))).rejects.toMatchObject({
      code: 'payload_too_large',
      detail: expect.stringContaining('too intricate to check and measure'),
    })
  })

  test('lists a hundred faults, and no more', async () => {
    const { client } = await service.person()

    const refusal = await client.polygons
      .import(collection(...Array.from({ length: 150 }, () => feature({}, open))))
      .catch((error) => error)

    expect(refusal.errors).toHaveLength(100)
  })

  test('makes all or none, whatever happens on the way', async () => {
    const { client, id } = await service.person()
    await service.sql`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no more'; end $$
    `
    await service.sql`
      create trigger refuse before insert on polygons for each row when (new.name = 'last') execute function refuse()
    `

    // The service says so too.
    using _quiet = vi.spyOn(console, 'error').mockReturnValue()

    await expect(
      client.polygons.import(collection(feature({ name: 'first' }), feature({ name: 'last' }))),
    ).rejects.toMatchObject({ status: 500 })
    await service.sql`drop function refuse cascade`

    expect(await service.sql`select from polygons where user_id = ${id}`).toHaveLength(0)
  })

  test.each(['urn:ogc:def:crs:OGC:1.3:CRS84', 'urn:ogc:def:crs:OGC::CRS84', 'EPSG:4326', 'urn:ogc:def:crs:EPSG::4326'])(
    'takes a crs that says %s',
    async (name) => {
      const { client } = await service.person()

      const { items } = await client.polygons.import({
        ...collection(feature({})),
        crs: { type: 'name', properties: { name } },
      })

      expect(items).toHaveLength(1)
    },
  )

  test.each([{ type: 'name', properties: { name: 'urn:ogc:def:crs:EPSG::3857' } }, { type: 'link' }, {}])(
    'refuses another crs: %j',
    async (crs) => {
      const { client } = await service.person()

      await expect(client.polygons.import({ ...collection(feature({})), crs })).rejects.toMatchObject({
        status: 400,
        errors: [expect.objectContaining({ pointer: '/crs' })],
      })
    },
  )

  test('takes back what a FeatureCollection of ours says', async () => {
    const { client } = await service.person()
    await client.polygons.create(lagoon({ description: 'shallow' }))

    const written = await client.polygons.features()
    const { items } = await client.polygons.import(written as never)

    expect(await client.polygons.get(items[0]!.id)).toMatchObject({ ...lagoon(), description: 'shallow' })
  })
})

const zoning = '../shared/data/gbrmp_zoning_cairns.geojson'

describe.skipIf(!existsSync(zoning))('the zones of the Great Barrier Reef Marine Park off Cairns', () => {
  test('are imported, found by a box, and opened as a FeatureCollection', async () => {
    const { client } = await service.person()
    const zones = JSON.parse(await readFile(zoning, 'utf8'))

    const { items } = await client.polygons.import(zones, { nameProperty: 'NAME' })
    const [west, south, east, north] = [145.9, -17, 146, -16.9]
    const near = await client.polygons.features({ bbox: [west, south, east, north].join(), limit: 200 })

    expect(items).toHaveLength(zones.features.length)
    const boxes = zones.features.map(({ geometry }: { geometry: { coordinates: unknown[] } }) => {
      const numbers = geometry.coordinates.flat(Number.POSITIVE_INFINITY) as number[]
      const [x, y] = [numbers.filter((_, i) => i % 2 === 0), numbers.filter((_, i) => i % 2 === 1)]
      return [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)]
    })
    expect(items.map(({ bbox }) => bbox)).toEqual(boxes)
    const names = zones.features
      .map(({ properties }: { properties: { NAME: string } }) => properties.NAME)
      .filter((_: string, i: number) => {
        const [w, s, e, n] = boxes[i]
        return w <= east && e >= west && s <= north && n >= south
      })
    expect(near.features.map(({ properties }) => properties.name).toSorted()).toEqual(names.toSorted())
    expect(near.features.length).toBeGreaterThan(1)
    expect(near.features.length).toBeLessThan(zones.features.length)
  })
})
