import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadImage } from '@napi-rs/canvas'
import { describe, expect, test } from 'vitest'
import { criterionSources } from '../../src/rasters/criteria.ts'
import { centerX, centerY } from '../../src/rasters/grid.ts'
import { openRaster } from '../../src/rasters/raster.ts'
import { assessRegion } from '../../src/rasters/regional-assessment.ts'
import { slopeLayer } from '../../src/rasters/slope.ts'
import { gdalAbsence, gridOf, nodata, randomTerrain, runGdal, temporaryFolder, writeRaster } from './support.ts'

const size = { width: 53, height: 41 }
const whole = { column: 0, row: 0, ...size }
const depth = { ...size, values: randomTerrain(1, size.width, size.height) }
const rugosity = { ...size, values: randomTerrain(2, size.width, size.height, 0.1) }

async function readCells(path: string): Promise<number[]> {
  await using raster = await openRaster(path)
  const { width, height } = raster.grid
  return Array.from(await raster.readWindow({ column: 0, row: 0, width, height }))
}

/** 1, 0 or NaN, cell by cell. */
function naiveMask(layers: number[][], bounds: { min?: number; max?: number }[]): number[] {
  return layers[0]!.map((_, i) => {
    if (layers.some((values) => values[i] === nodata || Number.isNaN(values[i]))) return Number.NaN
    const passes = layers.every((values, l) => {
      const { min, max } = bounds[l]!
      return (min === undefined || values[i]! >= min) && (max === undefined || values[i]! <= max)
    })
    return passes ? 1 : 0
  })
}

const count = (cells: number[], wanted: number) => cells.filter((cell) => cell === wanted).length

describe('assessRegion', () => {
  test('marks the cells that meet every criterion, and sums them up', async () => {
    const outDir = await temporaryFolder()
    const layers = {
      depth: await writeRaster(join(outDir, 'depth.tif'), depth),
      rugosity: await writeRaster(join(outDir, 'rugosity.tif'), rugosity),
    }
    const criteria = { rugosity: { max: 12 }, depth: { min: 5, max: 15 } }

    const { summary, files } = await assessRegion({ layers, criteria, outDir })

    const expected = naiveMask([depth.values, rugosity.values], [criteria.depth, criteria.rugosity])
    const [suitable, unsuitable] = [count(expected, 1), count(expected, 0)]
    const valid = suitable + unsuitable
    const rate = (values: number[], { min = 0, max }: { min?: number; max: number }) =>
      values.filter((value, i) => !Number.isNaN(expected[i]) && value >= min && value <= max).length / valid
    expect(await readCells(join(outDir, 'suitable.tif'))).toEqual(expected)
    expect(summary).toEqual({
      cells: size.width * size.height,
      validCells: valid,
      suitableCells: suitable,
      areaSquareMeters: valid * 100,
      suitableAreaSquareMeters: suitable * 100,
      criteria: {
        depth: { ...criteria.depth, passRate: rate(depth.values, criteria.depth) },
        rugosity: { ...criteria.rugosity, passRate: rate(rugosity.values, criteria.rugosity) },
      },
    })
    expect(suitable).toBeGreaterThan(100)
    expect(JSON.parse(await readFile(join(outDir, 'summary.json'), 'utf8'))).toEqual(summary)
    expect((await readdir(outDir)).sort()).toEqual([...files, 'depth.tif', 'rugosity.tif'].sort())
  })

  test('derives a slope where no layer gives one', async () => {
    const outDir = await temporaryFolder()
    const path = await writeRaster(join(outDir, 'depth.tif'), depth)
    const criteria = { depth: { min: 3 }, slope: { max: 30 } }

    await assessRegion({ layers: { depth: path }, criteria, outDir })

    await using raster = await openRaster(path)
    const slopes = Array.from(await slopeLayer(raster).readWindow(whole))
    const expected = naiveMask([depth.values, slopes], [criteria.depth, criteria.slope])
    expect(await readCells(join(outDir, 'suitable.tif'))).toEqual(expected)
    expect(count(expected, 1)).toBeGreaterThan(50)
  })

  test('brings layers of other grids and systems to the finest grid', async () => {
    const outDir = await temporaryFolder()
    const turbidity = {
      width: 20,
      height: 20,
      values: randomTerrain(3, 20, 20),
      epsg: 4326,
      originX: 147.5695,
      originY: -18.8471,
      cellWidth: 0.0003,
    }
    const layers = {
      depth: await writeRaster(join(outDir, 'depth.tif'), depth),
      turbidity: await writeRaster(join(outDir, 'turbidity.tif'), turbidity),
    }
    const criteria = { depth: { min: 5 }, turbidity: { max: 14 } }

    await assessRegion({ layers, criteria, outDir })

    const [fine, coarse] = [gridOf(depth), gridOf(turbidity)]
    const nearest = depth.values.map((_, i) => {
      const [column, row] = [i % size.width, Math.floor(i / size.width)]
      const [lon, lat] = fine.crs.toLonLat([centerX(fine, column), centerY(fine, row)])
      const [x, y] = [Math.floor((lon - coarse.originX) / 0.0003), Math.floor((coarse.originY - lat) / 0.0003)]
      return x >= 0 && y >= 0 && x < 20 && y < 20 ? turbidity.values[y * 20 + x]! : nodata
    })
    const expected = naiveMask([depth.values, nearest], [criteria.depth, criteria.turbidity])
    const mask = await readCells(join(outDir, 'suitable.tif'))
    // Interpolated positions may choose the neighbour on the very edge of a coarse cell.
    expect(mask.filter((cell, i) => !Object.is(cell, expected[i])).length).toBeLessThan(10)
    expect(count(expected, 1)).toBeGreaterThan(100)
    expect(mask.filter(Number.isNaN).length).toBeGreaterThan(100)
  })

  test('measures areas in degrees by latitude', async () => {
    const outDir = await temporaryFolder()
    const values = Array(360 * 180).fill(1)
    const globe = { width: 360, height: 180, values, epsg: 4326, originX: -180, originY: 90, cellWidth: 1 }
    const layers = { depth: await writeRaster(join(outDir, 'depth.tif'), globe) }

    const { summary } = await assessRegion({ layers, criteria: { depth: {} }, outDir })

    expect(summary.areaSquareMeters / 510_065_621_724_089).toBeCloseTo(1, 4)
  })

  test('draws a picture with something on it', async () => {
    const outDir = await temporaryFolder()
    const layers = { depth: await writeRaster(join(outDir, 'depth.tif'), depth) }

    await assessRegion({ layers, criteria: { depth: { min: 5 } }, outDir })

    const { width, height } = await loadImage(join(outDir, 'preview.png'))
    expect(Math.max(width, height)).toBeLessThanOrEqual(1300)
    expect(Math.min(width, height)).toBeGreaterThan(400)
  })

  test('reports steady progress and says what it does', async () => {
    const outDir = await temporaryFolder()
    const layers = { depth: await writeRaster(join(outDir, 'depth.tif'), depth) }
    const fractions: number[] = []
    const messages: string[] = []

    await assessRegion({
      layers,
      criteria: { slope: { max: 30 } },
      outDir,
      onProgress: (fraction) => fractions.push(fraction),
      onLog: (message) => messages.push(message),
    })

    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
    expect(fractions.at(-1)).toBe(1)
    expect(messages).toContain('slope is derived from the layer depth')
  })

  test('stops between bands when aborted', async () => {
    const outDir = await temporaryFolder()
    const tall = { width: 20, height: 600, values: randomTerrain(1, 20, 600) }
    const layers = { depth: await writeRaster(join(outDir, 'depth.tif'), tall) }
    const controller = new AbortController()
    const onProgress = () => controller.abort(new Error('cancelled'))

    const run = assessRegion({ layers, criteria: { depth: {} }, outDir, signal: controller.signal, onProgress })

    await expect(run).rejects.toThrow('cancelled')
    expect(await readdir(outDir)).not.toContain('summary.json')
  })

  test.skipIf(gdalAbsence)(`keeps the place of its reference (GDAL: ${gdalAbsence ?? 'present'})`, async () => {
    const outDir = await temporaryFolder()
    const layers = { depth: await writeRaster(join(outDir, 'depth.tif'), depth) }
    await assessRegion({ layers, criteria: { depth: { min: 5 } }, outDir })

    const info = JSON.parse(runGdal('gdalinfo', '-json', join(outDir, 'suitable.tif')))

    expect(info.geoTransform).toEqual([560_000, 10, 0, 7_916_000, 0, -10])
    expect(info.stac['proj:epsg']).toBe(32755)
    expect(info.bands[0]).toMatchObject({ type: 'Byte', noDataValue: 255 })
  })
})

describe('criterionSources', () => {
  test('takes layers as they are, and derives a slope from depth before elevation', () => {
    expect(criterionSources({ slope: {}, depth: {} }, ['elevation', 'depth'])).toEqual([
      { criterion: 'depth', layer: 'depth', derivation: 'none' },
      { criterion: 'slope', layer: 'depth', derivation: 'slope' },
    ])
    expect(criterionSources({ slope: {} }, ['elevation'])[0]!.layer).toBe('elevation')
    expect(criterionSources({ slope: {} }, ['elevation', 'slope'])[0]).toMatchObject({
      layer: 'slope',
      derivation: 'none',
    })
  })

  test.each([
    [{}, 'At least one criterion'],
    [{ turbidity: {} }, 'no layer "turbidity"; there is: rugosity'],
    [{ slope: {} }, 'neither "depth" nor "elevation"'],
    [{ rugosity: { min: 2, max: 1 } }, 'minimum above its maximum'],
    [{ toString: {} }, 'no layer "toString"'],
  ])('refuses %o', (criteria, reason) => {
    expect(() => criterionSources(criteria as never, ['rugosity'])).toThrow(reason)
  })
})
