import { describe, expect, test } from 'vitest'
import { centerX, centerY, type Grid } from '../../src/rasters/grid.ts'
import { type PolygonGeometry, polygonMask } from '../../src/rasters/polygon-mask.ts'
import { gridOf, randomNumbers } from './support.ts'

const grid = gridOf({ width: 60, height: 50, values: [] })
const [lon, lat] = grid.crs.toLonLat([centerX(grid, 30), centerY(grid, 25)])

function fill(geometry: PolygonGeometry, on: Grid, bandRows = on.height): number[] {
  const mask = polygonMask(geometry, on)
  const cells: number[] = []
  for (let row = 0; row < on.height; row += bandRows) {
    const band = new Uint8Array(on.width * Math.min(bandRows, on.height - row))
    mask.fillRows(row, band)
    cells.push(...band)
  }
  return cells
}

/** Ray casting in longitude and latitude, the plain way. */
function isInRing([x, y]: [number, number], ring: number[][]): boolean {
  let isInside = false
  ring.forEach(([x0, y0], i) => {
    const [x1, y1] = ring[(i + 1) % ring.length]!
    if (y0! > y !== y1! > y && x < ((x1! - x0!) * (y - y0!)) / (y1! - y0!) + x0!) isInside = !isInside
  })
  return isInside
}

function naiveFill(polygons: number[][][][], on: Grid): number[] {
  return Array.from({ length: on.width * on.height }, (_, i) => {
    const point = on.crs.toLonLat([centerX(on, i % on.width), centerY(on, Math.floor(i / on.width))])
    const isIn = ([outer, ...holes]: number[][][]) =>
      isInRing(point, outer!) && !holes.some((hole) => isInRing(point, hole))
    return polygons.some(isIn) ? 1 : 0
  })
}

/** A star around a place, its radius given in degrees. */
function star(seed: number, center: [number, number], radius: number, corners = 12): number[][] {
  const random = randomNumbers(seed)
  const ring = Array.from({ length: corners }, (_, i) => {
    const [angle, reach] = [(i / corners) * 2 * Math.PI, radius * (0.3 + 0.7 * random())]
    return [center[0] + reach * Math.cos(angle), center[1] + reach * Math.sin(angle)]
  })
  return [...ring, ring[0]!]
}

/** The two agree but for cells whose centre is on the line to within a tenth of a cell. */
function expectAlike(actual: number[], expected: number[], tolerated = 2) {
  const differing = actual.filter((cell, i) => cell !== expected[i]).length
  expect(differing).toBeLessThanOrEqual(tolerated)
  expect(expected.reduce((sum, cell) => sum + cell)).toBeGreaterThan(50)
}

describe('polygonMask', () => {
  test.each([1, 7, 50])('takes cell centres inside, %i rows at a time', (bandRows) => {
    const coordinates = [star(1, [lon, lat], 0.002)]

    expectAlike(fill({ type: 'Polygon', coordinates }, grid, bandRows), naiveFill([coordinates], grid))
  })

  test('takes holes out and unites overlapping parts', () => {
    const holed = [star(2, [lon - 0.0006, lat], 0.0015), star(3, [lon - 0.0006, lat], 0.0004)]
    const coordinates = [holed, [star(4, [lon + 0.0004, lat], 0.0015)]]

    expectAlike(fill({ type: 'MultiPolygon', coordinates }, grid), naiveFill(coordinates, grid))
  })

  test('clips what reaches far beyond the raster, even around the globe', () => {
    const everything = [
      [
        [-180, -90],
        [180, -90],
        [180, 90],
        [-180, 90],
        [-180, -90],
      ],
    ]
    const half = [
      [
        [lon, -80],
        [179, -80],
        [179, 80],
        [lon, 80],
        [lon, -80],
      ],
    ]

    expect(fill({ type: 'Polygon', coordinates: everything }, grid)).not.toContain(0)
    expectAlike(fill({ type: 'Polygon', coordinates: half }, grid), naiveFill([half], grid))
  })

  test('follows long straight edges where the grid bends', () => {
    const wide = gridOf({
      width: 80,
      height: 60,
      values: [],
      epsg: 3035,
      originX: 2.5e6,
      originY: 5.2e6,
      cellWidth: 50_000,
    })
    const coordinates = [
      [
        [-20, 40],
        [45, 40],
        [45, 62],
        [-20, 62],
        [-20, 40],
      ],
    ]

    expectAlike(fill({ type: 'Polygon', coordinates }, wide), naiveFill([coordinates], wide), 6)
  })

  test('meets a raster that writes its longitudes beyond 180', () => {
    const fiji = gridOf({ width: 40, height: 40, values: [], epsg: 4326, originX: 179, originY: -16, cellWidth: 0.05 })
    const east = [
      [
        [-180, -18],
        [-179.5, -18],
        [-179.5, -16],
        [-180, -16],
        [-180, -18],
      ],
    ]

    const cells = fill({ type: 'Polygon', coordinates: east }, fiji)

    expect(cells.slice(0, 40).map(String).join('')).toBe(`${'0'.repeat(20)}${'1'.repeat(10)}${'0'.repeat(10)}`)
  })

  test('is empty where the polygon is elsewhere', () => {
    expect(fill({ type: 'Polygon', coordinates: [star(5, [10, 50], 1)] }, grid)).not.toContain(1)
  })
})
