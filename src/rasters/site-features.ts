import { setImmediate } from 'node:timers/promises'
import { type Assessment, bandRows } from './assessment.ts'
import type { Point } from './crs.ts'
import { cellAreaSquareMeters, type Grid } from './grid.ts'
import type { SiteCandidate } from './site-search.ts'

export interface SiteProperties {
  /** 1 is the best. */
  rank: number
  /** Suitable cells / all cells of the rectangle. */
  score: number
  areaSquareMeters: number
  /** By criterion, over the cells of the rectangle that have data in its layer. */
  means: Record<string, number>
}

export interface SiteFeature {
  type: 'Feature'
  id: number
  bbox: [west: number, south: number, east: number, north: number]
  geometry: { type: 'Polygon'; coordinates: Point[][] }
  properties: SiteProperties
}

export interface SiteCollection {
  type: 'FeatureCollection'
  features: SiteFeature[]
}

export interface SiteFrame {
  sites: SiteCandidate[]
  siteWidth: number
  siteHeight: number
}

/**
 * The sites as RFC 7946 GeoJSON: CRS84, exterior rings counterclockwise, seven decimals (about a centimetre). Reads the
 * bands that hold sites once more for the means. A rectangle across the antimeridian keeps its longitudes together
 * (beyond 180) rather than being cut.
 */
export async function describeSites(
  assessment: Assessment,
  frame: SiteFrame,
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: ((fraction: number) => void) | undefined },
): Promise<SiteCollection> {
  const means = await siteMeans(assessment, frame, signal, onProgress)
  const { siteWidth, siteHeight } = frame
  const features = frame.sites.map((site, i): SiteFeature => {
    const ring = siteRing(assessment.grid, site, siteWidth, siteHeight)
    const score = site.count / (siteWidth * siteHeight)
    const areaSquareMeters = siteArea(assessment.grid, site, siteWidth, siteHeight)
    return {
      type: 'Feature',
      id: i + 1,
      bbox: ringBounds(ring),
      geometry: { type: 'Polygon', coordinates: [ring] },
      properties: { rank: i + 1, score, areaSquareMeters, means: means[i]! },
    }
  })
  return { type: 'FeatureCollection', features }
}

async function siteMeans(
  assessment: Assessment,
  { sites, siteWidth, siteHeight }: SiteFrame,
  signal: AbortSignal | undefined,
  onProgress: ((fraction: number) => void) | undefined,
): Promise<Record<string, number>[]> {
  const { grid, sources } = assessment
  const sums = sites.map(() => sources.map(() => ({ sum: 0, count: 0 })))
  const rows = bandRows(grid)
  for (let row = 0; row < grid.height; row += rows) {
    const height = Math.min(rows, grid.height - row)
    const touched = [...sites.entries()].filter(([, site]) => site.row < row + height && site.row + siteHeight > row)
    if (touched.length === 0) continue
    await setImmediate()
    const band = await assessment.readBand(row, height, signal)
    for (const [i, site] of touched) {
      const [top, bottom] = [Math.max(site.row, row) - row, Math.min(site.row + siteHeight, row + height) - row]
      for (const [s, values] of band.values.entries()) {
        for (let y = top; y < bottom; y++) {
          const start = y * grid.width + site.column
          addFinite(values.subarray(start, start + siteWidth), sums[i]![s]!)
        }
      }
    }
    onProgress?.((row + height) / grid.height)
  }
  return sums.map((site) =>
    Object.fromEntries(sources.map(({ criterion }, s) => [criterion, site[s]!.sum / site[s]!.count])),
  )
}

function addFinite(values: Float64Array, total: { sum: number; count: number }): void {
  for (const value of values) {
    if (Number.isNaN(value)) continue
    total.sum += value
    total.count++
  }
}

function siteArea(grid: Grid, { row }: SiteCandidate, width: number, height: number): number {
  let area = 0
  for (let y = row; y < row + height; y++) area += width * cellAreaSquareMeters(grid, y)
  return area
}

function siteRing(grid: Grid, { row, column }: SiteCandidate, width: number, height: number): Point[] {
  const { originX, originY, cellWidth, cellHeight, crs } = grid
  const corner = (x: number, y: number) => crs.toLonLat([originX + x * cellWidth, originY - y * cellHeight])
  const [left, right, top, bottom] = [column, column + width, row, row + height]
  const corners = [corner(left, bottom), corner(right, bottom), corner(right, top), corner(left, top)]
  const near = corners[0]![0]
  const ring = corners.map(([lon, lat]): Point => [round(lon + 360 * Math.round((near - lon) / 360)), round(lat)])
  return [...ring, ring[0]!]
}

const round = (degrees: number) => Math.round(degrees * 1e7) / 1e7

function ringBounds(ring: Point[]): SiteFeature['bbox'] {
  const [lons, lats] = [ring.map(([lon]) => lon), ring.map(([, lat]) => lat)]
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)]
}
