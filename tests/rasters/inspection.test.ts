import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { inspectRaster } from '../../src/rasters/inspection.ts'
import { randomNumbers, temporaryFolder } from './support.ts'
import { type TiffParts, writeTiff } from './tiff-bytes.ts'

describe('inspectRaster', () => {
  test('describes a sound raster', async () => {
    const path = await writeTiff({ tags: { gdalNodata: '12' } })

    expect(await inspectRaster(path)).toEqual({
      verdict: 'READY',
      raster: {
        width: 4,
        height: 3,
        crs: { epsg: 32755, proj4: expect.stringContaining('+proj=tmerc') },
        extent: [560_000, 7_915_970, 560_040, 7_916_000],
        bbox: [
          expect.closeTo(147.56955, 4),
          expect.closeTo(-18.84732, 4),
          expect.closeTo(147.56993, 4),
          expect.closeTo(-18.84705, 4),
        ],
        resolution: [10, 10],
        dataType: 'Float32',
        nodata: 12,
        minimum: 1,
        maximum: 11,
        validCells: 11,
      },
    })
  })

  test('takes coordinates of cell centres for what they are', async () => {
    const keys = [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 2, 3072, 0, 1, 32755]

    const inspection = await inspectRaster(await writeTiff({ tags: { geoKeyDirectory: keys } }))

    expect(inspection).toMatchObject({ raster: { extent: [559_995, 7_915_975, 560_035, 7_916_005] } })
  })

  test('reads a georeference given as a matrix', async () => {
    const matrix = [10, 0, 0, 560_000, 0, -20, 0, 7_916_000, 0, 0, 0, 0, 0, 0, 0, 1]
    const tags = { modelPixelScale: undefined, modelTiepoint: undefined, modelTransformation: matrix }

    expect(await inspectRaster(await writeTiff({ tags }))).toMatchObject({ raster: { resolution: [10, 20] } })
  })

  test('counts infinite cells as no data', async () => {
    const cells = [1, 2, Infinity, -Infinity, Number.NaN, 6, 7, 8, 9, 10, 11, 12]

    const inspection = await inspectRaster(await writeTiff({ cells }))

    expect(inspection).toMatchObject({ raster: { minimum: 1, maximum: 12, validCells: 9 } })
  })

  const bomb = deflateSync(Buffer.alloc(50_000_000))
  const rotated = [7, 7, 0, 560_000, 7, -7, 0, 7_916_000, 0, 0, 0, 0, 0, 0, 0, 1]
  const utmKeys = [1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1]
  const degreeKeys = [1, 1, 0, 2, 1024, 0, 1, 2, 2048, 0, 1, 4326]
  const unplaced = { modelPixelScale: undefined, modelTiepoint: undefined }
  const rejections: [what: string, parts: TiffParts, reason: string][] = [
    ['several bands', { tags: { samplesPerPixel: 3 } }, 'has 3 bands'],
    ['no georeference', { tags: unplaced }, 'no georeference'],
    ['ground control points', { tags: { ...unplaced, modelTiepoint: Array(12).fill(1) } }, 'ground control points'],
    ['a rotation', { tags: { ...unplaced, modelTransformation: rotated } }, 'rotated'],
    ['a mirrored grid', { tags: { modelPixelScale: [10, -10, 0] } }, 'mirrored'],
    [
      'a georeference of NaN',
      { tags: { modelPixelScale: [Number.NaN, 10, 0] } },
      'georeference of the file is damaged',
    ],
    ['no coordinate system', { tags: { geoKeyDirectory: undefined } }, 'no coordinate system'],
    ['keys that name no system', { tags: { geoKeyDirectory: [1, 1, 0, 1, 1024, 0, 1, 1] } }, 'keys name none'],
    ['an unknown EPSG code', { tags: { geoKeyDirectory: [...utmKeys, 1234] } }, 'not known here: EPSG:1234'],
    ['an undescribed projection', { tags: { geoKeyDirectory: [...utmKeys, 32767] } }, 'projection is not described'],
    ['keys that are cut short', { tags: { geoKeyDirectory: [1, 1, 0, 1, 3080, 34736, 1, 7] } }, 'keys are cut short'],
    ['coordinates off the globe', { tags: { modelTiepoint: [0, 0, 0, 9e9, 9e9, 0] } }, 'outside its coordinate system'],
    ['no cell with data', { cells: Array(12).fill(Number.NaN) }, 'no cell with data'],
    ['complex cells', { tags: { sampleFormat: 6, bitsPerSample: 64 } }, 'complex numbers'],
    ['odd cells', { tags: { sampleFormat: 1, bitsPerSample: 12 } }, '12-bit unsigned integers'],
    ['a compression not read here', { tags: { compression: 7 } }, 'TIFF compression 7'],
    ['a predictor not read here', { tags: { predictor: 34892 } }, 'TIFF predictor 34892'],
    ['no cells at all', { tags: { imageWidth: 0 } }, 'how many cells'],
    ['too many cells a side', { tags: { imageWidth: 100_001 } }, 'too large (100001 x 3 cells)'],
    ['too many cells in all', { tags: { imageWidth: 60_000, imageLength: 60_000 } }, 'too large'],
    [
      'a strip of absurd size',
      { tags: { imageWidth: 30_000, imageLength: 30_000, rowsPerStrip: 30_000 } },
      'too large to be read',
    ],
    ['too few strips', { tags: { rowsPerStrip: 1 } }, 'where all of its cells are'],
    ['offsets for more strips than there are', { tags: { stripOffsets: [8, 8] } }, 'where all of its cells are'],
    ['a tag of absurd length', { tags: { gdalNodata: '9'.repeat(300) } }, 'tag 42113 makes no sense'],
    [
      'latitudes beyond the pole',
      { tags: { geoKeyDirectory: degreeKeys, modelTiepoint: [0, 0, 0, 147, 95, 0] } },
      'outside its',
    ],
    ['cells of no size', { tags: { modelPixelScale: [1e-300, 1e-300, 0] } }, 'cells (1e-300 x 1e-300) cannot'],
    [
      'cells of no size about the origin',
      { tags: { modelPixelScale: [1e-300, 1e-300, 0], modelTiepoint: [0, 0, 0, 0, 0, 0] } },
      'cells (1e-300 x 1e-300) cannot',
    ],
    [
      'cells that coordinates cannot tell apart',
      { tags: { modelPixelScale: [10, 1e-8, 0] } },
      'cells (10 x 1e-8) cannot',
    ],
    ['a decompression bomb', { strip: bomb }, 'cannot be decompressed'],
    ['more bytes than a strip can need', { strip: Buffer.alloc(100_000) }, 'damaged or incomplete'],
    ['broken compressed data', { strip: Buffer.from('not deflate') }, 'cannot be decompressed'],
    ['a strip that ends early', { strip: deflateSync(Buffer.alloc(40)) }, 'some of its cells are missing'],
    ['a strip beyond the file', { tags: { stripOffsets: 4_000_000_000 } }, 'damaged or incomplete'],
    ['broken LZW', { tags: { compression: 5 }, strip: Uint8Array.of(0x80, 0x7f, 0xff) }, 'cannot be decompressed'],
  ]

  test.each(rejections)('rejects %s', async (_, parts, reason) => {
    const inspection = await inspectRaster(await writeTiff(parts))

    expect(inspection).toEqual({ verdict: 'REJECTED', reason: expect.stringContaining(reason) })
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('longitude,latitude\n147,-18\n')],
    ['a PNG', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')],
  ])('rejects %s in place of a TIFF', async (_, bytes) => {
    const path = join(await temporaryFolder(), 'a.tif')
    await writeFile(path, bytes)

    expect(await inspectRaster(path)).toEqual({ verdict: 'REJECTED', reason: 'The file is not a TIFF.' })
  })

  test('rejects a directory that claims more than the file holds, without allocating it', async () => {
    const path = await writeTiff({ tags: { imageWidth: 90_000, imageLength: 10_000, rowsPerStrip: 1 } })
    const file = await readFile(path)
    // Ten thousand strip offsets, somewhere else.
    const entry = file.indexOf(Buffer.from(Uint16Array.of(273, 4).buffer))
    file.writeUInt32LE(10_000, entry + 4)
    file.writeUInt32LE(10_000, file.indexOf(Buffer.from(Uint16Array.of(279, 4).buffer)) + 4)
    await writeFile(path, file)

    const inspection = await inspectRaster(path)

    expect(inspection).toEqual({ verdict: 'REJECTED', reason: expect.stringContaining('points past the end') })
  })

  test('rejects every truncation of a file, and never fails in another way', async () => {
    const path = await writeTiff()
    const sound = await readFile(path)

    for (let length = sound.length - 1; length >= 0; length -= 7) {
      await writeFile(path, sound)
      await truncate(path, length)
      expect(await inspectRaster(path)).toMatchObject({ verdict: 'REJECTED', reason: expect.stringMatching(/\.$/) })
    }
  })

  test('survives any flipped bytes with a verdict', async () => {
    const path = await writeTiff()
    const sound = await readFile(path)
    const random = randomNumbers(1)

    for (let round = 0; round < 300; round++) {
      const broken = Buffer.from(sound)
      for (let i = 0; i < 4; i++) broken[Math.floor(random() * broken.length)] = Math.floor(random() * 256)
      await writeFile(path, broken)
      expect(await inspectRaster(path)).toMatchObject({ verdict: expect.stringMatching(/READY|REJECTED/) })
    }
  })

  test('stops when aborted, and says why', async () => {
    const signal = AbortSignal.abort(new Error('the lease was lost'))

    await expect(inspectRaster(await writeTiff(), { signal })).rejects.toThrow('the lease was lost')
  })

  test('blames no file that is not there', async () => {
    await expect(inspectRaster('/nowhere/at/all.tif')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('reports progress up to 1', async () => {
    const fractions: number[] = []

    await inspectRaster(await writeTiff(), { onProgress: (fraction) => fractions.push(fraction) })

    expect(fractions.at(-1)).toBe(1)
  })
})
