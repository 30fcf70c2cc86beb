import { describe, expect, test } from 'vitest'
import type { PolygonWrite } from '../../sdk/index.ts'
import { toArea } from '../../src/polygons/geometry.ts'
import { startTestService } from '../support/service.ts'

const service = await startTestService()
const geometry = {
  type: 'Polygon' as const,
  coordinates: [
    [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 0],
    ],
  ],
}
const named = (name: string) => ({ type: 'name', properties: { name } })
const webMercator = named('urn:ogc:def:crs:EPSG::3857')
const feature = (over: object = {}) => ({ type: 'Feature' as const, properties: {}, geometry, ...over })

describe('a crs of another system, as GeoJSON of 2008 had it, is refused with a pointer to it', () => {
  test.each<[string, object, string]>([
    ['on a geometry', { ...geometry, crs: webMercator }, '/polygon/crs'],
    ['on a feature', feature({ crs: webMercator }), '/polygon/crs'],
    ['on a geometry of a feature', feature({ geometry: { ...geometry, crs: webMercator } }), '/polygon/geometry/crs'],
  ])('%s that is created or replaced', async (_where, polygon, pointer) => {
    const { client } = await service.person()
    const { id } = await client.polygons.create({ polygon: geometry })
    const input = { polygon } as PolygonWrite

    const refusal = { status: 400, errors: [expect.objectContaining({ pointer })] }
    await expect(client.polygons.create(input)).rejects.toMatchObject(refusal)
    await expect(client.polygons.replace(id, input)).rejects.toMatchObject(refusal)
  })

  test.each<[string, object, string]>([
    ['a feature', feature({ crs: webMercator }), '/features/1/crs'],
    ['its geometry', feature({ geometry: { ...geometry, crs: webMercator } }), '/features/1/geometry/crs'],
  ])('on %s that is imported', async (_where, second, pointer) => {
    const { client } = await service.person()
    const collection = { type: 'FeatureCollection' as const, features: [feature(), second] }

    await expect(client.polygons.import(collection as never)).rejects.toMatchObject({
      status: 400,
      errors: [expect.objectContaining({ pointer })],
    })
  })

  test.each([
    'EPSG:3857',
    3857,
    '',
    {},
    { type: 'link' },
    { properties: null },
    named('CRS84 or so'),
    named('EPSG:43260'),
    { type: 'EPSG', properties: { code: 3857 } },
    { type: 'EPSG' },
    { type: 'EPSG', properties: { code: { toString: 1, valueOf: 1 } } },
  ])('also where it is written as %j', async (crs) => {
    await expect(toArea({ ...geometry, crs } as never, '')).rejects.toMatchObject({ errors: [{ pointer: '/crs' }] })
  })
})

test('says which system it is that is not taken', async () => {
  const crs = named('urn:ogc:def:crs:EPSG::7844')

  await expect(toArea({ ...geometry, crs } as never, '')).rejects.toThrow('this says urn:ogc:def:crs:EPSG::7844')
})

test.each([
  null,
  named('EPSG:4326'),
  named('epsg:4326'),
  named('urn:ogc:def:crs:OGC:1.3:CRS84'),
  named('urn:ogc:def:crs:OGC::CRS84h'),
  named('urn:ogc:def:crs:EPSG::4979'),
  named('http://www.opengis.net/def/crs/EPSG/0/4326'),
  { type: 'EPSG', properties: { code: 4326 } },
])('a crs that is ours is taken, and kept out: %j', async (crs) => {
  expect(await toArea(feature({ crs, geometry: { ...geometry, crs } }), '')).toEqual(geometry)
})
