import { join } from 'node:path'
import { fromFile } from 'geotiff'
import { describe, expect, test } from 'vitest'
import { createGeoTiffWriter, type WritableDataType } from '../../src/rasters/geotiff-writer.ts'
import { openRaster } from '../../src/rasters/raster.ts'
import { gdalAbsence, gridOf, nodata, randomTerrain, runGdal, temporaryFolder, writeRaster } from './support.ts'

const size = { width: 37, height: 21 }

async function readBack(path: string) {
  const tiff = await fromFile(path)
  const image = await tiff.getImage()
  const [values] = await image.readRasters()
  await tiff.close()
  return { image, values: Array.from(values as unknown as ArrayLike<number>) }
}

describe('createGeoTiffWriter', () => {
  test.each<WritableDataType>(['Uint8', 'Int16', 'Float32'])(
    'writes %s cells that geotiff.js reads',
    async (dataType) => {
      const values = randomTerrain(1, size.width, size.height, 0)
      const path = await writeRaster(join(await temporaryFolder(), 'a.tif'), { ...size, values, dataType })

      const { image, values: read } = await readBack(path)

      expect(read).toEqual(values)
      expect(image.getTileWidth()).toBe(16)
      expect(image.getBoundingBox()).toEqual([560_000, 7_915_790, 560_370, 7_916_000])
      expect(image.getGDALNoData()).toBe(nodata)
      expect(image.getGeoKeys()).toMatchObject({ GTModelTypeGeoKey: 1, ProjectedCSTypeGeoKey: 32755 })
    },
  )

  test('takes rows in pieces of any height', async () => {
    const values = randomTerrain(2, size.width, size.height)
    const path = join(await temporaryFolder(), 'a.tif')
    const georeference = { ...gridOf({ ...size, values }), epsg: 4326, isGeographic: true }
    const writer = await createGeoTiffWriter(path, { ...size, dataType: 'Float32', georeference, tileSize: 16 })

    for (const [from, to] of [
      [0, 1],
      [1, 16],
      [16, 19],
      [19, 21],
    ] as const) {
      await writer.writeRows(values.slice(from * size.width, to * size.width))
    }
    await writer.close()

    expect((await readBack(path)).values).toEqual(values)
  })

  test('carries the keys of a source over, also when they speak of cell centres', async () => {
    const folder = await temporaryFolder()
    const values = randomTerrain(3, size.width, size.height)
    const geoKeys = { directory: [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 2, 3072, 0, 1, 32755], doubles: [], ascii: '' }
    const georeference = { ...gridOf({ ...size, values }), geoKeys }
    const writer = await createGeoTiffWriter(join(folder, 'a.tif'), { ...size, dataType: 'Float32', georeference })
    await writer.writeRows(values)
    await writer.close()

    await using raster = await openRaster(join(folder, 'a.tif'))

    expect(raster.geoKeys).toEqual(geoKeys)
    expect(raster.grid).toMatchObject({ originX: 560_000, originY: 7_916_000 })
  })

  test('refuses to grow beyond what a classic TIFF can point at', async () => {
    const values = randomTerrain(4, size.width, size.height)
    const georeference = { ...gridOf({ ...size, values }), epsg: 32755, isGeographic: false }
    const options = { ...size, dataType: 'Float32', georeference, tileSize: 16, maxBytes: 100 } as const
    await using writer = await createGeoTiffWriter(join(await temporaryFolder(), 'a.tif'), options)

    await expect(writer.writeRows(values)).rejects.toThrow('larger than 4 GB')
  })

  test('does not close a file that lacks rows', async () => {
    const georeference = { ...gridOf({ ...size, values: [] }), epsg: 32755, isGeographic: false }
    const path = join(await temporaryFolder(), 'a.tif')
    await using writer = await createGeoTiffWriter(path, { ...size, dataType: 'Uint8', georeference })

    await expect(writer.close()).rejects.toThrow('only 0 of 21 rows')
  })

  test.skipIf(gdalAbsence)(`is understood by GDAL (${gdalAbsence ?? 'present'})`, async () => {
    const values = randomTerrain(5, size.width, size.height)
    const path = await writeRaster(join(await temporaryFolder(), 'a.tif'), { ...size, values })

    const info = JSON.parse(runGdal('gdalinfo', '-json', '-checksum', '-stats', path))
    const cells = runGdal('gdal_translate', '-q', '-of', 'XYZ', path, '/vsistdout/').trim().split('\n')

    expect(info.geoTransform).toEqual([560_000, 10, 0, 7_916_000, 0, -10])
    expect(info.stac['proj:epsg']).toBe(32755)
    expect(info.metadata.IMAGE_STRUCTURE.COMPRESSION).toBe('DEFLATE')
    expect(info.bands[0]).toMatchObject({ type: 'Float32', noDataValue: nodata, block: [16, 16] })
    expect(cells.map((line) => Number(line.split(' ')[2]))).toEqual(values)
  })
})
