import { createRequire } from 'node:module'
import { type Canvas, createCanvas, GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas'
import { drawGraticule } from './graticule.ts'
import { cellMeters, type Grid } from './grid.ts'
import { palette } from './palette.ts'

const require = createRequire(import.meta.url)
GlobalFonts.registerFromPath(require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'), 'Map')
GlobalFonts.registerFromPath(require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'), 'Map Bold')

export const font = (size: number, weight: 'plain' | 'bold' = 'plain') =>
  `${size}px "${weight === 'bold' ? 'Map Bold' : 'Map'}"`

/** The longer side of the map itself, in pixels; rasters are reduced to this. */
export const maxMapSide = 840

export type LegendEntry =
  | { kind: 'swatch'; label: string; color: string; outline?: string }
  | { kind: 'ramp'; label: string; colors: string[]; low: string; high: string }

export interface MapContent {
  title: string
  subtitle: string
  grid: Grid
  legend: LegendEntry[]
  /** Short lines of label and value beside the map. */
  facts: [label: string, value: string][]
  /** Draws the map; the context is clipped to it, and `place` says where a fractional column and row of cells are. */
  paint(context: SKRSContext2D, frame: MapFrame): void
}

export interface MapFrame {
  left: number
  top: number
  width: number
  height: number
  place(column: number, row: number): [x: number, y: number]
}

const margin = 32
const headerHeight = 92
const footerHeight = 58
const leftLabels = 58
const panelWidth = 264
const minMapWidth = 300

/** Draws a titled map with a graticule, a scale bar, a legend and facts, and encodes it as PNG. */
export async function drawMapPicture(content: MapContent): Promise<Buffer> {
  const size = mapSize(content.grid)
  const frame = frameAt(margin + leftLabels, headerHeight, size, content.grid)
  const width = frame.left + Math.max(size.width, minMapWidth) + margin + panelWidth + margin
  const canvas = createCanvas(width, headerHeight + Math.max(size.height, panelHeight(content)) + footerHeight)
  const context = canvas.getContext('2d')
  context.fillStyle = palette.paper
  context.fillRect(0, 0, canvas.width, canvas.height)
  drawHeader(context, content, canvas.width - 2 * margin)
  drawMap(context, content, frame)
  drawPanel(context, content, frame.left + Math.max(size.width, minMapWidth) + margin)
  return canvas.encode('png')
}

/** Draws a picture of pixels over a map frame: smoothly where it is a surface, sharply where it is cells. */
export function drawPixels(context: SKRSContext2D, frame: MapFrame, pixels: Canvas, factor: number, isSmooth: boolean) {
  const [right, bottom] = frame.place(pixels.width * factor, pixels.height * factor)
  context.imageSmoothingEnabled = isSmooth
  context.imageSmoothingQuality = 'high'
  context.drawImage(pixels, frame.left, frame.top, right - frame.left, bottom - frame.top)
}

/** As large as fits, in the true proportions of the middle row's cells, and never thinner than can be seen. */
function mapSize(grid: Grid): { width: number; height: number } {
  const cell = cellMeters(grid, Math.floor(grid.height / 2))
  const aspect = cell.y / cell.x || 1
  const zoom = maxMapSide / Math.max(grid.width, grid.height * aspect)
  return {
    width: Math.max(8, Math.round(grid.width * zoom)),
    height: Math.max(8, Math.round(grid.height * aspect * zoom)),
  }
}

function frameAt(
  left: number,
  top: number,
  { width, height }: { width: number; height: number },
  grid: Grid,
): MapFrame {
  const place = (column: number, row: number): [number, number] => [
    left + (column / grid.width) * width,
    top + (row / grid.height) * height,
  ]
  return { left, top, width, height, place }
}

function drawHeader(context: SKRSContext2D, { title, subtitle }: MapContent, maxWidth: number): void {
  context.fillStyle = palette.ink
  context.font = font(24, 'bold')
  context.fillText(title, margin, 44, maxWidth)
  context.fillStyle = palette.quietInk
  context.font = font(14)
  context.fillText(shorten(context, subtitle, maxWidth), margin, 70)
}

function shorten(context: SKRSContext2D, text: string, maxWidth: number): string {
  if (context.measureText(text).width <= maxWidth) return text
  let length = text.length
  while (length > 0 && context.measureText(`${text.slice(0, length)}…`).width > maxWidth) length--
  return `${text.slice(0, length)}…`
}

function drawMap(context: SKRSContext2D, { grid, paint }: MapContent, frame: MapFrame): void {
  const { left, top, width, height } = frame
  context.save()
  context.beginPath()
  context.rect(left, top, width, height)
  context.clip()
  context.fillStyle = palette.noData
  context.fillRect(left, top, width, height)
  paint(context, frame)
  context.restore()
  context.strokeStyle = palette.frame
  context.lineWidth = 1
  context.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1)
  drawGraticule(context, frame, grid, font(11))
}

const legendHeights = { swatch: 28, ramp: 70 }
const factHeight = 46

function panelHeight({ legend, facts }: MapContent): number {
  return legend.reduce((height, { kind }) => height + legendHeights[kind], 22) + facts.length * factHeight
}

function drawPanel(context: SKRSContext2D, { legend, facts }: MapContent, left: number): void {
  let y = headerHeight + 12
  for (const entry of legend) y = drawLegendEntry(context, entry, left, y)
  y += 10
  for (const [label, value] of facts) {
    context.fillStyle = palette.quietInk
    context.font = font(12)
    context.fillText(label, left, y, panelWidth)
    context.fillStyle = palette.ink
    context.font = font(15, 'bold')
    context.fillText(value, left, y + 20, panelWidth)
    y += factHeight
  }
}

function drawLegendEntry(context: SKRSContext2D, entry: LegendEntry, left: number, top: number): number {
  if (entry.kind === 'ramp') return drawRamp(context, entry, left, top)
  context.fillStyle = entry.color
  context.fillRect(left, top - 11, 22, 16)
  context.lineWidth = entry.outline ? 2 : 1
  context.strokeStyle = entry.outline ?? palette.frame
  context.strokeRect(left + 0.5, top - 10.5, 21, 15)
  context.fillStyle = palette.ink
  context.font = font(13)
  context.fillText(entry.label, left + 32, top + 2, panelWidth - 32)
  return top + legendHeights.swatch
}

function drawRamp(context: SKRSContext2D, entry: LegendEntry & { kind: 'ramp' }, left: number, top: number): number {
  context.fillStyle = palette.ink
  context.font = font(13)
  context.fillText(entry.label, left, top + 2, panelWidth)
  const gradient = context.createLinearGradient(left, 0, left + panelWidth, 0)
  for (const [i, color] of entry.colors.entries()) gradient.addColorStop(i / (entry.colors.length - 1), color)
  context.fillStyle = gradient
  context.fillRect(left, top + 12, panelWidth, 14)
  context.fillStyle = palette.quietInk
  context.font = font(12)
  context.fillText(entry.low, left, top + 42)
  context.textAlign = 'right'
  context.fillText(entry.high, left + panelWidth, top + 42)
  context.textAlign = 'left'
  return top + legendHeights.ramp
}
