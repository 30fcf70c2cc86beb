import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outline } from '../scripts/demo/maungawhau.ts'
import type { SiteCollection } from '../src/rasters/site-features.ts'

type Point = number[]

const run = promisify(execFile)
const script = resolve(import.meta.dirname, '../scripts/demo.ts')

/** A centimetre and a half in degrees: what rounding may move a corner by. */
const tolerance = 1.5e-7

let directory: string
let output: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldstation-test-demo-'))
  // For PostgreSQL, which runs as somebody else where we are root.
  await chmod(directory, 0o755)
  await mkdir(join(directory, 'tmp'))
  const { stdout } = await run(process.execPath, [script], {
    cwd: directory,
    env: { PATH: process.env.PATH, TMPDIR: join(directory, 'tmp') },
  })
  output = stdout
}, 120_000)

afterAll(() => rm(directory, { recursive: true, force: true }))

describe('npm run demo', () => {
  test('leaves the files of both assessments', async () => {
    expect((await readdir(join(directory, 'demo-output'))).sort()).toEqual([
      'polygons.geojson',
      'preview.png',
      'regional-summary.json',
      'sites.geojson',
      'sites.png',
      'suitability-summary.json',
      'suitable.tif',
    ])
    for (const name of ['preview.png', 'sites.png']) {
      expect((await readResult(name)).subarray(1, 4).toString()).toBe('PNG')
    }
    expect((await readResult('suitable.tif')).subarray(0, 2).toString()).toBe('II')
  })

  test('keeps a note and a picture with the place, and gives it to GIS programs', async () => {
    const { type, features } = JSON.parse((await readResult('polygons.geojson')).toString())

    expect(output).toMatch(/A note: "\d+ plots would do\. The map is attached\." With it sites\.png, \d+ x \d+ pixels/)
    expect(type).toBe('FeatureCollection')
    expect(features).toEqual([
      expect.objectContaining({ type: 'Feature', geometry: { type: 'Polygon', coordinates: [outline] } }),
    ])
  })

  test('finds tens of sites, best first', async () => {
    const { features } = await readSites()

    const scores = features.map(({ properties }) => properties.score)
    expect(features.length).toBeGreaterThanOrEqual(20)
    expect(features.map(({ properties }) => properties.rank)).toEqual(features.map((_, i) => i + 1))
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    expect(new Set(scores).size).toBeGreaterThan(1)
    expect(JSON.parse((await readResult('suitability-summary.json')).toString()).sites).toBe(features.length)
  })

  test('finds sites within what was drawn', async () => {
    const [west, south, east, north] = boundsOf(outline)
    for (const ring of await readRings()) {
      const [left, bottom, right, top] = boundsOf(ring)
      expect([left > west, bottom > south, right < east, top < north]).toEqual([true, true, true, true])
    }
  })

  test('finds sites that do not overlap', async () => {
    const rings = await readRings()

    const overlapping = rings.flatMap((ring, i) => rings.slice(i + 1).filter((other) => isOverlap(ring, other)))
    expect(overlapping).toEqual([])
  })

  test('writes sites as RFC 7946 has them: closed rings, counterclockwise', async () => {
    for (const ring of await readRings()) {
      expect(ring).toHaveLength(5)
      expect(ring.at(-1)).toEqual(ring[0])
      expect(signedArea(ring)).toBeGreaterThan(0)
    }
  })

  test('says what it does in plain lines, where nobody watches at a terminal', () => {
    expect(output).toContain('elevation version 1 is uploaded')
    expect(output).toContain('EPSG:27200')
    expect(output).toContain('found 32 sites')
    expect(output).toContain('cached: true')
    expect(output).toContain('demo-output/sites.png')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
    expect(output).not.toMatch(/[\x1b\r]/)
  })

  test('leaves no temporary file', async () => {
    expect(await readdir(join(directory, 'tmp'))).toEqual([])
  })

  // A worker that went on would hold the demo's standard error, and `run` would not have come back.
  test.skipIf(process.platform !== 'linux')('leaves no PostgreSQL running', async () => {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))

    expect(commands.filter((command) => command.includes(directory))).toEqual([])
  })
})

const readResult = (name: string) => readFile(join(directory, 'demo-output', name))

const readSites = async (): Promise<SiteCollection> => JSON.parse((await readResult('sites.geojson')).toString())

const readRings = async (): Promise<Point[][]> =>
  (await readSites()).features.map(({ geometry }) => geometry.coordinates[0]!)

function boundsOf(points: readonly Point[]): [west: number, south: number, east: number, north: number] {
  const [lons, lats] = [points.map(([lon]) => lon!), points.map(([, lat]) => lat!)]
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)]
}

const signedArea = (ring: Point[]) =>
  edgesOf(ring).reduce((sum, [[x0, y0], [x1, y1]]) => sum + (x0! * y1! - x1! * y0!) / 2, 0)

const edgesOf = (ring: Point[]) => ring.slice(1).map((end, i): [Point, Point] => [ring[i]!, end])

/** Sites are convex, so those that do not overlap have an edge that all of the other lies outside of. */
const isOverlap = (one: Point[], other: Point[]) => !isApart(one, other) && !isApart(other, one)

const isApart = (ring: Point[], other: Point[]) =>
  edgesOf(ring).some(([start, end]) => other.every((point) => distanceInside(start, end, point) < tolerance))

/** How far a point lies to the left of an edge, which is inside. */
function distanceInside([x0, y0]: Point, [x1, y1]: Point, [x, y]: Point): number {
  const [dx, dy] = [x1! - x0!, y1! - y0!]
  return (dx * (y! - y0!) - dy * (x! - x0!)) / Math.hypot(dx, dy)
}
