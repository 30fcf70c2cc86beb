import { describe, expect, test } from 'vitest'
import { crsFromEpsg, crsFromGeoKeys, transformation } from '../../src/rasters/crs.ts'
import { epsgGeoKeys } from '../../src/rasters/geo-keys.ts'
import { geographicBounds } from '../../src/rasters/geographic-bounds.ts'
import { cellAreaSquareMeters, cellMeters } from '../../src/rasters/grid.ts'
import { gridOf } from './support.ts'

const place = (raster: object) => gridOf({ width: 10, height: 10, values: [], ...raster })

describe('crsFromEpsg', () => {
  // Positions by GDAL 3.6 (gdaltransform), which the results meet to two metres: shifts between datums are not exact.
  test.each([
    [32755, [147, -18], [500_000, 8_009_814.5]],
    [3857, [147, -18], [16_363_965.1, -2_037_548.5]],
    [2193, [174.764, -36.877], [1_757_213.3, 5_917_319.7]],
    [2263, [-74, 40.7], [984_250, 194_305.3]],
    [3031, [100, -75], [1_613_886.4, -284_571.7]],
    [3413, [10, 80], [889_533.8, -622_858.3]],
    [27200, [174.764, -36.877], [2_667_642.4, 6_479_017.2]],
    [27700, [-2, 52], [400_096.8, 233_506.5]],
    [28992, [5, 52], [128_410.1, 445_806.5]],
    [31370, [4, 50], [123_563.6, 76_585.1]],
    [21781, [8, 47], [642_695.4, 205_590.5]],
    [2100, [24, 38], [499_850.4, 4_205_527.1]],
    [23700, [19, 47], [646_391, 183_979.5]],
    [5514, [15, 50], [-703_011.9, -1_058_147.3]],
    [3460, [178, -17], [1_920_129.4, 3_999_842.9]],
    [4326, [147, -18], [147, -18]],
  ] as const)('computes with EPSG:%i', (epsg, lonLat, expected) => {
    const crs = crsFromEpsg(epsg)

    const [x, y] = crs.fromLonLat([...lonLat])
    const [lon, lat] = crs.toLonLat([x, y])

    expect(Math.hypot(x - expected[0], y - expected[1])).toBeLessThan(2)
    expect([lon, lat]).toEqual([expect.closeTo(lonLat[0], 6), expect.closeTo(lonLat[1], 6)])
  })

  test('does not know an invented code', () => {
    expect(() => crsFromEpsg(1234)).toThrow('EPSG:1234')
  })
})

describe('crsFromGeoKeys', () => {
  test('prefers the projected code where the geographic one is named too', () => {
    const keys = { ...epsgGeoKeys(32755, false), directory: [1, 1, 0, 2, 2048, 0, 1, 4326, 3072, 0, 1, 32755] }

    expect(crsFromGeoKeys(keys)).toMatchObject({ epsg: 32755, isGeographic: false })
  })

  test('applies the unit of a full code once, even where the keys repeat it', () => {
    const feet = { directory: [1, 1, 0, 2, 3072, 0, 1, 2263, 3076, 0, 1, 9003], doubles: [], ascii: '' }

    const crs = crsFromGeoKeys(feet)

    expect(crs.unitScale).toBeCloseTo(0.3048006, 7)
    expect(crs.toLonLat([984_250, 194_298])[0]).toBeCloseTo(-74, 3)
  })

  test('reads a user-defined projection in feet', () => {
    const directory = [1, 1, 0, 7, 2048, 0, 1, 4326, 3072, 0, 1, 32767, 3075, 0, 1, 1, 3076, 0, 1, 9002]
    const parameters = [3080, 34736, 1, 0, 3081, 34736, 1, 1, 3082, 34736, 1, 2]

    const crs = crsFromGeoKeys({ directory: [...directory, ...parameters], doubles: [147, 0, 0], ascii: '' })

    expect(crs.unitScale).toBe(0.3048)
    expect(crs.fromLonLat([148, 0])[0]).toBeCloseTo(111_319.5 / 0.3048, -4)
  })
})

test('transformation gives NaN where a place has no coordinates', () => {
  const toMercator = transformation(crsFromEpsg(4326), crsFromEpsg(3857))

  expect(toMercator([0, 95])).toEqual([Number.NaN, Number.NaN])
})

describe('geographicBounds', () => {
  test('follows bulging edges', () => {
    const grid = place({ epsg: 3035, originX: 3_000_000, originY: 5_000_000, cellWidth: 300_000 })

    const north = geographicBounds(grid)[3]
    const corner = grid.crs.toLonLat([3_000_000, 5_000_000])[1]

    expect(north).toBeGreaterThan(corner + 1)
  })

  test.each([
    ['a projected raster', { epsg: 32701, originX: 100_000, originY: 8_000_000, cellWidth: 20_000 }],
    ['longitudes beyond 180', { epsg: 4326, originX: 179, originY: -17, cellWidth: 0.2 }],
  ])('puts west after east across the antimeridian: %s', (_, raster) => {
    const [west, , east] = geographicBounds(place(raster))

    expect(west).toBeGreaterThan(170)
    expect(east).toBeLessThan(-170)
  })

  test('turns longitudes of 0 to 360 the usual way', () => {
    const east = place({ epsg: 4326, originX: 200, originY: 10, cellWidth: 1 })
    const globe = place({ epsg: 4326, originX: 0, originY: 90, cellWidth: 36, cellHeight: 18 })

    expect(geographicBounds(east)).toEqual([-160, 0, expect.closeTo(-150, 9), 10])
    expect(geographicBounds(globe)).toEqual([-180, -90, 180, 90])
  })

  test('includes a pole that lies inside', () => {
    const grid = place({ epsg: 3031, originX: -1_000_000, originY: 1_000_000, cellWidth: 200_000 })

    expect(geographicBounds(grid)).toEqual([-180, -90, 180, expect.closeTo(-76.9, 0)])
  })
})

describe('cellMeters', () => {
  test('multiplies cell size and unit', () => {
    expect(cellAreaSquareMeters(place({ cellWidth: 5 }), 3)).toBe(25)
    expect(cellMeters(place({ epsg: 2263, cellWidth: 10 }), 0).x).toBeCloseTo(3.048006, 6)
  })

  test('adds up to the area of the globe in degrees', () => {
    const globe = gridOf({
      width: 1,
      height: 1800,
      values: [],
      epsg: 4326,
      originX: -180,
      originY: 90,
      cellWidth: 360,
      cellHeight: 0.1,
    })

    let area = 0
    for (let row = 0; row < 1800; row++) area += cellAreaSquareMeters(globe, row)

    expect(area / 510_065_621_724_089).toBeCloseTo(1, 6)
  })

  test('takes the stretch out of Web Mercator', () => {
    const grid = place({ epsg: 3857, originX: 16_363_965, originY: -2_037_500, cellWidth: 10 })

    const { x, y } = cellMeters(grid, 5)

    expect(x).toBeCloseTo(10 * Math.cos((18 * Math.PI) / 180), 1)
    // North-south the ellipsoid makes it a little less (EPSG Guidance Note 7-2, 3.2.1.2).
    expect(y / x).toBeCloseTo(0.994, 3)
  })
})
