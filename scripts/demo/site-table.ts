import { readFile } from 'node:fs/promises'
import type { JobResult } from '../../sdk/index.ts'
import type { SiteCollection, SiteFeature } from '../../src/rasters/site-features.ts'
import type { Terminal } from './terminal.ts'

export const readSites = async (path: string): Promise<SiteCollection> => JSON.parse(await readFile(path, 'utf8'))

const columns: [title: string, cell: (site: SiteFeature) => string][] = [
  ['Rank', ({ properties }) => String(properties.rank)],
  ['Score', ({ properties }) => properties.score.toFixed(2)],
  ['Area m²', ({ properties }) => properties.areaSquareMeters.toFixed(0)],
  ['Elevation m', ({ properties }) => mean(properties.means.elevation)],
  ['Slope °', ({ properties }) => mean(properties.means.slope)],
  ['Centre longitude', ({ bbox: [west, , east] }) => ((west + east) / 2).toFixed(5)],
  ['latitude', ({ bbox: [, south, , north] }) => ((south + north) / 2).toFixed(5)],
]

/** Prints the sites, the best first, and what the search came to. */
export function showSites(
  { features }: SiteCollection,
  summary: JobResult<'SUITABILITY_ASSESSMENT'>,
  terminal: Terminal,
): void {
  const rows = [columns.map(([title]) => title), ...features.map((site) => columns.map(([, cell]) => cell(site)))]
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  terminal.line()
  for (const row of rows) terminal.line(`  ${row.map((cell, column) => cell.padStart(widths[column]!)).join('  ')}`)

  const { sites, suitableCells, validCells, suitableAreaSquareMeters, xDist, yDist, criteria } = summary
  terminal.line()
  terminal.line(`  ${sites} plots of ${Math.round(xDist)} x ${Math.round(yDist)} m that do not overlap`)
  terminal.line(
    `  ${suitableCells} of the ${validCells} cells within the outline will do, ${hectares(suitableAreaSquareMeters)}`,
  )
  for (const name of Object.keys(criteria).sort()) {
    terminal.line(`  ${percent(criteria[name]!.passRate)} of them meet the criterion on ${name} alone`)
  }
}

export const percent = (share: number) => `${(share * 100).toFixed(1)} %`
export const hectares = (squareMeters: number) => `${(squareMeters / 1e4).toFixed(2)} ha`
const mean = (value: number | undefined) => value?.toFixed(1) ?? ''
