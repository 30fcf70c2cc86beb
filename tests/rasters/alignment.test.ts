import { describe, expect, test } from 'vitest'
import { alignLayer } from '../../src/rasters/alignment.ts'
import { centerX, centerY, type Grid, type RasterLayer } from '../../src/rasters/grid.ts'
import { gridOf } from './support.ts'

/** A layer whose values say which cell they are from. */
function numberedLayer(grid: Grid): RasterLayer & { largestWindow: number } {
  const layer = {
    grid,
    largestWindow: 0,
    async readWindow({ column, row, width, height }: { column: number; row: number; width: number; height: number }) {
      layer.largestWindow = Math.max(layer.largestWindow, width * height)
      const at = (i: number) => (row + Math.floor(i / width)) * grid.width + column + (i % width)
      return Float64Array.from({ length: width * height }, (_, i) => at(i))
    },
  }
  return layer
}

/** Each cell by itself, without any interpolation: the fractional source position. */
function exactPosition(source: Grid, target: Grid, i: number): [number, number] {
  const [column, row] = [i % target.width, Math.floor(i / target.width)]
  const [x, y] = source.crs.fromLonLat(target.crs.toLonLat([centerX(target, column), centerY(target, row)]))
  const turned = source.crs.isGeographic ? x + 360 * Math.round((source.originX + 5 - x) / 360) : x
  return [(turned - source.originX) / source.cellWidth, (source.originY - y) / source.cellHeight]
}

function expectNearest(values: Float64Array, source: Grid, target: Grid) {
  let checked = 0
  values.forEach((value, i) => {
    const [x, y] = exactPosition(source, target, i)
    const isOnEdge = [x, y].some((position) => Math.abs(position - Math.round(position)) < 1 / 32)
    if (isOnEdge) return
    const isInside = x >= 0 && y >= 0 && x < source.width && y < source.height
    expect(value).toBe(isInside ? Math.floor(y) * source.width + Math.floor(x) : Number.NaN)
    checked++
  })
  expect(checked).toBeGreaterThan(values.length * 0.7)
}

const utm = gridOf({ width: 200, height: 150, values: [], cellWidth: 100 })
const degrees = { epsg: 4326, originX: 147.6, originY: -18.85, cellWidth: 0.002 }

describe('alignLayer', () => {
  test('is the layer itself on the same grid', () => {
    const layer = numberedLayer(utm)

    expect(alignLayer(layer, { ...utm })).toBe(layer)
  })

  test.each([
    [
      'a shifted grid of the same system',
      gridOf({ width: 30, height: 30, values: [], originX: 561_234, cellWidth: 321 }),
    ],
    ['degrees', gridOf({ width: 60, height: 50, values: [], ...degrees })],
    [
      'the neighbouring zone',
      gridOf({
        width: 90,
        height: 90,
        values: [],
        epsg: 32754,
        originX: 1_195_000,
        originY: 7_905_000,
        cellWidth: 150,
      }),
    ],
    [
      'Web Mercator',
      gridOf({
        width: 70,
        height: 70,
        values: [],
        epsg: 3857,
        originX: 16_430_000,
        originY: -2_135_000,
        cellWidth: 220,
      }),
    ],
  ])('takes the nearest cell of %s', async (_, source) => {
    const layer = alignLayer(numberedLayer(source), utm)

    const values = await layer.readWindow({ column: 0, row: 0, width: 200, height: 150 })

    expectNearest(values, source, utm)
  })

  test('finds longitudes written another turn', async () => {
    const fiji = gridOf({
      width: 40,
      height: 40,
      values: [],
      epsg: 4326,
      originX: -180.4,
      originY: -17,
      cellWidth: 0.02,
    })
    const source = { ...fiji, originX: 179.6 }

    const values = await alignLayer(numberedLayer(source), fiji).readWindow({
      column: 0,
      row: 0,
      width: 40,
      height: 40,
    })

    expect(values[0]).toBe(0)
    expect(values.at(-1)).toBe(1599)
  })

  test('reads a huge source in small windows', async () => {
    const source = numberedLayer({ ...utm, width: 2700, height: 2700, cellWidth: 2.5, cellHeight: 2.5 })

    await alignLayer(source, utm).readWindow({ column: 0, row: 0, width: 64, height: 64 })

    expect(source.largestWindow).toBeGreaterThan(1_000_000)
    expect(source.largestWindow).toBeLessThanOrEqual(4_000_000)
  })

  test('follows a polar grid that no straight line fits', async () => {
    const polar = gridOf({ width: 60, height: 60, values: [], epsg: 3031, originX: -3e6, originY: 3e6, cellWidth: 1e5 })
    const globe = gridOf({ width: 120, height: 10, values: [], epsg: 4326, originX: 0, originY: -60, cellWidth: 3 })

    const values = await alignLayer(numberedLayer(globe), polar).readWindow({
      column: 0,
      row: 0,
      width: 60,
      height: 60,
    })

    values.forEach((value, i) => {
      const [lon, lat] = polar.crs.toLonLat([centerX(polar, i % 60), centerY(polar, Math.floor(i / 60))])
      const [x, y] = [((lon + 360) % 360) / 3, (-60 - lat) / 3]
      const isOnEdge = [x, y].some((position) => Math.abs(position - Math.round(position)) < 1 / 32)
      if (!isOnEdge) expect(value).toBe(y < 0 ? Number.NaN : Math.floor(y) * 120 + Math.floor(x))
    })
  })
})
