import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inspectRaster } from '../../src/rasters/inspection.ts'
import { openRaster } from '../../src/rasters/raster.ts'
import { findSites } from '../../src/rasters/suitability-assessment.ts'
import { maungawhauTerrain, writeTerrainGrid } from '../../src/rasters/terrain-grid.ts'
import { temporaryFolder } from './support.ts'

const volcano = resolve(import.meta.dirname, '../../node_modules/vega-datasets/data/volcano.json')
const tinian = resolve(import.meta.dirname, '../../../shared/data/tinian_50m_bathymetry_0_30m.tif')
const absence = existsSync(tinian) ? undefined : `${tinian} is not here`

describe.skipIf(absence)(`bathymetry of Tinian (${absence ?? 'present'})`, () => {
  test('is inspected as GDAL sees it', async () => {
    expect(await inspectRaster(tinian)).toMatchObject({
      raster: {
        crs: { epsg: 32655, name: 'WGS 84 / UTM zone 55N' },
        extent: [347_410, 1_647_340, 366_110, 1_671_890],
        minimum: expect.closeTo(-29.999, 3),
        maximum: expect.closeTo(-5.2117, 3),
      },
    })
  })

  test('has reef slopes for a suitability assessment', async () => {
    const options = { layers: { depth: tinian }, criteria: { depth: { min: -15 }, slope: { max: 20 } }, threshold: 0.5 }

    const { summary } = await findSites({ ...options, xDist: 150, yDist: 150, outDir: await temporaryFolder() })

    expect(summary.sites).toBeGreaterThan(5)
    expect(summary.suitableAreaSquareMeters).toBe(summary.suitableCells * 2500)
  })
})

test('Maungawhau stands on its place, summit south of the crater', async () => {
  const terrain = maungawhauTerrain(JSON.parse(await readFile(volcano, 'utf8')))
  const path = join(await temporaryFolder(), 'elevation.tif')

  await writeTerrainGrid(path, terrain)

  await using raster = await openRaster(path)
  const values = await raster.readWindow({ column: 0, row: 0, width: 61, height: 87 })
  const lonLatOf = (index: number) =>
    raster.grid.crs.toLonLat([2_667_405 + (index % 61) * 10, 6_479_570 - Math.floor(index / 61) * 10])
  const [lon, lat] = lonLatOf(values.indexOf(195))
  expect(raster.grid).toMatchObject({ width: 61, height: 87, crs: { epsg: 27200 } })
  expect([lon, lat]).toEqual([expect.closeTo(174.764, 2), expect.closeTo(-36.878, 3)])
  // R's volcano[1, 61], 103 m, is the south-west corner, and volcano[87, 1], 97 m, the north-east one.
  expect([values[86 * 61], values[60]]).toEqual([103, 97])
})
