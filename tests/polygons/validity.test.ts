import polygonClipping from 'polygon-clipping'
import { describe, expect, test } from 'vitest'
import type { Area } from '../../src/polygons/area.ts'
import { toArea } from '../../src/polygons/geometry.ts'

type Ring = number[][]

const box = (west: number, south: number, east: number, north: number): Ring => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
]
const closed = (positions: Ring): Ring => [...positions, positions[0]!]
const hole = (ring: Ring): Ring => ring.toReversed()
const polygon = (...coordinates: Ring[]): Area => ({ type: 'Polygon', coordinates })
const multi = (...coordinates: Ring[][]): Area => ({ type: 'MultiPolygon', coordinates })
const accepted = async (area: Area) => toArea(area, '/polygon')

/** What a refusal says, as `pointer: detail`. */
async function refusalOf(area: Area): Promise<string | undefined> {
  try {
    await toArea(area, '/polygon')
    return undefined
  } catch (error) {
    const [fault] = (error as { errors: { pointer: string; detail: string }[] }).errors
    return `${fault!.pointer.replace('/polygon/coordinates', '')}: ${fault!.detail}`
  }
}

describe('a position', () => {
  test.each([
    [[181, 0], '/0/1/0: A longitude lies between -180 and 180; this is 181. Past the antimeridian write -179: '],
    [[-180.5, 0], '/0/1/0: A longitude lies between -180 and 180; this is -180.5. Past the antimeridian write 179.5: '],
    [[12345, 0], '/0/1/0: A longitude lies between -180 and 180; this is 12345.'],
    [[2, 90.1], '/0/1/1: A latitude lies between -90 and 90; this is 90.1.'],
  ])('%j is out of range', async (position, refusal) => {
    expect(await refusalOf(polygon(closed([[0, 0], position, [1, 1]])))).toContain(refusal)
  })
})

describe('a ring', () => {
  test('is closed', async () => {
    const ring = [...box(0, 0, 1, 1).slice(0, -1), [0, 0.1]]
    expect(await refusalOf(polygon(ring))).toBe(
      '/0/4: A ring is closed: its last position equals its first, which is 0, 0.',
    )
    const lifted = [...box(0, 0, 1, 1).slice(0, -1), [0, 0, 5]]
    expect(await refusalOf(polygon(lifted))).toContain('/0/4: A ring is closed')
  })

  test.each([
    [
      'of one place',
      [
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    ],
    [
      'there and back',
      [
        [0, 0],
        [1, 0],
        [0, 0],
        [0, 0],
      ],
    ],
    [
      'along one line',
      [
        [0, 0],
        [0.1, 0.1],
        [0.3, 0.3],
        [0, 0],
      ],
    ],
  ])('%s encloses nothing', async (_what, ring) => {
    expect(await refusalOf(polygon(ring))).toBe('/0: This ring encloses nothing: all its positions lie on one line.')
  })

  test.each<[string, Ring, string]>([
    [
      'a bow-tie',
      [
        [145.45, -14.66],
        [145.46, -14.65],
        [145.46, -14.66],
        [145.45, -14.65],
      ],
      '/0/2: The ring crosses itself at 145.455, -14.655: between the edges that start at positions 0 and 2.',
    ],
    [
      'a figure of eight through a vertex',
      [
        [0, 0],
        [1, 1],
        [2, 2],
        [2, 0],
        [1, 1],
        [0, 3],
      ],
      '/0/4: The ring crosses itself at 1, 1: between the edges that start at positions 1 and 4.',
    ],
    [
      'a way through an edge at a vertex of it',
      [
        [0, 0],
        [4, 0],
        [4, 4],
        [2, 0],
        [1, -4],
        [0, 4],
      ],
      '/0/3: The ring crosses itself at 2, 0: between the edges that start at positions 0 and 3.',
    ],
    [
      'a spike',
      [
        [0, 0],
        [4, 0],
        [4, 2],
        [6, 2],
        [4, 2],
        [4, 4],
        [0, 4],
      ],
      '/0/3: The ring turns back onto itself at 6, 2: between the edges that start at positions 2 and 3.',
    ],
    [
      'a spike at the position that closes it',
      [
        [6, 0],
        [4, 0],
        [4, 4],
        [0, 4],
        [0, 0],
        [4, 0],
      ],
      '/0/5: The ring turns back onto itself at 6, 0: between the edges that start at positions 0 and 5.',
    ],
    [
      'an edge along another one',
      [
        [1, 0],
        [3, 0],
        [3, 1],
        [4, 1],
        [4, 0],
        [0, 0],
        [0, 2],
        [1, 1],
      ],
      '/0/4: The ring runs along itself at 1, 0: between the edges that start at positions 0 and 4.',
    ],
    [
      'a crossing after repeated positions, told by the positions that were sent',
      [
        [0, 0],
        [0, 0],
        [0, 0],
        [2, 2],
        [2, 0],
        [2, 0],
        [0, 2],
      ],
      '/0/5: The ring crosses itself at 1, 1: between the edges that start at positions 2 and 5.',
    ],
  ])('must not have %s', async (_what, positions, refusal) => {
    expect(await refusalOf(polygon(closed(positions)))).toBe(refusal)
  })

  test('may repeat positions, and keeps them', async () => {
    const ring = closed([
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 1],
      [1, 1, 7],
      [0, 1],
      [0, 0],
    ])
    expect(await accepted(polygon(ring))).toEqual(polygon(ring))
  })

  test('is judged exactly, where rounded arithmetic would see three positions on a line', async () => {
    const [a, b] = [
      [0.5, 0.5],
      [12, 12],
    ]
    const above = [24, 24.000000000000004]
    expect(await accepted(polygon(closed([a!, b!, above])))).toBeDefined()
    expect(await refusalOf(polygon(closed([a!, b!, [24, 24]])))).toContain('encloses nothing')
  })
})

describe('winding', () => {
  test('is turned to what RFC 7946 asks, and altitudes stay', async () => {
    const outer = box(0, 0, 4, 4).map((position) => [...position, 12])
    const inner = box(1, 1, 2, 2)

    const area = await accepted(polygon(outer.toReversed(), inner))

    expect(area).toEqual(polygon(outer, hole(inner)))
  })
})

describe('rings of one polygon', () => {
  const outer = box(0, 0, 8, 8)
  const diamond = closed([
    [4, 0],
    [6, 2],
    [4, 4],
    [2, 2],
  ])

  test.each<[string, Ring[]]>([
    ['holes apart', [outer, hole(box(1, 1, 2, 2)), hole(box(3, 3, 4, 4))]],
    ['a hole that touches the outer ring in a vertex', [outer, hole(diamond)]],
    [
      'a hole with all vertices on the outer ring',
      [
        closed([
          [0, 0],
          [8, 0],
          [8, 8],
          [0, 8],
        ]),
        closed([
          [4, 0],
          [0, 4],
          [4, 8],
          [8, 4],
        ]),
      ],
    ],
    ['holes that touch in a vertex', [outer, hole(box(1, 1, 2, 2)), hole(box(2, 2, 3, 3))]],
    [
      'a vertex of a hole on the edge of another',
      [
        outer,
        hole(box(1, 1, 3, 3)),
        closed([
          [3, 2],
          [4, 1],
          [4, 3],
        ]),
      ],
    ],
  ])('may have %s', async (_what, rings) => {
    expect(await refusalOf(polygon(...rings))).toBeUndefined()
  })

  test.each<[string, Ring[], string]>([
    [
      'a hole across the outer ring',
      [outer, hole(box(7, 1, 9, 2))],
      '/1/1: Two rings of a polygon cross at 8, 2: the edge from position 1 of ring 0 and the edge from position 1 of ring 1.',
    ],
    [
      'a hole along the outer ring',
      [outer, hole(box(0, 1, 1, 2))],
      '/1/0: Two rings of a polygon run along each other at 0, 1: ',
    ],
    ['the outer ring again as a hole', [outer, hole(outer)], '/1/'],
    [
      'a hole that crosses through a vertex',
      [
        outer,
        closed([
          [6, 4],
          [8, 8],
          [9, 9],
          [4, 6],
        ]),
      ],
      'Two rings of a polygon cross at 8, 8',
    ],
    [
      'a hole outside',
      [outer, hole(box(9, 9, 10, 10))],
      '/1: This hole is not inside its polygon: 9, 9 is outside the first ring.',
    ],
    [
      'a hole outside that touches',
      [
        outer,
        closed([
          [8, 4],
          [9, 3],
          [9, 5],
        ]),
      ],
      '/1/0: Two rings of a polygon cross at 8, 4',
    ],
    ['a hole around the outer ring', [box(1, 1, 2, 2), hole(outer)], '/1: This hole is not inside its polygon'],
    [
      'a hole in a hole that touches it',
      [
        outer,
        hole(box(1, 1, 4, 4)),
        closed([
          [2, 1],
          [3, 2],
          [2, 3],
        ]),
      ],
      'cross at 2, 1',
    ],
    ['holes that share an edge', [outer, hole(box(1, 1, 2, 2)), hole(box(2, 1, 3, 2))], 'run along each other at 2, '],
    ['holes that cross', [outer, hole(box(1, 1, 3, 3)), hole(box(2, 2, 4, 4))], 'Two rings of a polygon cross at '],
    [
      'a hole that crosses itself, told first',
      [
        box(0, 0, 2, 2),
        closed([
          [1, 1],
          [3, 3],
          [3, 1],
          [1, 3],
        ]),
      ],
      '/1/2: The ring crosses itself at 2, 2',
    ],
  ])('must not have %s', async (_what, rings, refusal) => {
    expect(await refusalOf(polygon(...rings))).toContain(refusal)
  })
})

describe('polygons of a MultiPolygon', () => {
  const lake = [box(0, 0, 8, 8), hole(box(2, 2, 6, 6))]

  test.each<[string, Ring[][]]>([
    ['lie apart', [[box(0, 0, 1, 1)], [box(2, 2, 3, 3)]]],
    ['touch in a vertex', [[box(0, 0, 1, 1)], [box(1, 1, 2, 2)]]],
    ['share an edge', [[box(0, 0, 1, 1)], [box(1, 0, 2, 1)]]],
    ['share a part of an edge', [[box(0, 0, 1, 3)], [box(1, 1, 2, 2)]]],
    ['lie in a hole of another', [lake, [box(3, 3, 4, 4)]]],
    [
      'touch the hole that they lie in',
      [
        lake,
        [
          closed([
            [2, 4],
            [4, 3],
            [4, 5],
          ]),
        ],
      ],
    ],
    ['fill a hole of another', [lake, [box(2, 2, 6, 6)]]],
    ['stand in this order too', [[box(3, 3, 4, 4)], lake]],
  ])('may %s', async (_what, polygons) => {
    expect(await refusalOf(multi(...polygons))).toBeUndefined()
  })

  test.each<[string, Ring[][], string]>([
    ['overlap', [[box(0, 0, 2, 2)], [box(1, 1, 3, 3)]], '/1/0/0: Polygons 0 and 1 overlap at 2, 1.'],
    ['be the same', [[box(0, 0, 2, 2)], [box(0, 0, 2, 2)]], 'Polygons 0 and 1 overlap at '],
    ['be the same, wound otherwise', [[box(0, 0, 2, 2)], [hole(box(0, 0, 2, 2))]], 'Polygons 0 and 1 overlap at '],
    [
      'lie in another',
      [[box(0, 0, 8, 8)], [box(1, 1, 2, 2)]],
      '/1/0: Polygons 0 and 1 overlap: the second lies in the first, as at 1, 1.',
    ],
    [
      'lie around another',
      [[box(1, 1, 2, 2)], [box(0, 0, 8, 8)]],
      '/0/0: Polygons 1 and 0 overlap: the second lies in the first, as at 1, 1.',
    ],
    ['lie in another along its edge', [[box(0, 0, 8, 8)], [box(0, 1, 2, 2)]], 'Polygons 0 and 1 overlap at '],
    [
      'lie in another at its vertex',
      [
        [box(0, 0, 8, 8)],
        [
          closed([
            [0, 0],
            [4, 1],
            [1, 4],
          ]),
        ],
      ],
      'Polygons 0 and 1 overlap at 0, 0',
    ],
    [
      'cross in vertices alone',
      [
        [box(0, 0, 2, 2)],
        [
          closed([
            [0, 0],
            [1, -1],
            [2, 2],
            [1, 3],
            [-1, 2],
          ]),
        ],
      ],
      'Polygons 0 and 1 overlap',
    ],
    ['lie on the rim of a lake', [lake, [box(2, 3, 7, 4)]], 'Polygons 0 and 1 overlap at 6, '],
    [
      'cover a lake and its land',
      [lake, [box(1, 1, 7, 7)]],
      '/1/0: Polygons 0 and 1 overlap: the second lies in the first',
    ],
  ])('must not %s', async (_what, polygons, refusal) => {
    expect(await refusalOf(multi(...polygons))).toContain(refusal)
  })
})

/** A generator of Park and Miller's, so that what fails once fails again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const crossProduct = ([ax, ay]: number[], [bx, by]: number[], [cx, cy]: number[]) =>
  Math.sign((bx! - ax!) * (cy! - ay!) - (by! - ay!) * (cx! - ax!))
const isOnEdge = (a: number[], b: number[], p: number[]) =>
  crossProduct(a, b, p) === 0 &&
  [0, 1].every((axis) => p[axis]! >= Math.min(a[axis]!, b[axis]!) && p[axis]! <= Math.max(a[axis]!, b[axis]!))

/** Whether two ways through a place cross there: the second leaves on the other side of the first than it came from. */
function interleave(p: number[], [from, to]: number[][], others: number[][]): boolean {
  const angle = (q: number[]) => Math.atan2(q[1]! - p[1]!, q[0]! - p[0]!)
  const turn = (q: number[]) => (angle(q) - angle(from!) + 4 * Math.PI) % (2 * Math.PI)
  return new Set(others.map((q) => turn(q) < turn(to!))).size === 2
}

/** Compares every edge with every other one, and the ways through each place where two touch; exact for small whole numbers. */
function isSimple(ring: Ring): boolean {
  const count = ring.length - 1
  const at = (i: number) => ring[(i + count) % count]!
  const isSame = (p: number[], q: number[]) => p.join() === q.join()
  const wayThrough = (i: number, p: number[]) =>
    isSame(p, at(i)) ? [at(i - 1), at(i + 1)] : isSame(p, at(i + 1)) ? [at(i), at(i + 2)] : [at(i), at(i + 1)]
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const [a, b, c, d] = [at(i), at(i + 1), at(j), at(j + 1)]
      if (crossProduct(a, b, c) * crossProduct(a, b, d) < 0 && crossProduct(c, d, a) * crossProduct(c, d, b) < 0)
        return false
      const common = [...[c, d].filter((p) => isOnEdge(a, b, p)), ...[a, b].filter((p) => isOnEdge(c, d, p))]
      const places = [...new Map(common.map((p) => [p.join(), p])).values()]
      if (places.length > 1) return false
      const isNext = j === i + 1 || (i === 0 && j === count - 1)
      const [p] = places
      if (p && !isNext && interleave(p, wayThrough(i, p), wayThrough(j, p))) return false
    }
  }
  return true
}

const touchesItself = (ring: Ring): boolean =>
  ring.slice(1).some((b, i) =>
    ring.slice(1).some((p, j) => {
      const isEndOfEdge = j + 1 === i || j === i || (i === 0 && j === ring.length - 2)
      return !isEndOfEdge && isOnEdge(ring[i]!, b, p)
    }),
  )

const planeArea = (ring: Ring) =>
  Math.abs(ring.slice(1).reduce((sum, [x, y], i) => sum + ring[i]![0]! * y! - x! * ring[i]![1]!, 0)) / 2
const areaOf = (polygons: Ring[][]) =>
  polygons.flatMap((rings) => rings.map((ring, i) => (i === 0 ? 1 : -1) * planeArea(ring))).reduce((a, b) => a + b, 0)

/** Comes by some places twice, but stays nowhere. */
function randomRing(random: () => number, count: number, size: number): Ring {
  const places: number[][] = []
  while (places.length < count || places[0]!.join() === places.at(-1)!.join()) {
    const place = [Math.floor(random() * size), Math.floor(random() * size)]
    if (place.join() !== places.at(-1)?.join()) places.push(place)
  }
  return closed(places)
}

describe('of random rings', () => {
  test('stars pass, wherever they start and whichever way they run', async () => {
    const random = randomFrom(1)
    for (let n = 0; n < 50; n++) {
      const count = 4 + Math.floor(random() * 300)
      const star = Array.from({ length: count }, (_, i) => {
        const [angle, radius] = [(i / count) * 2 * Math.PI, 1 + random() * 8]
        return [145 + radius * Math.cos(angle), -16 + radius * Math.sin(angle)]
      })
      expect(await refusalOf(polygon(closed(random() < 0.5 ? star : star.reverse())))).toBeUndefined()
    }
  })

  test('exactly those pass that comparing all edges finds not to cross themselves', async () => {
    const random = randomFrom(2)
    let [simple, touching] = [0, 0]
    for (let n = 0; n < 3000; n++) {
      const ring = randomRing(random, 3 + Math.floor(random() * 5), n % 2 ? 7 : 4)
      const isOnOneLine = ring.every((p) => crossProduct(ring[0]!, ring[1]!, p) === 0)
      const expected = isSimple(ring) && !isOnOneLine
      expect({ ring, passes: (await refusalOf(polygon(ring))) === undefined }).toEqual({ ring, passes: expected })
      simple += Number(expected)
      touching += Number(expected && new Set(ring.slice(1).map(String)).size < ring.length - 1)
    }
    expect(touching).toBeGreaterThan(10)
    expect(simple).toBeGreaterThan(500)
    expect(simple).toBeLessThan(2500)
  })

  test('long ones among them, whose edges are in many chains', async () => {
    const random = randomFrom(3)
    let refused = 0
    for (let n = 0; n < 60; n++) {
      const count = 100
      // A star of whole numbers, with two positions swapped somewhere.
      const star = Array.from({ length: count }, (_, i) => {
        const [angle, radius] = [(i / count) * 2 * Math.PI, 60 + random() * 20]
        return [Math.round(radius * Math.cos(angle)), Math.round(radius * Math.sin(angle))]
      })
      const [i, j] = [Math.floor(random() * count), Math.floor(random() * count)]
      if (n % 2) [star[i], star[j]] = [star[j]!, star[i]!]
      const ring = closed(star)
      const expected = isSimple(ring)
      expect((await refusalOf(polygon(ring))) === undefined).toBe(expected)
      refused += Number(!expected)
    }
    expect(refused).toBeGreaterThan(20)
    expect(refused).toBeLessThan(50)
  })

  test('two make a MultiPolygon exactly if they have no area in common', async () => {
    const random = randomFrom(4)
    let apart = 0
    for (let n = 0; n < 3000; ) {
      const [a, b] = [
        randomRing(random, 3 + Math.floor(random() * 3), 5),
        randomRing(random, 3 + Math.floor(random() * 3), 5),
      ]
      if (![a, b].every((ring) => isSimple(ring) && planeArea(ring) > 0)) continue
      n++
      const common = areaOf(polygonClipping.intersection([a] as never, [b] as never))
      const passes = (await refusalOf(multi([a], [b]))) === undefined
      // One that touches itself is refused too often, where the other one touches it in the same place.
      const expected = common < 1e-9 && (passes || ![a, b].some(touchesItself))
      expect({ a, b, passes }).toEqual({ a, b, passes: expected })
      apart += Number(passes)
    }
    expect(apart).toBeGreaterThan(100)
    expect(apart).toBeLessThan(2900)
  })

  test('one is a hole in another exactly if it lies within and shares no edge', async () => {
    const random = randomFrom(5)
    let holes = 0
    for (let n = 0; n < 4000; ) {
      const outer = randomRing(random, 3 + Math.floor(random() * 4), 6)
      const inner = randomRing(random, 3, 6)
      if (![outer, inner].every((ring) => isSimple(ring) && planeArea(ring) > 0)) continue
      n++
      const beyond = areaOf(polygonClipping.difference([inner] as never, [outer] as never))
      const expected = beyond < 1e-9 && !shareEdge(outer, inner)
      expect({ outer, inner, passes: (await refusalOf(polygon(outer, inner))) === undefined }).toEqual({
        outer,
        inner,
        passes: expected,
      })
      holes += Number(expected)
    }
    expect(holes).toBeGreaterThan(20)
  })
})

/** Whether an edge of one runs along an edge of the other for more than a point. */
function shareEdge(one: Ring, other: Ring): boolean {
  return one.slice(1).some((b, i) =>
    other.slice(1).some((d, j) => {
      const [a, c] = [one[i]!, other[j]!]
      if (crossProduct(a, b, c) !== 0 || crossProduct(a, b, d) !== 0) return false
      const shared = [...[c, d].filter((p) => isOnEdge(a, b, p)), ...[a, b].filter((p) => isOnEdge(c, d, p))]
      return new Set(shared.map(String)).size > 1
    }),
  )
}
