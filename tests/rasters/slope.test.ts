import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { metersPerDegree } from '../../src/rasters/grid.ts'
import { openRaster } from '../../src/rasters/raster.ts'
import { slopeLayer } from '../../src/rasters/slope.ts'
import {
  gdalAbsence,
  nodata,
  randomTerrain,
  runGdal,
  type TestRaster,
  temporaryFolder,
  writeRaster,
} from './support.ts'

const size = { width: 23, height: 19 }

/** Horn's formula, cell by cell, as it stands in the paper. */
function naiveSlope({ width, height, values }: TestRaster, cell: (row: number) => { x: number; y: number }): number[] {
  const at = (x: number, y: number) => {
    const isInside = x >= 0 && y >= 0 && x < width && y < height
    const value = isInside ? values[y * width + x]! : nodata
    return value === nodata ? Number.NaN : value
  }
  return values.map((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)]
    const column = (dx: number) => at(x + dx, y - 1) + 2 * at(x + dx, y) + at(x + dx, y + 1)
    const row = (dy: number) => at(x - 1, y + dy) + 2 * at(x, y + dy) + at(x + 1, y + dy)
    const [east, north] = [(column(1) - column(-1)) / (8 * cell(y).x), (row(-1) - row(1)) / (8 * cell(y).y)]
    return Number.isNaN(at(x, y)) ? Number.NaN : (Math.atan(Math.sqrt(east ** 2 + north ** 2)) * 180) / Math.PI
  })
}

async function slopes(raster: TestRaster, bandRows: number): Promise<number[]> {
  await using file = await openRaster(await writeRaster(join(await temporaryFolder(), 'a.tif'), raster))
  const layer = slopeLayer(file)
  const values: number[] = []
  for (let row = 0; row < raster.height; row += bandRows) {
    const height = Math.min(bandRows, raster.height - row)
    values.push(...(await layer.readWindow({ column: 0, row, width: raster.width, height })))
  }
  return values
}

function expectNear(actual: number[], expected: number[]) {
  expect(actual.map(Number.isNaN)).toEqual(expected.map(Number.isNaN))
  actual.forEach((value, i) => {
    if (!Number.isNaN(value)) expect(value).toBeCloseTo(expected[i]!, 9)
  })
}

describe('slopeLayer', () => {
  test.each([1, 2, 7, 19])("is Horn's slope, read %i rows at a time", async (bandRows) => {
    const raster = { ...size, values: randomTerrain(1, size.width, size.height), cellWidth: 10, cellHeight: 7 }

    expectNear(
      await slopes(raster, bandRows),
      naiveSlope(raster, () => ({ x: 10, y: 7 })),
    )
  })

  test('measures degrees in metres at the latitude of the row', async () => {
    const place = { epsg: 4326, originX: 147, originY: -60, cellWidth: 0.5 }
    const raster = { ...size, values: randomTerrain(2, size.width, size.height).map((v) => v * 1000), ...place }
    const meters = (row: number) => {
      const degree = metersPerDegree(-60 - (row + 0.5) * 0.5)
      return { x: degree.x / 2, y: degree.y / 2 }
    }
    const values = raster.values.map((value) => (value === nodata * 1000 ? nodata : value))

    expectNear(await slopes({ ...raster, values }, 5), naiveSlope({ ...raster, values }, meters))
  })

  test.skipIf(gdalAbsence)(`agrees with gdaldem (${gdalAbsence ?? 'present'})`, async () => {
    const folder = await temporaryFolder()
    const raster = { ...size, values: randomTerrain(3, size.width, size.height) }
    await writeRaster(join(folder, 'a.tif'), raster)
    runGdal('gdaldem', 'slope', '-q', '-of', 'XYZ', join(folder, 'a.tif'), join(folder, 'slope.xyz'))
    const lines = (await readFile(join(folder, 'slope.xyz'), 'utf8')).trim().split('\n')

    const read = await slopes(raster, 19)

    // GDAL puts the centre's value in place of missing neighbours; here they make no data.
    read.forEach((value, i) => {
      if (!Number.isNaN(value)) expect(value).toBeCloseTo(Number(lines[i]!.split(' ')[2]), 3)
    })
  })
})

test('metersPerDegree agrees with the published lengths of a degree', () => {
  expect(metersPerDegree(0)).toEqual({ x: expect.closeTo(111_319.49, 1), y: expect.closeTo(110_574.28, 1) })
  expect(metersPerDegree(60)).toEqual({ x: expect.closeTo(55_800.0, 0), y: expect.closeTo(111_412.24, 0) })
})
