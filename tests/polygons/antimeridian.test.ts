import { readFile } from 'node:fs/promises'
import polygonClipping from 'polygon-clipping'
import { describe, expect, test } from 'vitest'
import type { Area } from '../../src/polygons/area.ts'
import { toArea } from '../../src/polygons/geometry.ts'
import { measureArea, measuredArea } from '../../src/polygons/measure.ts'

type Ring = number[][]
type Case = [what: string, sent: Ring[], kept: Ring[][]]

const polygon = (...coordinates: Ring[]): Area => ({ type: 'Polygon', coordinates })
const closed = (positions: Ring): Ring => [...positions, positions[0]!]
const box = (west: number, south: number, east: number, north: number): Ring =>
  closed([
    [west, south],
    [east, south],
    [east, north],
    [west, north],
  ])
const hole = (ring: Ring): Ring => ring.toReversed()

const polygonsOf = (area: Area): Ring[][] => (area.type === 'Polygon' ? [area.coordinates] : area.coordinates)

/** The same, whichever position a ring starts with and in whichever order polygons and holes stand. */
const normal = (polygons: Ring[][]): string[] =>
  polygons.map(([outer, ...holes]) => JSON.stringify([fromLeast(outer!), holes.map(fromLeast).sort()])).sort()

function fromLeast(ring: Ring): string {
  const open = ring.slice(1)
  return open.map((_, i) => JSON.stringify([...open.slice(i), ...open.slice(0, i)])).sort()[0]!
}

const cut = async (...rings: Ring[]) => toArea(polygon(...rings), '/polygon')

describe('what crosses the antimeridian', () => {
  test.each<Case>([
    ['Fiji', [box(177, -20, -178, -16)], [[box(177, -20, 180, -16)], [box(-180, -20, -178, -16)]]],
    [
      'Fiji, the other way round',
      [hole(box(177, -20, -178, -16))],
      [[box(177, -20, 180, -16)], [box(-180, -20, -178, -16)]],
    ],
    [
      'a hole that crosses too',
      [box(177, -20, -178, -16), box(179, -19, -179, -17)],
      [
        [
          closed([
            [177, -20],
            [180, -20],
            [180, -19],
            [179, -19],
            [179, -17],
            [180, -17],
            [180, -16],
            [177, -16],
          ]),
        ],
        [
          closed([
            [-180, -20],
            [-178, -20],
            [-178, -16],
            [-180, -16],
            [-180, -17],
            [-179, -17],
            [-179, -19],
            [-180, -19],
          ]),
        ],
      ],
    ],
    [
      'holes on either side',
      [box(177, -20, -178, -16), box(178, -19, 179, -18), box(-179.5, -19, -179, -18)],
      [
        [box(177, -20, 180, -16), hole(box(178, -19, 179, -18))],
        [box(-180, -20, -178, -16), hole(box(-179.5, -19, -179, -18))],
      ],
    ],
    [
      'vertices on the antimeridian, on whichever of its names',
      [
        closed([
          [177, -20],
          [180, -20],
          [-178, -20],
          [-178, -16],
          [-180, -16],
          [177, -16],
        ]),
      ],
      [[box(177, -20, 180, -16)], [box(-180, -20, -178, -16)]],
    ],
    [
      'both names of the antimeridian in a row',
      [
        closed([
          [177, -20],
          [180, -20],
          [-180, -20],
          [-178, -20],
          [-178, -16],
          [177, -16],
        ]),
      ],
      [[box(177, -20, 180, -16)], [box(-180, -20, -178, -16)]],
    ],
    [
      'a hole that touches the antimeridian in a vertex',
      [
        box(177, -20, -178, -16),
        closed([
          [180, -18],
          [179, -17],
          [179, -19],
        ]),
      ],
      [
        [
          closed([
            [177, -20],
            [180, -20],
            [180, -18],
            [180, -16],
            [177, -16],
          ]),
          hole(
            closed([
              [180, -18],
              [179, -17],
              [179, -19],
            ]),
          ),
        ],
        [box(-180, -20, -178, -16)],
      ],
    ],
    [
      'a hole with an edge on the antimeridian',
      [box(177, -20, -178, -16), box(179, -19, 180, -17)],
      [
        [
          closed([
            [177, -20],
            [180, -20],
            [180, -19],
            [179, -19],
            [179, -17],
            [180, -17],
            [180, -16],
            [177, -16],
          ]),
        ],
        [box(-180, -20, -178, -16)],
      ],
    ],
    [
      'a comb, whose teeth are apart on the far side',
      [
        closed([
          [178, 0],
          [-178, 0],
          [-178, 1],
          [179, 1],
          [179, 2],
          [-178, 2],
          [-178, 3],
          [178, 3],
        ]),
      ],
      [
        [
          closed([
            [178, 0],
            [180, 0],
            [180, 1],
            [179, 1],
            [179, 2],
            [180, 2],
            [180, 3],
            [178, 3],
          ]),
        ],
        [box(-180, 0, -178, 1)],
        [box(-180, 2, -178, 3)],
      ],
    ],
    [
      'a notch that reaches the antimeridian just so, and parts nothing but a point',
      [
        closed([
          [178, 0],
          [-178, 0],
          [-178, 4],
          [178, 4],
          [180, 2],
        ]),
      ],
      [
        [
          closed([
            [178, 0],
            [180, 0],
            [180, 2],
          ]),
        ],
        [
          closed([
            [178, 4],
            [180, 2],
            [180, 4],
          ]),
        ],
        [box(-180, 0, -178, 4)],
      ],
    ],
    [
      'what turns out to lie on one side, and names the antimeridian wrongly',
      [
        closed([
          [180, 0],
          [-178, 0],
          [-178, 1],
          [180, 1],
        ]),
      ],
      [[box(-180, 0, -178, 1)]],
    ],
  ])('is cut there: %s', async (_what, sent, kept) => {
    const area = await cut(...sent)

    expect(normal(polygonsOf(area))).toEqual(normal(kept))
    expect(area.type).toBe(kept.length === 1 ? 'Polygon' : 'MultiPolygon')
    expect(await toArea(area, '/polygon')).toEqual(area)
  })

  test('loses a tooth that is thinner there than numbers can tell, and nothing else', async () => {
    const tooth = [
      [179, 40],
      [-179, 41],
      [-177, 42],
      [177, 39.000_000_000_000_007],
    ]
    const area = await cut(closed([[176, 30], [-178, 30], [-178, 31], [176.5, 31], ...tooth, [176, 42]]))

    const east = polygonsOf(area).filter(([outer]) => outer![0]![0]! < 0)
    expect(normal(east)).toEqual(normal([[box(-180, 30, -178, 31)]]))
    expect(await toArea(area, '/polygon')).toEqual(area)
  })

  test('is cut rightly where rounding would put the ends of edges out of their order', async () => {
    // Interpolated at 180, the upper edge of this tooth comes out lower than the lower one.
    const tooth = [
      [177.57, 12.27],
      [-179.27, 33.14],
      [177.57, 12.270_000_000_000_001],
    ]
    expect(await cut(closed([[176, 0], ...tooth, [176, 40]]))).toBeDefined()
  })

  test('is cut in a MultiPolygon too, among the others', async () => {
    const coordinates = [[box(0, 0, 1, 1)], [box(177, -20, -178, -16)], [box(10, 0, 11, 1)]]

    const area = await toArea({ type: 'MultiPolygon', coordinates }, '/polygon')

    expect(normal(polygonsOf(area))).toEqual(
      normal([[box(0, 0, 1, 1)], [box(177, -20, 180, -16)], [box(-180, -20, -178, -16)], [box(10, 0, 11, 1)]]),
    )
  })

  test('keeps holes in the parts that they are in, also where another part reaches around those', async () => {
    const teeth = Array.from({ length: 8 }, (_, i) => 2 * i - 8)
    const outer = closed([
      [-178, -12],
      [-178, 12],
      [160, 12],
      [160, 10],
      [-179, 10],
      ...teeth.toReversed().flatMap((y) => [
        [-179, y + 1],
        [165, y + 1],
        [165, y],
        [-179, y],
      ]),
      [-179, -10],
      [161, -10],
      [161, 9.5],
      [160, 9.5],
      [160, -12],
    ])
    const holes = [
      box(160.2, 0, 160.4, 1),
      box(170, 11, 171, 11.5),
      ...teeth.map((y) => box(170, y + 0.2, 171, y + 0.8)),
    ]
    const area = await cut(outer, ...holes)

    const holed = polygonsOf(area).filter((rings) => rings.length > 1)
    expect(holed).toHaveLength(10)
    expect(await toArea(area, '/polygon')).toEqual(area)
  })

  test('keeps altitudes, and interpolates where an edge is cut', async () => {
    const area = await cut(
      closed([
        [179, 0, 10],
        [-179, 2, 20],
        [179, 4, 40],
      ]),
    )

    expect(normal(polygonsOf(area))).toEqual(
      normal([
        [
          closed([
            [179, 0, 10],
            [180, 1, 15],
            [180, 3, 30],
            [179, 4, 40],
          ]),
        ],
        [
          closed([
            [-180, 1, 15],
            [-179, 2, 20],
            [-180, 3, 30],
          ]),
        ],
      ]),
    )
  })

  test('crosses no other polygon of its area', async () => {
    const coordinates = [[box(177, -20, -178, -16)], [box(-179, -17, -170, -10)]]
    await expect(toArea({ type: 'MultiPolygon', coordinates }, '/p')).rejects.toMatchObject({
      errors: [{ pointer: '/p/coordinates/1/0/0', detail: expect.stringContaining('Polygons 0 and 1 overlap at -17') }],
    })
  })

  test.each([
    [
      'a bow-tie',
      [
        closed([
          [179, 0],
          [-179, 2],
          [-179, 0],
          [179, 2],
        ]),
      ],
      '/0/2',
      'The ring crosses itself at 180, 1: between the edges that start at positions 0 and 2.',
    ],
    [
      'a bow-tie east of it',
      [
        closed([
          [179, 0],
          [-178, 3],
          [-178, 0],
          [179, 3],
        ]),
      ],
      '/0/2',
      'The ring crosses itself at -179.5, 1.5: ',
    ],
    [
      'a hole elsewhere',
      [box(177, -20, -178, -16), box(10, -19, 11, -18)],
      '/1',
      'This hole is not inside its polygon',
    ],
    [
      'a hole that crosses, in the whole earth, which ends there',
      [box(-180, -90, 180, 90), box(179, -1, -179, 1)],
      '/1/0',
      'Two rings of a polygon cross at -180, -1: ',
    ],
    [
      'a hole that is meant the long way round, in the whole earth',
      [box(-180, -90, 180, 90), box(-170, -80, 170, 80)],
      '/1/0',
      'is taken the short way round, here past the antimeridian, where the first ring ends; with a position in between',
    ],
    [
      'a hole in a hole that the cut opens',
      [
        closed([
          [174, -5],
          [178, -4],
          [-178, -7],
          [-175, 1],
          [-176, 7],
          [175, 3],
        ]),
        closed([
          [180, -3],
          [-179, -3],
          [180, -2],
        ]),
        closed([
          [-178, -4],
          [180, -1],
          [179, -3],
        ]),
      ],
      '',
      'cannot be cut there: at -180, -2 its rings touch, lie in each other, or lie too close together.',
    ],
    [
      'a ring around the pole',
      [
        closed([
          [0, 60],
          [90, 60],
          [180, 60],
          [-90, 60],
        ]),
      ],
      '/0',
      'This ring runs around a pole',
    ],
    [
      'a ring more than once around the earth',
      [
        closed([
          [0, 0],
          [120, 10],
          [-120, 20],
          [0, 30],
          [120, 40],
          [120, 41],
          [0, 31],
          [-120, 21],
          [120, 11],
          [0, 1],
        ]),
      ],
      '/0',
      'This ring reaches around the earth more than once',
    ],
  ])('is refused as: %s', async (_what, rings, at, detail) => {
    await expect(cut(...rings)).rejects.toMatchObject({
      errors: [{ pointer: `/polygon/coordinates${at}`, detail: expect.stringContaining(detail) }],
    })
  })
})

test.each<[string, Ring[], string]>([
  ['beside the antimeridian', [box(177, -20, -178, -16), box(-179, -19, -177, -17)], 'cross at -178, -1'],
  ['along the antimeridian', [box(-180, -20, 180, 20), box(170, 0, 180, 1)], 'run along each other at 180, '],
])('of the short way round nothing is said where rings meet %s', async (_where, rings, what) => {
  const refusal = await cut(...rings).catch(({ errors }) => errors[0].detail)

  expect(refusal).toContain(`Two rings of a polygon ${what}`)
  expect(refusal).not.toContain('short way')
})

describe('what the cut makes of an area is within what the contract allows', async () => {
  const contract = JSON.parse(await readFile(new URL('../../generated/openapi.json', import.meta.url), 'utf8'))
  const { maxItems: maxPolygons, items } = contract.components.schemas.MultiPolygonGeometry.properties.coordinates
  const comb = (teeth: number): Ring => {
    const edges = Array.from({ length: teeth }, (_, i) => [
      [-179, i / 200],
      [-179, i / 200 + 0.002],
      [179, i / 200 + 0.002],
      [179, i / 200 + 0.004],
    ])
    return closed([[178, 0], ...edges.flat(), [178, teeth / 200 + 0.004]])
  }
  /** A hole that comes by 180, 0 again and again: at the antimeridian it comes apart. */
  const flower = (petals: number): Ring =>
    closed(
      Array.from({ length: petals }, (_, i) => [
        [180, 0],
        [175, -4 + (i / petals) * 8],
        [175, -4 + (i / petals) * 8 + 4 / petals],
      ]).flat(),
    )

  test('in polygons', async () => {
    expect((await cut(comb(maxPolygons - 1))).coordinates).toHaveLength(maxPolygons)
    await expect(cut(comb(maxPolygons))).rejects.toMatchObject({
      errors: [{ pointer: '/polygon/coordinates', detail: expect.stringContaining(`has ${maxPolygons + 1} polygons`) }],
    })
    const apart = [[box(0, 0, 1, 1)], [comb(maxPolygons - 1)]]
    for (const coordinates of [apart, apart.toReversed()])
      await expect(toArea({ type: 'MultiPolygon', coordinates }, '/polygon')).rejects.toMatchObject({
        errors: [{ detail: expect.stringContaining(`has ${maxPolygons + 1} polygons`) }],
      })
  })

  test('in rings of each', async () => {
    const others = Array.from({ length: items.maxItems - 3 }, (_, i) => box(171, i / 1100, 172, i / 1100 + 0.0005))
    const rings = [box(170, -10, -170, 10), ...others]
    const [west] = (await cut(...rings, flower(2))).coordinates
    expect(west).toHaveLength(items.maxItems)
    await expect(cut(...rings, flower(3))).rejects.toMatchObject({
      errors: [{ detail: expect.stringContaining(`a polygon of ${items.maxItems + 1} rings`) }],
    })
  })
})

describe('what does not cross the antimeridian', () => {
  test.each<[string, Ring]>([
    ['the whole earth', box(-180, -90, 180, 90)],
    ['a band around the earth', box(-180, -60, 180, 60)],
    ['half of the earth', box(-180, -90, 0, 90)],
    [
      'the south of the earth, closed over the pole',
      closed([
        [-180, -90],
        [180, -90],
        [180, -60],
        [0, -60],
        [-180, -60],
      ]),
    ],
    ['what ends at 180', box(170, 0, 180, 10)],
    ['what begins at -180', box(-180, 0, -170, 10)],
  ])('stays as it is: %s', async (_what, ring) => {
    expect(await cut(ring)).toEqual(polygon(ring))
  })

  test('stays as it is: what has been cut already', async () => {
    const area: Area = { type: 'MultiPolygon', coordinates: [[box(177, -20, 180, -16)], [box(-180, -20, -178, -16)]] }
    expect(await toArea(area, '/polygon')).toEqual(area)
  })
})

function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const planeArea = (ring: Ring) =>
  Math.abs(ring.slice(1).reduce((sum, [x, y], i) => sum + ring[i]![0]! * y! - x! * ring[i]![1]!, 0)) / 2
const areaOf = (polygons: Ring[][]) =>
  polygons.flatMap((rings) => rings.map((ring, i) => (i === 0 ? 1 : -1) * planeArea(ring))).reduce((a, b) => a + b, 0)

test('random polygons of whole degrees, many of whose vertices are on the antimeridian, are cut as general clipping cuts them', async () => {
  const random = randomFrom(6)
  let [tried, uncuttable] = [0, 0]
  for (let n = 0; n < 6000; n++) {
    const ringOf = (count: number) =>
      closed(Array.from({ length: count }, () => [178 + Math.floor(random() * 5), Math.floor(random() * 5)]))
    const unrolled = [ringOf(3 + Math.floor(random() * 5)), ...(random() < 0.4 ? [ringOf(3)] : [])]
    // The same in the frame of 0 degrees says whether it is a polygon at all.
    const elsewhere = unrolled.map((ring) => ring.map(([x, y]) => [x! - 180, y!]))
    const isPolygon = await cut(...elsewhere).then(
      () => true,
      () => false,
    )
    const wrapped = unrolled.map((ring) => ring.map(([x, y]) => [x! > 180 ? x! - 360 : x!, y!]))
    const crosses = wrapped.some((ring) => ring.some(([x], i) => i > 0 && Math.abs(x! - ring[i - 1]![0]!) > 180))
    if (!crosses) continue
    const area = await cut(...wrapped).catch(({ message }: Error) => message)
    if (isPolygon && typeof area === 'string') {
      // A hole on the antimeridian that touches the outer ring beside it.
      expect(area).toContain('its rings touch')
      uncuttable++
      continue
    }
    expect({ unrolled, passes: typeof area === 'object' }).toEqual({ unrolled, passes: isPolygon })
    if (typeof area === 'string') continue
    tried++
    const parts = polygonsOf(area)
    for (const [side, clip] of [
      [parts.filter(([outer]) => outer![0]![0]! > 0), box(170, -10, 180, 10)],
      [parts.filter(([outer]) => outer![0]![0]! < 0), box(180, -10, 190, 10)],
    ] as const) {
      const expected = polygonClipping.intersection(unrolled as never, [clip] as never)
      const rings = side.map((part) => part.map((ring) => ring.map(([x, y]) => [x! < 0 ? x! + 360 : x!, y!])))
      expect({ unrolled, area: areaOf(rings).toFixed(9) }).toEqual({ unrolled, area: areaOf(expected).toFixed(9) })
      expect(areaOf(polygonClipping.xor(rings as never, expected))).toBeCloseTo(0, 9)
    }
    expect(await toArea(area, '/polygon')).toEqual(area)
  }
  expect(tried).toBeGreaterThan(200)
  expect(uncuttable).toBeLessThan(tried / 100)
})

test('random stars around the antimeridian lose nothing by being cut', async () => {
  const random = randomFrom(7)
  for (let n = 0; n < 40; n++) {
    const star = Array.from({ length: 200 }, (_, i) => {
      const [angle, radius] = [(i / 200) * 2 * Math.PI, 1 + random() * 8]
      return [radius * Math.cos(angle), -16 + radius * Math.sin(angle)]
    })
    const wrapped = star.map(([x, y]) => [x! < 0 ? x! + 180 : x! - 180, y!])
    const [here, there] = [await cut(closed(star)), await cut(closed(wrapped))]
    const [atZero, across] = [await measureArea(here), await measureArea(there)]
    expect(there.type).toBe('MultiPolygon')
    // The cut puts vertices into edges that are geodesics otherwise.
    expect(across.areaSquareMeters / atZero.areaSquareMeters).toBeCloseTo(1, 4)
    const drawn = await measuredArea(polygon(closed(wrapped)), '')
    expect(drawn.areaSquareMeters / atZero.areaSquareMeters).toBeCloseTo(1, 10)
    expect(across.bbox[0]).toBeGreaterThan(across.bbox[2])
    expect(((across.centroid[0] + 360) % 360) - 180).toBeCloseTo(atZero.centroid[0], 9)
  }
})
