import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decodeLzw } from '../../src/rasters/lzw.ts'
import { openRaster } from '../../src/rasters/raster.ts'
import { decodePackBits } from '../../src/rasters/tiff-block.ts'
import { gdalAbsence, nodata, randomNumbers, randomTerrain, runGdal, temporaryFolder, writeRaster } from './support.ts'

const size = { width: 83, height: 45 }
const values = randomTerrain(1, size.width, size.height)
const expected = values.map((value) => (value === nodata ? Number.NaN : value))

describe('openRaster', () => {
  test('reads any window, with NaN for no data', async () => {
    await using raster = await openRaster(
      await writeRaster(join(await temporaryFolder(), 'a.tif'), { ...size, values }),
    )

    const window = { column: 13, row: 15, width: 40, height: 20 }
    const read = Array.from(await raster.readWindow(window))

    const at = (i: number) => expected[(15 + Math.floor(i / 40)) * size.width + 13 + (i % 40)]!
    expect(read).toEqual(read.map((_, i) => at(i)))
    expect(raster).toMatchObject({
      dataType: 'Float32',
      nodata,
      grid: { ...size, cellWidth: 10, crs: { epsg: 32755 } },
    })
  })

  test('stops reading when aborted', async () => {
    await using raster = await openRaster(
      await writeRaster(join(await temporaryFolder(), 'a.tif'), { ...size, values }),
    )

    const read = raster.readWindow({ column: 0, row: 0, ...size }, AbortSignal.abort(new Error('enough')))

    await expect(read).rejects.toThrow('enough')
  })

  const variants: [name: string, ...options: string[]][] = [
    ['strips of the whole image', '-co', 'BLOCKYSIZE=45', '-co', 'COMPRESS=LZW'],
    ['LZW with predictor 2', '-ot', 'Int16', '-co', 'COMPRESS=LZW', '-co', 'PREDICTOR=2', '-co', 'TILED=YES'],
    ['deflate with predictor 3', '-co', 'COMPRESS=DEFLATE', '-co', 'PREDICTOR=3'],
    ['doubles with predictor 3', '-ot', 'Float64', '-co', 'COMPRESS=DEFLATE', '-co', 'PREDICTOR=3'],
    ['floats with predictor 2', '-co', 'COMPRESS=DEFLATE', '-co', 'PREDICTOR=2'],
    ['big-endian tiles', '-co', 'ENDIANNESS=BIG', '-co', 'TILED=YES', '-co', 'BLOCKXSIZE=16', '-co', 'BLOCKYSIZE=16'],
    [
      'big-endian Int32, predictor 2',
      '-ot',
      'Int32',
      '-co',
      'ENDIANNESS=BIG',
      '-co',
      'COMPRESS=LZW',
      '-co',
      'PREDICTOR=2',
    ],
    ['BigTIFF with Zstandard', '-co', 'BIGTIFF=YES', '-co', 'COMPRESS=ZSTD'],
    ['PackBits', '-co', 'COMPRESS=PACKBITS'],
    ['no compression', '-ot', 'Int16'],
    [
      'sparse tiles',
      '-a_nodata',
      '5',
      '-co',
      'SPARSE_OK=TRUE',
      '-co',
      'TILED=YES',
      '-co',
      'BLOCKXSIZE=16',
      '-co',
      'BLOCKYSIZE=16',
    ],
  ]

  test.skipIf(gdalAbsence).each(variants)('reads what GDAL writes: %s', async (_, ...options) => {
    const folder = await temporaryFolder()
    await writeRaster(join(folder, 'a.tif'), { ...size, values })
    runGdal('gdal_translate', '-q', ...options, join(folder, 'a.tif'), join(folder, 'b.tif'))

    await using raster = await openRaster(join(folder, 'b.tif'))
    const read = await raster.readWindow({ column: 0, row: 0, ...size })

    const hole = options.includes('5') ? 5 : nodata
    expect(Array.from(read)).toEqual(values.map((value) => (value === hole ? Number.NaN : value)))
  })
})

describe('decodeLzw', () => {
  test('undoes an encoding through all code widths and a full table', () => {
    const random = randomNumbers(9)
    const bytes = Uint8Array.from({ length: 40_000 }, () => Math.floor(random() * random() * 256))

    expect(decodeLzw(encodeLzw(bytes), bytes.length)).toEqual(bytes)
  })

  test('ends on garbage: a code before its definition, a run without an end', () => {
    expect(() => decodeLzw(Uint8Array.of(0x80, 0x7f, 0xff), 100)).toThrow(RangeError)
    expect(decodeLzw(new Uint8Array(1000), 64)).toHaveLength(64)
  })
})

test('decodePackBits stops at the size it was given', () => {
  const input = Uint8Array.of(0xfe, 7, 2, 1, 2, 3, 0x80, 0x81, 9)

  expect(Array.from(decodePackBits(input, 8))).toEqual([7, 7, 7, 1, 2, 3, 9, 9])
})

/** TIFF's LZW, straight from the specification's pseudo-code. */
function encodeLzw(bytes: Uint8Array): Uint8Array {
  const output: number[] = []
  let [bits, bitCount, width, next] = [0, 0, 9, 258]
  let table = new Map<string, number>()
  const codeOf = (run: string) => (run.length === 1 ? run.charCodeAt(0) : table.get(run))
  const put = (code: number) => {
    bits = (bits << width) | code
    for (bitCount += width; bitCount >= 8; bitCount -= 8) output.push((bits >> (bitCount - 8)) & 0xff)
    bits &= (1 << bitCount) - 1
  }
  put(256)
  let run = ''
  for (const byte of bytes) {
    const longer = run + String.fromCharCode(byte)
    if (codeOf(longer) !== undefined) {
      run = longer
      continue
    }
    put(codeOf(run)!)
    table.set(longer, next++)
    if (next === 4095) {
      put(256)
      table = new Map()
      next = 258
      width = 9
    } else if (next === 2 ** width && width < 12) {
      width++
    }
    run = String.fromCharCode(byte)
  }
  put(codeOf(run)!)
  put(257)
  output.push((bits << (8 - bitCount)) & 0xff)
  return Uint8Array.from(output)
}
