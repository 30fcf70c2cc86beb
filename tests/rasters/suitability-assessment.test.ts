import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadImage } from '@napi-rs/canvas'
import { describe, expect, test } from 'vitest'
import { CellBits } from '../../src/rasters/cell-bits.ts'
import type { SiteCollection } from '../../src/rasters/site-features.ts'
import { type SiteCandidate, searchSites } from '../../src/rasters/site-search.ts'
import { findSites, type SuitabilityOptions } from '../../src/rasters/suitability-assessment.ts'
import { gridOf, nodata, randomNumbers, randomTerrain, temporaryFolder, writeRaster } from './support.ts'

interface Search {
  width: number
  height: number
  cells: number[]
  siteWidth: number
  siteHeight: number
  minimumCount: number
  /** 1 where no site may be. */
  barred?: number[]
}

/** Every rectangle of the raster, sorted, then taken greedily. */
function naiveSites({
  width,
  height,
  cells,
  siteWidth,
  siteHeight,
  minimumCount,
  barred = [],
}: Search): SiteCandidate[] {
  const candidates: SiteCandidate[] = []
  for (let row = 0; row + siteHeight <= height; row++) {
    for (let column = 0; column + siteWidth <= width; column++) {
      let [count, outside] = [0, 0]
      for (let y = row; y < row + siteHeight; y++) {
        for (let x = column; x < column + siteWidth; x++) {
          count += cells[y * width + x]!
          outside += barred[y * width + x] ?? 0
        }
      }
      if (count >= minimumCount && outside === 0) candidates.push({ row, column, count })
    }
  }
  candidates.sort((a, b) => b.count - a.count || a.row - b.row || a.column - b.column)
  const sites: SiteCandidate[] = []
  for (const c of candidates) {
    const overlaps = (s: SiteCandidate) =>
      Math.abs(s.row - c.row) < siteHeight && Math.abs(s.column - c.column) < siteWidth
    if (!sites.some(overlaps)) sites.push(c)
  }
  return sites
}

function bitsOf({ width, height }: Pick<Search, 'width' | 'height'>, cells: number[]): CellBits {
  const bits = new CellBits(width, height)
  cells.forEach((cell, i) => {
    if (cell === 1) bits.set(i % width, Math.floor(i / width))
  })
  return bits
}

describe('searchSites', () => {
  // Density, site size, and batches from "everything at once" to "hardly anything fits".
  test.each([
    [0.5, 3, 2, 1_000_000],
    [0.5, 4, 4, 50],
    [0.8, 5, 3, 7],
    [0.98, 4, 6, 20],
    [0.2, 1, 1, 10],
    [0.6, 47, 1, 3],
  ])(
    'chooses as sorting every rectangle would (density %f, %i x %i, batches of %i)',
    async (density, siteWidth, siteHeight, batchSize) => {
      const random = randomNumbers(siteWidth)
      const cells = Array.from({ length: 47 * 39 }, () => (random() < density ? 1 : 0))
      const search = {
        width: 47,
        height: 39,
        cells,
        siteWidth,
        siteHeight,
        minimumCount: Math.ceil((siteWidth * siteHeight) / 3),
      }

      const found = await searchSites({ ...search, suitable: bitsOf(search, search.cells), maxSites: 5000, batchSize })

      expect(found).toEqual({ sites: naiveSites(search), truncated: false })
    },
  )

  test('covers no cell that is barred, were it the best', async () => {
    const random = randomNumbers(11)
    const cells = Array.from({ length: 47 * 39 }, () => (random() < 0.7 ? 1 : 0))
    const barred = Array.from({ length: 47 * 39 }, (_, i) => (i % 47 < 12 || random() < 0.01 ? 1 : 0))
    const search = { width: 47, height: 39, cells, barred, siteWidth: 4, siteHeight: 3, minimumCount: 4 }

    const bits = { suitable: bitsOf(search, cells), barred: bitsOf(search, barred) }
    const found = await searchSites({ ...search, ...bits, maxSites: 5000 })

    expect(found).toEqual({ sites: naiveSites(search), truncated: false })
  })

  test('divides counts beyond the bins of its histogram', async () => {
    const random = randomNumbers(3)
    const cells = Array.from({ length: 400 * 400 }, () => (random() < 0.5 ? 1 : 0))
    const search = { width: 400, height: 400, cells, siteWidth: 395, siteHeight: 396, minimumCount: 1 }

    const found = await searchSites({ ...search, suitable: bitsOf(search, search.cells), maxSites: 10, batchSize: 4 })

    expect(found.sites).toEqual(naiveSites(search))
  })

  test.each([1, 7, 20])('stops at %i sites and says that there are more', async (maxSites) => {
    const random = randomNumbers(1)
    const cells = Array.from({ length: 40 * 40 }, () => (random() < 0.7 ? 1 : 0))
    const search = { width: 40, height: 40, cells, siteWidth: 3, siteHeight: 3, minimumCount: 4 }

    const found = await searchSites({ ...search, suitable: bitsOf(search, search.cells), maxSites })

    expect(found).toEqual({ sites: naiveSites(search).slice(0, maxSites), truncated: true })
  })

  test('does not say so when the last one just fits', async () => {
    const search = { width: 4, height: 2, cells: Array(8).fill(1), siteWidth: 2, siteHeight: 2, minimumCount: 1 }

    expect(await searchSites({ ...search, suitable: bitsOf(search, search.cells), maxSites: 2 })).toMatchObject({
      truncated: false,
    })
  })

  test('stops when aborted', async () => {
    const search = { width: 4, height: 2, cells: Array(8).fill(1), siteWidth: 2, siteHeight: 2, minimumCount: 1 }
    const signal = AbortSignal.abort(new Error('cancelled'))

    await expect(
      searchSites({ ...search, suitable: bitsOf(search, search.cells), maxSites: 2, signal }),
    ).rejects.toThrow('cancelled')
  })
})

const size = { width: 45, height: 38 }
const depth = { ...size, values: randomTerrain(1, size.width, size.height) }
const grid = gridOf(depth)

async function run(options: Partial<SuitabilityOptions> = {}) {
  const outDir = await temporaryFolder()
  const layers = { depth: await writeRaster(join(outDir, 'depth.tif'), depth) }
  const criteria = { depth: { min: 4, max: 16 } }
  const { summary } = await findSites({ layers, criteria, xDist: 42, yDist: 28, threshold: 0.7, outDir, ...options })
  const sites = JSON.parse(await readFile(join(outDir, 'sites.geojson'), 'utf8')) as SiteCollection
  return { outDir, summary, sites }
}

const suitableCells = depth.values.map((value) => (value >= 4 && value <= 16 ? 1 : 0))

describe('findSites', () => {
  test('ranks the best rectangles with score, area and means', async () => {
    const { summary, sites, outDir } = await run()

    // 42 m x 28 m are 4 x 3 cells of 10 m.
    const expected = naiveSites({ ...size, cells: suitableCells, siteWidth: 4, siteHeight: 3, minimumCount: 9 })
    expect(sites.features.map(({ properties }) => properties)).toEqual(
      expected.map(({ row, column, count }, i) => {
        const cells = Array.from(
          { length: 12 },
          (_, at) => depth.values[(row + Math.floor(at / 4)) * 45 + column + (at % 4)]!,
        )
        const valid = cells.filter((value) => value !== nodata)
        const mean = valid.reduce((sum, value) => sum + value, 0) / valid.length
        return { rank: i + 1, score: count / 12, areaSquareMeters: 1200, means: { depth: expect.closeTo(mean, 9) } }
      }),
    )
    expect(summary).toMatchObject({
      cells: 45 * 38,
      sites: expected.length,
      sitesTruncated: false,
      bestScore: expected[0]!.count / 12,
      xDist: 40,
      yDist: 30,
      threshold: 0.7,
      suitableCells: suitableCells.filter(Boolean).length,
    })
    expect(expected.length).toBeGreaterThan(20)
    expect(JSON.parse(await readFile(join(outDir, 'summary.json'), 'utf8'))).toEqual(summary)
    expect((await loadImage(join(outDir, 'sites.png'))).width).toBeGreaterThan(600)
  })

  test('writes RFC 7946 rings: closed, counterclockwise, at the corners of the cells', async () => {
    const { sites } = await run()
    const [best] = naiveSites({ ...size, cells: suitableCells, siteWidth: 4, siteHeight: 3, minimumCount: 9 })

    const ring = sites.features[0]!.geometry.coordinates[0]!

    const area = ring.slice(1).reduce((sum, [x, y], i) => sum + ring[i]![0] * y - x * ring[i]![1], 0)
    const southWest = grid.crs.toLonLat([560_000 + best!.column * 10, 7_916_000 - (best!.row + 3) * 10])
    expect(ring).toHaveLength(5)
    expect(ring[4]).toEqual(ring[0])
    expect(area).toBeGreaterThan(0)
    expect(ring[0]).toEqual(southWest.map((degrees) => Number(degrees.toFixed(7))))
  })

  test('stays within the polygon with every cell of every site', async () => {
    const corner = (column: number, row: number) => grid.crs.toLonLat([560_000 + column * 10, 7_916_000 - row * 10])
    const ring = [corner(10, 30), corner(30, 30), corner(30, 8), corner(10, 8), corner(10, 30)]

    const { summary, sites } = await run({ within: { type: 'Polygon', coordinates: [ring] } })

    const isInside = (i: number) => i % 45 >= 10 && i % 45 < 30 && Math.floor(i / 45) >= 8 && Math.floor(i / 45) < 30
    const cells = suitableCells.map((cell, i) => (isInside(i) ? cell : 0))
    const barred = suitableCells.map((_, i) => (isInside(i) ? 0 : 1))
    const expected = naiveSites({ ...size, cells, barred, siteWidth: 4, siteHeight: 3, minimumCount: 9 })
    expect(sites.features.map(({ properties }) => properties.score)).toEqual(expected.map(({ count }) => count / 12))
    expect(summary).toMatchObject({ cells: 440, suitableCells: cells.filter(Boolean).length })
  })

  test('gives the mean of a derived slope too', async () => {
    const { sites } = await run({ criteria: { depth: { min: 4 }, slope: { max: 89 } }, threshold: 0.9 })

    expect(Object.keys(sites.features[0]!.properties.means)).toEqual(['depth', 'slope'])
    expect(sites.features[0]!.properties.means.slope).toBeGreaterThan(0)
  })

  test('takes scores that equal the threshold, for all that division rounds', async () => {
    const scores = async (threshold: number) => (await run({ threshold })).sites.features.map((f) => f.properties.score)

    expect(Math.min(...(await scores(7 / 12)))).toBe(7 / 12)
    expect(Math.min(...(await scores(7 / 12 + 1e-12)))).toBe(8 / 12)
  })

  test('finds no site without any suitable cell, even with a threshold of 0', async () => {
    const { summary, sites } = await run({ criteria: { depth: { min: 1000 } }, threshold: 0 })

    expect(sites.features).toEqual([])
    expect(summary).toMatchObject({ sites: 0, suitableCells: 0 })
    expect(summary).not.toHaveProperty('bestScore')
  })

  test('finds none that is larger than the raster', async () => {
    expect((await run({ xDist: 10_000 })).summary.sites).toBe(0)
    expect((await run({ xDist: 1e12, yDist: 1e12, threshold: 0.9031999999999939 })).summary.sites).toBe(0)
  })

  test('says the same every time', async () => {
    const [first, second] = [await run(), await run()]

    expect(second.sites).toEqual(first.sites)
  })

  test('leaves sites out beyond the most, and says so', async () => {
    expect((await run({ maxSites: 3 })).summary).toMatchObject({ sites: 3, sitesTruncated: true })
  })

  test('stops when aborted on the way', async () => {
    const controller = new AbortController()
    const onProgress = () => controller.abort(new Error('cancelled'))

    await expect(run({ signal: controller.signal, onProgress })).rejects.toThrow('cancelled')
  })

  test.each([
    [{ xDist: 0 }, 'more than 0 metres'],
    [{ threshold: 1.5 }, 'between 0 and 1'],
    [{ criteria: { turbidity: {} } }, 'no layer "turbidity"'],
  ])('refuses %o', async (options, reason) => {
    await expect(run(options)).rejects.toThrow(reason)
  })
})
