import geographiclib from 'geographiclib-geodesic'
import { describe, expect, test } from 'vitest'
import type { Area } from '../../src/polygons/area.ts'
import { toArea } from '../../src/polygons/geometry.ts'
import { type Bbox, measureArea, measuredArea } from '../../src/polygons/measure.ts'
import { featureContent, polygonContent } from '../../src/polygons/polygon-content.ts'
import { startWork } from '../../src/polygons/work.ts'

type Ring = number[][]

const closed = (positions: Ring): Ring => [...positions, positions[0]!]
const box = (west: number, south: number, east: number, north: number): Ring =>
  closed([
    [west, south],
    [east, south],
    [east, north],
    [west, north],
  ])
const polygon = (...coordinates: Ring[]): Area => ({ type: 'Polygon', coordinates })
const multi = (...coordinates: Ring[][]): Area => ({ type: 'MultiPolygon', coordinates })
const earth = 510_065_621_724_088.44

describe('the box', () => {
  test.each<[string, Area, Bbox]>([
    [
      'of a polygon',
      polygon(
        closed([
          [1, 2],
          [4, 3],
          [2, 5],
        ]),
      ),
      [1, 2, 4, 5],
    ],
    ['of polygons', multi([box(10, 0, 11, 1)], [box(-10, 5, -9, 6)]), [-10, 0, 11, 6]],
    ['of Fiji, cut', multi([box(177, -20, 180, -16)], [box(-180, -20, -178, -16)]), [177, -20, -178, -16]],
    [
      'of Fiji, in the other order',
      multi([box(-180, -20, -178, -16)], [box(177, -20, 180, -16)]),
      [177, -20, -178, -16],
    ],
    [
      'across the Pacific, where that is the shorter way',
      multi([box(150, 0, 160, 1)], [box(-120, 0, -110, 1)]),
      [150, 0, -110, 1],
    ],
    ['not across on a tie', multi([box(-95, 0, -85, 1)], [box(85, 0, 95, 1)]), [-95, 0, 95, 1]],
    [
      'with polygons within others',
      multi([box(-180, 0, -100, 1)], [box(-170, 2, -160, 3)], [box(100, 0, 180, 1)]),
      [100, 0, -100, 3],
    ],
    ['of the whole earth', polygon(box(-180, -90, 180, 90)), [-180, -90, 180, 90]],
    ['all around in parts', multi([box(-180, 0, 0, 1)], [box(0, 2, 180, 3)]), [-180, 0, 180, 3]],
    [
      'with a gap that is wider at the antimeridian',
      multi([box(-100, 0, 0, 1)], [box(50, 0, 100, 1)]),
      [-100, 0, 100, 1],
    ],
  ])('%s', async (_of, area, bbox) => {
    expect((await measureArea(area)).bbox).toEqual(bbox)
  })
})

describe('the area', () => {
  test.each<[string, Area, number]>([
    // By GeographicLib's Planimeter.
    ['of a degree at the equator', polygon(box(0, 0, 1, 1)), 12_308_778_361.469],
    ['of a degree, wherever the equator is met', polygon(box(145, -1, 146, 0)), 12_308_778_361.469],
    ['of the whole earth', polygon(box(-180, -90, 180, 90)), earth],
    ['of half the earth, west', polygon(box(-180, -90, 0, 90)), earth / 2],
    ['of half the earth, north', polygon(box(-180, 0, 180, 90)), earth / 2],
    [
      'of half the earth, beginning elsewhere',
      polygon(
        closed([
          [0, -90],
          [90, -90],
          [180, -90],
          [180, 90],
          [0, 90],
        ]),
      ),
      earth / 2,
    ],
    ['of all but a degree', polygon(box(-180, -90, 180, 90), box(0, 0, 1, 1).toReversed()), earth - 12_308_778_361.469],
    ['of an octant with the pole for its edge', polygon(box(0, 0, 90, 90)), earth / 8],
    [
      'of an octant with the pole for its vertex',
      polygon(
        closed([
          [0, 0],
          [90, 0],
          [90, 90],
        ]),
      ),
      earth / 8,
    ],
    ['of two', multi([box(0, 0, 1, 1)], [box(10, -1, 11, 0)]), 2 * 12_308_778_361.469],
  ])('%s', async (_of, area, expected) => {
    const { areaSquareMeters } = await measureArea(area)
    expect(areaSquareMeters / expected).toBeCloseTo(1, 12)
  })

  test('of Antarctica, closed over the pole, is what GeographicLib finds around the pole', async () => {
    const outline = [
      ...[
        [-58, -63.1],
        [-74, -72.9],
        [-102, -71.9],
        [-102, -74.9],
        [-131, -74.3],
        [-163, -77.5],
        [163, -77.4],
        [172, -71.7],
      ],
      ...[
        [140, -65.9],
        [113, -65.7],
        [88, -66.6],
        [59, -66.9],
        [25, -69.8],
        [4, -70],
        [-14, -71],
        [-33, -77.3],
        [-46, -77.9],
      ],
    ]
    // Where the geodesic from the sixth to the seventh crosses the antimeridian, to a hundredth of a degree.
    const atAntimeridian = -77.98
    const closing = [
      [-180, atAntimeridian],
      [-180, -90],
      [180, -90],
      [180, atAntimeridian],
    ]
    const area = await toArea(polygon(closed([...outline.slice(0, 6), ...closing, ...outline.slice(6)])), '')

    expect((await measureArea(area)).areaSquareMeters / areaByGeographicLib(outline)).toBeCloseTo(1, 4)
  })

  test('of stars is what GeographicLib finds', async () => {
    for (let n = 3; n < 40; n++) {
      const star = Array.from({ length: n }, (_, i) => {
        const angle = (i / n) * 2 * Math.PI
        return [(n * 9 - 180) * 0.9 + (8 + (i % 3)) * Math.cos(angle), n - 20 + (8 + (i % 3)) * Math.sin(angle)]
      })
      expect((await measureArea(polygon(closed(star)))).areaSquareMeters / areaByGeographicLib(star)).toBeCloseTo(1, 11)
    }
  })

  test('of few square metres within very many positions is what GeographicLib finds', async () => {
    const ring = Array.from({ length: 20_000 }, (_, i) => {
      const angle = (i / 20_000) * 2 * Math.PI
      return [10 + 1e-4 * Math.cos(angle), 60 + 1e-4 * Math.sin(angle)]
    })
    expect((await measureArea(polygon(closed(ring)))).areaSquareMeters / areaByGeographicLib(ring)).toBeCloseTo(1, 12)
  })

  test('of a few square metres is exact to a millionth', async () => {
    const metre = 1 / 111_319.490_793_273_57
    const { areaSquareMeters } = await measureArea(polygon(box(145, 0, 145 + 10 * metre, 10 * metre)))
    expect(areaSquareMeters).toBeCloseTo(100 * (1 - 0.006_694_38), 3)
  })

  test('of a band follows the parallels, not the geodesics over the pole', async () => {
    const { areaSquareMeters } = await measureArea(polygon(box(-180, 60, 180, 61)))
    expect(areaSquareMeters / bandOf(60, 61)).toBeCloseTo(1, 12)
  })

  test('of a band does so too with very many positions on one side of it', async () => {
    const north = Array.from({ length: 60_001 }, (_, i) => [180 - i * 0.006, 61])
    const ring = closed([[-180, 60], [180, 60], ...north])
    const { areaSquareMeters } = await measureArea(polygon(ring))
    expect(areaSquareMeters / bandOf(60, 61)).toBeCloseTo(1, 7)
  })

  test('follows the straight line on the map where an edge is 180 degrees long or more', async () => {
    const triangle = closed([
      [-180, -85],
      [180, -85],
      [0, 88],
    ])
    // In strips, each as wide as the triangle is in its middle; the error goes by the square of their number (Richardson).
    const inStrips = (count: number): number => {
      const latitude = (i: number) => -85 + (i / count) * 173
      let sum = 0
      for (let i = 0; i < count; i++) sum += bandOf(latitude(i), latitude(i + 1)) * (1 - (i + 0.5) / count)
      return sum
    }
    const expected = (4 * inStrips(10_000) - inStrips(5000)) / 3
    const { areaSquareMeters } = await measureArea(polygon(triangle))
    expect(areaSquareMeters / expected).toBeCloseTo(1, 11)
  })

  test('of very many long slivers is that of each, and of what they leave the rest', async () => {
    const slivers = Array.from({ length: 2000 }, (_, i) =>
      closed([
        [-180, i / 100 - 10],
        [180, i / 100 - 10],
        [0, i / 100 - 9.995],
      ]),
    )
    let sum = 0
    for (const sliver of slivers) sum += (await measureArea(polygon(sliver))).areaSquareMeters

    const [together, without] = [
      await measureArea(multi(...slivers.map((sliver) => [sliver]))),
      await measureArea(polygon(box(-180, -40, 180, 40), ...slivers)),
    ]
    expect(together.areaSquareMeters / sum).toBeCloseTo(1, 12)
    expect(without.areaSquareMeters / (bandOf(-40, 40) - sum)).toBeCloseTo(1, 12)
  })

  test.each<[string, Ring[]]>([
    ['a box', [box(-10, -10, 10, 10)]],
    [
      'a triangle',
      [
        closed([
          [-7, -2],
          [1, -5],
          [7, -7],
        ]),
      ],
    ],
    ['a box of holes', [box(-10, 40, 10, 60), box(-5, 45, 5, 50), box(-9, 41, -8, 42), box(8, 41, 9, 42)]],
    [
      'edges of 170 degrees',
      [
        closed([
          [-85, 10],
          [85, 20],
          [0, 70],
        ]),
      ],
    ],
  ])('is the same wherever it lies, also across the antimeridian: %s', async (_what, rings) => {
    const here = polygon(...rings)
    const there = polygon(...rings.map((ring) => ring.map(([x, y]) => [x! < 0 ? x! + 180 : x! - 180, y!])))
    const feature = { type: 'Feature' as const, geometry: there, properties: {} }

    const { areaSquareMeters } = await measuredArea(here, '')
    const across = await measuredArea(there, '')
    expect(areaSquareMeters).toBe((await measureArea(here)).areaSquareMeters)
    expect(across.areaSquareMeters / areaSquareMeters).toBeCloseTo(1, 10)
    expect(across.area).toEqual(await toArea(there, ''))
    expect(across.bbox).toEqual((await measureArea(across.area)).bbox)
    expect(across.centroid).toEqual((await measureArea(across.area)).centroid)
    for (const content of [
      await polygonContent({ polygon: there }),
      await featureContent(feature, '', 'name', startWork()),
    ])
      expect(content.areaSquareMeters).toBe(across.areaSquareMeters)
  })

  test('subtracts holes, whichever way rings run', async () => {
    const inner = box(0.25, 0.25, 0.75, 0.75)
    const [whole, less] = [
      await measureArea(polygon(box(0, 0, 1, 1))),
      await measureArea(polygon(box(0, 0, 1, 1), inner)),
    ]
    const { areaSquareMeters } = await measureArea(polygon(inner.toReversed()))
    expect(less.areaSquareMeters).toBeCloseTo(whole.areaSquareMeters - areaSquareMeters, 3)
  })
})

/** By its PolygonArea, which goes by crossings of the prime meridian where ours stays in the plane. */
function areaByGeographicLib(positions: Ring): number {
  const polygonArea = geographiclib.Geodesic.WGS84.Polygon(false)
  for (const [longitude, latitude] of positions) polygonArea.AddPoint(latitude!, longitude!)
  return Math.abs((polygonArea.Compute(false, true) as { area: number }).area)
}

/** Square metres between two parallels, all around: on the sphere of the same surface, at authalic latitudes. */
const bandOf = (south: number, north: number): number =>
  (earth / 2) * (Math.sin(authalic(north)) - Math.sin(authalic(south)))

/** Snyder 1987, "Map Projections: A Working Manual", equations 3-11 and 3-12, for WGS84. */
function authalic(latitude: number): number {
  const e = Math.sqrt(0.006_694_379_990_14)
  const q = (sine: number) =>
    (1 - e * e) * (sine / (1 - e * e * sine * sine) - Math.log((1 - e * sine) / (1 + e * sine)) / (2 * e))
  return Math.asin(q(Math.sin((latitude * Math.PI) / 180)) / q(1))
}

describe('the centroid', () => {
  test.each<[string, Area, [number, number]]>([
    ['of a rectangle is its middle', polygon(box(145.442, -14.668, 145.461, -14.651)), [145.4515, -14.6595]],
    ['of a rectangle wound the other way too', polygon(box(2, 3, 4, 7).toReversed()), [3, 5]],
    [
      'of a triangle is the mean of its vertices',
      polygon(
        closed([
          [0, 0],
          [3, 0],
          [0, 6],
        ]),
      ),
      [1, 2],
    ],
    [
      'has no weight in holes',
      polygon(box(0, 0, 4, 4), box(2, 0.5, 3.5, 3.5).toReversed()),
      [(32 - 4.5 * 2.75) / 11.5, 2],
    ],
    ['weighs polygons by their area', multi([box(0, 0, 1, 1)], [box(10, 0, 12, 2)]), [(0.5 + 44) / 5, 4.5 / 5]],
    ['of Fiji is in Fiji', multi([box(177, -20, 180, -16)], [box(-180, -20, -178, -16)]), [179.5, -18]],
    ['of Fiji is in Fiji, east', multi([box(179, -20, 180, -16)], [box(-180, -20, -175, -16)]), [-178, -18]],
    ['of a square centimetre', polygon(box(145, -14, 145.000_000_1, -13.999_999_9)), [145.000_000_05, -13.999_999_95]],
    [
      'of what is too small to have an area in numbers',
      polygon(
        closed([
          [0, 0],
          [1e-200, 0],
          [0, 1e-200],
        ]),
      ),
      [5e-201, 5e-201],
    ],
    ['of the whole earth', polygon(box(-180, -90, 180, 90)), [0, 0]],
  ])('%s', async (_of, area, [longitude, latitude]) => {
    const { centroid } = await measureArea(area)
    expect(centroid[0]).toBeCloseTo(longitude, 9)
    expect(centroid[1]).toBeCloseTo(latitude, 9)
  })
})
