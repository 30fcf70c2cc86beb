import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { UnrolledVertex } from '../../src/polygons/antimeridian-crossings.ts'
import { cutAtAntimeridian } from '../../src/polygons/antimeridian-cut.ts'
import { partsOf } from '../../src/polygons/antimeridian-parts.ts'
import type { Area } from '../../src/polygons/area.ts'
import { geodesicArea } from '../../src/polygons/geodesic-area.ts'
import { toArea } from '../../src/polygons/geometry.ts'
import { measureArea } from '../../src/polygons/measure.ts'
import { featureContent } from '../../src/polygons/polygon-content.ts'
import { cost, type Work } from '../../src/polygons/work.ts'

type Ring = number[][]

const closed = (positions: Ring): Ring => [...positions, positions[0]!]
const polygon = (ring: Ring): Area => ({ type: 'Polygon', coordinates: [ring] })

const coastline = (count: number, longitude: number): Ring =>
  closed(
    Array.from({ length: count - 1 }, (_, i) => {
      const angle = (i / (count - 1)) * 2 * Math.PI
      const radius = 10 + 2 * Math.sin(9 * angle) + 0.3 * Math.sin(211 * angle) + 0.01 * Math.sin(9973 * angle)
      return [longitude + radius * Math.cos(angle), -16 + radius * Math.sin(angle)]
    }),
  )

/** Turns that the event loop gets while something is done. */
async function turnsDuring(doing: Promise<unknown>): Promise<number> {
  let isDone = false
  const settled = doing.finally(() => {
    isDone = true
  })
  let turns = 0
  while (!isDone) {
    await setImmediate()
    turns++
  }
  await settled
  return turns
}

describe('a coastline of 200,000 positions', () => {
  test('is checked and measured in turns with everything else', async () => {
    const area: Area = { type: 'MultiPolygon', coordinates: [[coastline(100_000, 110)], [coastline(100_000, 145)]] }

    expect(await turnsDuring(toArea(area, ''))).toBeGreaterThan(3)
    expect(await turnsDuring(measureArea(area))).toBeGreaterThan(3)
  })

  test('may cross the antimeridian', async () => {
    const ring = coastline(100_000, 0).map(([x, y]) => [x! < 0 ? x! + 180 : x! - 180, y!])
    const { type } = await toArea(polygon(ring), '')
    expect(type).toBe('MultiPolygon')
  })

  test('and no more than that', async () => {
    const area: Area = { type: 'MultiPolygon', coordinates: [[coastline(100_000, 110)], [coastline(100_001, 145)]] }
    await expect(toArea(area, '/polygon')).rejects.toMatchObject({
      errors: [{ pointer: '/polygon/coordinates', detail: 'An area has at most 200000 positions; this has 200001.' }],
    })
  })
})

describe('40,000 cells of a grid', () => {
  test('are one area', async () => {
    const cell = (i: number): Ring[] => {
      const [x, y] = [i % 200, Math.floor(i / 200)]
      return [
        closed(
          [
            [x, y],
            [x + 1, y],
            [x + 1, y + 1],
            [x, y + 1],
          ].map(([a, b]) => [a! / 10, b! / 10]),
        ),
      ]
    }
    const area: Area = { type: 'MultiPolygon', coordinates: Array.from({ length: 40_000 }, (_, i) => cell(i)) }
    expect(await toArea(area, '')).toEqual(area)
  })
})

test.each<[string, Ring]>([
  [
    'a zigzag whose edges all lie across each other',
    closed([
      ...Array.from({ length: 99_996 }, (_, i) => (i % 2 ? [20 + i * 1e-4, 60] : [-20 + i * 1e-4, -60])),
      [60, -70],
      [-30, -70],
    ]),
  ],
  [
    'a fan of blades, thin and long',
    closed(
      Array.from({ length: 99_999 }, (_, i) => {
        const [angle, radius] = [(i / 99_999) * 2 * Math.PI, i % 2 ? 80 : 1]
        return [radius * Math.cos(angle), radius * Math.sin(angle)]
      }),
    ),
  ],
])('%s is refused before it takes long, and in turns', async (_what, ring) => {
  let refusal: unknown
  const turns = await turnsDuring(toArea(polygon(ring), '/polygon').catch((error) => (refusal = error)))

  expect(refusal).toMatchObject({
    code: 'invalid_request',
    errors: [{ pointer: '/polygon/coordinates', detail: expect.stringContaining('too intricate to check') }],
  })
  expect(turns).toBeGreaterThan(3)
})

describe('a comb of 20,000 teeth across the antimeridian, with 999 holes in another tooth,', () => {
  const teeth = Array.from({ length: 20_000 }, (_, i) => {
    const [y, d] = [-60 + i / 200, 1 / 200]
    return [
      [180.5, y],
      [178, y + d * 0.2],
      [178, y + d * 0.6],
      [180.5, y + d * 0.8],
    ]
  })
  const tooth = [
    [180.5, 50],
    [170, 50],
    [170, 60],
    [180.5, 60],
  ]
  const comb = [[181, -61], ...teeth.flat(), ...tooth, [181, 61]]
  const holes = Array.from({ length: 999 }, (_, i) => {
    const [x, y] = [171 + (i % 32) / 4, 51 + Math.floor(i / 32) / 4]
    return [
      [x, y],
      [x, y + 0.1],
      [x + 0.1, y],
    ]
  })

  test('is cut in turns with everything else, at the cost of its positions', async () => {
    const rings = [comb.toReversed(), ...holes].map(unrolled)
    const work = countedWork()

    expect(await cutAtAntimeridian(rings, work)).toHaveLength(20_002)
    expect(work.breaths).toBeGreaterThan(1000)
    expect(work.longest).toBeLessThan(1.1 * cost.position * comb.length)
    expect(work.spent).toBeGreaterThan(cost.position * comb.length)
    expect(work.spent).toBeLessThan(20 * cost.position * comb.length)
  })

  test('is refused, having come apart into more polygons than an answer may have', async () => {
    const wrapped = [comb, ...holes].map((ring) => closed(ring.map(([x, y]) => [x! > 180 ? x! - 360 : x!, y!])))

    await expect(toArea({ type: 'Polygon', coordinates: wrapped }, '/polygon')).rejects.toMatchObject({
      errors: [{ pointer: '/polygon/coordinates', detail: expect.stringContaining('has 20002 polygons') }],
    })
  })
})

test('a strip that goes to and fro across the antimeridian is cut in turns with everything else', async () => {
  const oneSide = Array.from({ length: 20_000 }, (_, i) => [178 + 4 * (i % 2), i / 200])
  const otherSide = oneSide.map(([x, y]) => [x! + 0.5, y!])
  const work = countedWork()

  expect(await cutAtAntimeridian([unrolled([...otherSide, ...oneSide.toReversed()])], work)).toHaveLength(20_000)
  expect(work.longest).toBeLessThan(200_000)
})

test('holes are looked for in turns, in all parts whose boxes they are in', async () => {
  const around = (size: number): Ring =>
    closed([
      ...Array.from({ length: 5000 }, (_, i) => [-size + (i / 2500) * size, -size]),
      [size, -size],
      [size, size],
      [size - 1, size],
      [size - 1, -size + 1],
      [-size, -size + 1],
    ])
  const holes = Array.from({ length: 100 }, (_, i) =>
    closed([
      [i / 100, 0],
      [i / 100, 0.005],
      [i / 100 + 0.005, 0],
    ]),
  )
  const work = countedWork()

  expect(await partsOf([around(10), around(20), ...holes], work)).toHaveLength(2)
  expect(work.spent).toBeGreaterThan(100 * (5000 + 5000))
  expect(work.longest).toBeLessThan(300_000)
})

const unrolled = (ring: Ring): UnrolledVertex[] =>
  ring.map(([x, y]) => ({ x: x!, position: [x! > 180 ? x! - 360 : x!, y!] }))

/** Work that is long as soon as it is more than a turn's, by the count and not by the clock. */
function countedWork(): Work & { spent: number; breaths: number; longest: number } {
  let since = 0
  return {
    spent: 0,
    breaths: 0,
    longest: 0,
    spend(units) {
      this.spent += units
      since += units
      this.longest = Math.max(this.longest, since)
    },
    isLong: () => since >= 20_000,
    async breathe() {
      this.breaths++
      since = 0
    },
  }
}

test('a saw of long teeth costs what as many short edges do', async () => {
  const saw = (width: number): Ring =>
    closed(Array.from({ length: 601 }, (_, i) => [i % 2 ? width : -width, (i / 600) * 0.5]))
  const [long, short] = [countedWork(), countedWork()]

  expect(await geodesicArea([[saw(90)]], long)).toBeGreaterThan(await geodesicArea([[saw(1)]], short))
  expect(long.spent).toBe(short.spent)
})

test('those that share their work are bounded in measuring as in checking', async () => {
  const geometry = polygon(coastline(1000, 110))
  const [checking, measuring, both] = [countedWork(), countedWork(), countedWork()]
  await toArea(geometry, '', checking)
  await measureArea(geometry, measuring)
  await featureContent({ type: 'Feature', geometry, properties: {} }, '', 'name', both)

  expect(both.spent).toBe(checking.spent + measuring.spent)
  expect(measuring.spent).toBe(999 * cost.geodesic)
})
