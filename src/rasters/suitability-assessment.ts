import { type AssessmentBand, type AssessmentOptions, openAssessment, verdicts } from './assessment.ts'
import { logAssessment } from './assessment-log.ts'
import { drawSitesPicture } from './assessment-pictures.ts'
import { assessmentTally, type RegionalSummary } from './assessment-tally.ts'
import { CellBits } from './cell-bits.ts'
import { cellMeters, type Grid } from './grid.ts'
import { maxMapSide } from './map-picture.ts'
import type { PolygonGeometry } from './polygon-mask.ts'
import { RasterError } from './raster-error.ts'
import { writeBytes, writeJson } from './result-files.ts'
import { describeSites } from './site-features.ts'
import { searchSites } from './site-search.ts'
import { thumbnailBuilder } from './thumbnail.ts'

export interface SuitabilityOptions extends AssessmentOptions {
  /** Width (east-west) and height of a site in metres; rounded to whole cells, at least one. */
  xDist: number
  yDist: number
  /** The least share of suitable cells that makes a site, 0 to 1. A site without any suitable cell is none. */
  threshold: number
  /** Sites stay within: every cell of a site has its centre inside. */
  within?: PolygonGeometry | undefined
  /** 1,000 unless told. */
  maxSites?: number | undefined
}

export interface SuitabilitySummary extends RegionalSummary {
  sites: number
  /** Whether more sites would have followed beyond the most that are reported. */
  sitesTruncated: boolean
  bestScore?: number
  /** The size that was used, in metres at the middle row of the grid. */
  xDist: number
  yDist: number
  threshold: number
}

export interface SuitabilityResult {
  summary: SuitabilitySummary
  /** Names of the files written into `outDir`. */
  files: ['sites.geojson', 'sites.png', 'summary.json']
}

/**
 * Finds the best places for a rectangle of `xDist` x `yDist` metres, aligned with the grid: every position is scored by
 * its share of suitable cells (no data counts as not suitable), and the best that do not overlap are taken in turn, ties
 * from north to south, then west to east. Writes `sites.geojson`, `sites.png` and `summary.json` into `outDir`.
 *
 * The same inputs always give the same sites. Memory holds one bit per cell beside the bands that are read.
 * @throws RasterError when the criteria do not fit the layers, or a layer cannot be read; what `signal` was aborted with
 */
export async function findSites(options: SuitabilityOptions): Promise<SuitabilityResult> {
  const { criteria, outDir, signal, onProgress, onLog, threshold, maxSites = 1000 } = options
  checkOptions(options)
  await using assessment = await openAssessment(options, options.within)
  logAssessment(onLog, assessment)
  const { grid, sources } = assessment
  const tally = assessmentTally(grid, sources, criteria)
  const thumbnail = thumbnailBuilder(grid, maxMapSide)
  const suitable = new CellBits(grid.width, grid.height)
  const barred = options.within && new CellBits(grid.width, grid.height)
  for await (const band of assessment.bands(signal)) {
    tally.add(band)
    thumbnail.add(band)
    markSuitable(band, suitable)
    if (barred) markOutside(band, barred)
    onProgress?.((0.5 * (band.row + band.rows)) / grid.height)
  }
  const size = siteSize(grid, options)
  const { siteWidth, siteHeight } = size
  // A site larger than the grid is nowhere, and its cells may be more than can be counted.
  const fits = siteWidth <= grid.width && siteHeight <= grid.height
  const minimumCount = fits ? fewestSuitable(siteWidth * siteHeight, threshold) : Number.POSITIVE_INFINITY
  onLog?.(`searching sites of ${siteWidth} x ${siteHeight} cells with at least ${minimumCount} suitable ones`)
  const search = { suitable, barred, siteWidth, siteHeight, minimumCount, maxSites, signal }
  const { sites, truncated } = fits ? await searchSites(search) : { sites: [], truncated: false }
  onProgress?.(0.7)
  const frame = { sites, siteWidth, siteHeight }
  const steps = { signal, onProgress: (fraction: number) => onProgress?.(0.7 + 0.25 * fraction) }
  await writeJson(outDir, 'sites.geojson', await describeSites(assessment, frame, steps))
  const summary = {
    ...tally.summary(),
    sites: sites.length,
    sitesTruncated: truncated,
    ...(sites[0] ? { bestScore: sites[0].count / (siteWidth * siteHeight) } : {}),
    xDist: size.xDist,
    yDist: size.yDist,
    threshold,
  }
  onLog?.(`found ${sites.length} sites${truncated ? ', and more that are left out' : ''}`)
  await writeBytes(outDir, 'sites.png', await drawSitesPicture(assessment, thumbnail.build(), { summary, ...frame }))
  signal?.throwIfAborted()
  await writeJson(outDir, 'summary.json', summary)
  onProgress?.(1)
  return { summary, files: ['sites.geojson', 'sites.png', 'summary.json'] }
}

function checkOptions({ xDist, yDist, threshold }: SuitabilityOptions): void {
  if (!(xDist > 0 && yDist > 0)) throw new RasterError('The size of a site must be more than 0 metres.')
  if (!(threshold >= 0 && threshold <= 1)) throw new RasterError('The threshold must be between 0 and 1.')
}

function markSuitable({ row, rows, verdicts: cells }: AssessmentBand, suitable: CellBits): void {
  for (let y = 0, at = 0; y < rows; y++) {
    for (let x = 0; x < suitable.width; x++) if (cells[at++] === verdicts.suitable) suitable.set(x, row + y)
  }
}

function markOutside({ row, rows, inside }: AssessmentBand, barred: CellBits): void {
  for (let y = 0, at = 0; y < rows; y++) {
    for (let x = 0; x < barred.width; x++) if (inside![at++] === 0) barred.set(x, row + y)
  }
}

/** One size everywhere, in cells; in degrees it covers what is asked for at the middle row. */
function siteSize(grid: Grid, { xDist, yDist }: SuitabilityOptions) {
  const cell = cellMeters(grid, Math.floor(grid.height / 2))
  const siteWidth = Math.max(1, Math.round(xDist / cell.x))
  const siteHeight = Math.max(1, Math.round(yDist / cell.y))
  return { siteWidth, siteHeight, xDist: siteWidth * cell.x, yDist: siteHeight * cell.y }
}

/** The smallest count whose share reaches the threshold, by the very division that scores are computed with. */
function fewestSuitable(cells: number, threshold: number): number {
  let count = Math.max(1, Math.floor(threshold * cells) - 1)
  while (count / cells < threshold) count++
  return count
}
