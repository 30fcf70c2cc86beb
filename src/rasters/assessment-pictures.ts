import { type Canvas, createCanvas, type SKRSContext2D } from '@napi-rs/canvas'
import type { Assessment } from './assessment.ts'
import type { RegionalSummary } from './assessment-tally.ts'
import type { Criterion, CriterionSource } from './criteria.ts'
import { cellMeters, type Grid } from './grid.ts'
import { drawMapPicture, drawPixels, font, type MapFrame } from './map-picture.ts'
import { type Color, cssColor, mixColors, palette, rampColor, rampFor } from './palette.ts'
import { heightRange, shadeRelief } from './relief.ts'
import type { SiteCandidate } from './site-search.ts'
import type { Thumbnail } from './thumbnail.ts'

const numbers = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 })
const labelledSites = 40
const rankRadius = 11

/** The map of what is suitable: relief in grey, suitable cells in green. */
export async function drawRegionPicture(
  assessment: Assessment,
  thumbnail: Thumbnail,
  summary: RegionalSummary,
): Promise<Buffer> {
  const shade = shadeRelief({ ...thumbnail, heights: thumbnail.backdrop })
  const surface = paintPixels(thumbnail, (at) => {
    const share = thumbnail.suitability[at]!
    if (Number.isNaN(share)) return undefined
    const { unsuitable, suitable } = palette
    return shaded(mixColors(unsuitable, suitable, share === 0 ? 0 : 0.35 + 0.65 * share), shade[at]!)
  })
  return drawMapPicture({
    title: 'Regional assessment',
    subtitle: describeCriteria(assessment.sources, summary),
    grid: assessment.grid,
    legend: [
      { kind: 'swatch', label: 'Suitable', color: cssColor(palette.suitable) },
      { kind: 'swatch', label: 'Not suitable', color: cssColor(palette.unsuitable) },
      { kind: 'swatch', label: 'No data', color: palette.noData },
    ],
    facts: [...areaFacts(summary), ...passFacts(summary), ...gridFacts(assessment.grid)],
    paint: (context, frame) => drawPixels(context, frame, surface, thumbnail.factor, false),
  })
}

export interface SitesContent {
  summary: RegionalSummary & { xDist: number; yDist: number }
  sites: SiteCandidate[]
  siteWidth: number
  siteHeight: number
}

/** The map of the sites, by rank, over the coloured relief. */
export async function drawSitesPicture(
  assessment: Assessment,
  thumbnail: Thumbnail,
  { summary, sites, siteWidth, siteHeight }: SitesContent,
): Promise<Buffer> {
  const { backdropName, grid, mask } = assessment
  const range = heightRange(thumbnail.backdrop)
  const ramp = rampFor(backdropName)
  const [low, high] = range.map((value) => numbers.format(value)) as [string, string]
  return drawMapPicture({
    title: 'Suitability assessment',
    subtitle: describeCriteria(assessment.sources, summary),
    grid,
    legend: [
      { kind: 'swatch', label: `Site (${meters(summary.xDist)} x ${meters(summary.yDist)})`, ...siteColors },
      { kind: 'swatch', label: 'Suitable', color: cssColor(palette.suitable) },
      { kind: 'swatch', label: 'No data', color: palette.noData },
      ...(mask
        ? [{ kind: 'swatch', label: 'Searched area', color: '#ffffff', outline: palette.outline } as const]
        : []),
      { kind: 'ramp', label: backdropName, colors: ramp.map(cssColor), low, high },
    ],
    facts: [...siteFacts(sites, siteWidth * siteHeight), ...areaFacts(summary), ...gridFacts(grid)],
    paint(context, frame) {
      drawPixels(context, frame, paintRelief(thumbnail, range, ramp), thumbnail.factor, true)
      drawPixels(context, frame, paintSuitable(thumbnail), thumbnail.factor, false)
      if (mask) for (const outline of mask.outlines) strokeOutline(context, frame, outline)
      drawSites(context, frame, sites, siteWidth, siteHeight)
    },
  })
}

const siteColors = { color: 'rgba(255, 226, 163, 0.5)', outline: palette.site }

function paintPixels({ width, height }: Thumbnail, colorAt: (at: number) => readonly number[] | undefined): Canvas {
  const canvas = createCanvas(width, height)
  const context = canvas.getContext('2d')
  const image = context.createImageData(width, height)
  for (let at = 0; at < width * height; at++) {
    const color = colorAt(at)
    if (color) image.data.set([color[0]!, color[1]!, color[2]!, color[3] ?? 255], at * 4)
  }
  context.putImageData(image, 0, 0)
  return canvas
}

/** Flat ground keeps its colour; slopes to the sun are lighter, those away from it darker. */
function shaded(color: Color, light: number): Color {
  const strength = 0.52 + 0.66 * light
  return [Math.min(255, color[0] * strength), Math.min(255, color[1] * strength), Math.min(255, color[2] * strength)]
}

function paintRelief(thumbnail: Thumbnail, [low, high]: [number, number], ramp: readonly Color[]): Canvas {
  const shade = shadeRelief({ ...thumbnail, heights: thumbnail.backdrop })
  return paintPixels(thumbnail, (at) => {
    const value = thumbnail.backdrop[at]!
    if (Number.isNaN(value)) return undefined
    return shaded(rampColor(ramp, (value - low) / (high - low)), shade[at]!)
  })
}

function paintSuitable(thumbnail: Thumbnail): Canvas {
  return paintPixels(thumbnail, (at) => {
    const share = thumbnail.suitability[at]!
    return share > 0 ? [...palette.suitable, 60 + 110 * share] : undefined
  })
}

function strokeOutline(context: SKRSContext2D, frame: MapFrame, outline: readonly (readonly [number, number])[]): void {
  context.beginPath()
  for (const [column, row] of outline) context.lineTo(...frame.place(column, row))
  context.closePath()
  // Seen on dark ground too.
  context.strokeStyle = 'rgba(255, 255, 255, 0.75)'
  context.lineWidth = 4.5
  context.stroke()
  context.strokeStyle = palette.outline
  context.lineWidth = 2
  context.stroke()
}

function drawSites(
  context: SKRSContext2D,
  frame: MapFrame,
  sites: SiteCandidate[],
  width: number,
  height: number,
): void {
  context.fillStyle = siteColors.color
  for (const { row, column } of sites) {
    const [left, top] = frame.place(column, row)
    const [right, bottom] = frame.place(column + width, row + height)
    const box = [left, top, right - left, bottom - top] as const
    context.fillRect(...box)
    strokeBox(context, box, 'rgba(255, 255, 255, 0.85)', 3.5)
    strokeBox(context, box, palette.site, 1.75)
  }
  for (const { rank, at } of placeRanks(frame, sites, width, height)) drawRank(context, at, rank)
}

function strokeBox(
  context: SKRSContext2D,
  box: readonly [number, number, number, number],
  color: string,
  lineWidth: number,
): void {
  context.strokeStyle = color
  context.lineWidth = lineWidth
  context.strokeRect(...box)
}

/** The best sites whose numbers can be read: one that would cover a better one's goes without. */
function placeRanks(frame: MapFrame, sites: SiteCandidate[], width: number, height: number) {
  const placed: { rank: number; at: [number, number] }[] = []
  for (const [i, { row, column }] of sites.entries()) {
    const at = frame.place(column + width / 2, row + height / 2)
    const isCovered = placed.some(({ at: [x, y] }) => Math.hypot(x - at[0], y - at[1]) < 2 * rankRadius + 2)
    if (!isCovered) placed.push({ rank: i + 1, at })
    if (placed.length === labelledSites) break
  }
  return placed
}

function drawRank(context: SKRSContext2D, [x, y]: [number, number], rank: number): void {
  context.beginPath()
  context.arc(x, y, rankRadius, 0, 2 * Math.PI)
  context.fillStyle = palette.paper
  context.fill()
  context.strokeStyle = palette.site
  context.lineWidth = 2
  context.stroke()
  context.fillStyle = palette.ink
  context.font = font(12, 'bold')
  context.textAlign = 'center'
  context.fillText(String(rank), x, y + 4.5)
  context.textAlign = 'left'
}

function describeCriteria(sources: CriterionSource[], { criteria }: RegionalSummary): string {
  const units = { slope: '°', none: '' }
  return sources
    .map(({ criterion, derivation }) => describeBounds(criterion, criteria[criterion]!, units[derivation]))
    .join(', ')
}

function describeBounds(name: string, { min, max }: Criterion, unit: string): string {
  if (min !== undefined && max !== undefined) return `${name} ${minus(min)} to ${minus(max)}${unit}`
  if (min !== undefined) return `${name} at least ${minus(min)}${unit}`
  return max === undefined ? `${name} known` : `${name} at most ${minus(max)}${unit}`
}

const minus = (value: number) => String(value).replace('-', '−')

const percent = (share: number) => `${numbers.format(share * 100)} %`
const meters = (value: number) => `${numbers.format(value)} m`
const area = (squareMeters: number) =>
  squareMeters >= 1e6 ? `${numbers.format(squareMeters / 1e6)} km²` : `${numbers.format(squareMeters / 1e4)} ha`

function areaFacts({ suitableAreaSquareMeters, areaSquareMeters }: RegionalSummary): [string, string][] {
  const share = areaSquareMeters === 0 ? 0 : suitableAreaSquareMeters / areaSquareMeters
  return [
    ['Suitable area', area(suitableAreaSquareMeters)],
    ['Share of the known area', percent(share)],
  ]
}

const passFacts = ({ criteria }: RegionalSummary): [string, string][] =>
  Object.entries(criteria).map(([name, { passRate }]) => [`Meets ${name}`, percent(passRate)])

const siteFacts = (sites: SiteCandidate[], cells: number): [string, string][] => [
  ['Sites found', String(sites.length)],
  ...(sites.length > 0 ? [['Best score', percent(sites[0]!.count / cells)] as [string, string]] : []),
]

function gridFacts(grid: Grid): [string, string][] {
  const { x, y } = cellMeters(grid, Math.floor(grid.height / 2))
  const system = grid.crs.epsg === undefined ? (grid.crs.name ?? 'user-defined') : `EPSG:${grid.crs.epsg}`
  return [
    ['Cell size', `${meters(x)} x ${meters(y)}`],
    ['Coordinate system', system],
  ]
}
