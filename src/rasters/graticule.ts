import type { SKRSContext2D } from '@napi-rs/canvas'
import type { Point } from './crs.ts'
import { cellMeters, type Grid } from './grid.ts'
import type { MapFrame } from './map-picture.ts'
import { palette } from './palette.ts'

const tickLength = 6

/** Draws a scale bar into the map, and longitudes and latitudes along its lower and left edge. */
export function drawGraticule(context: SKRSContext2D, frame: MapFrame, grid: Grid, font: string): void {
  context.font = font
  context.strokeStyle = palette.quietInk
  context.lineWidth = 1
  drawLongitudes(context, frame, grid)
  drawLatitudes(context, frame, grid)
  drawScaleBar(context, frame, grid)
}

function drawLongitudes(context: SKRSContext2D, frame: MapFrame, grid: Grid): void {
  const bottom = frame.top + frame.height
  context.textAlign = 'center'
  const lon = (share: number) => lonLatAt(grid, share * grid.width, grid.height)[0]
  for (const { share, value, step } of ticks(lon, frame.width / 130)) {
    const x = Math.round(frame.left + share * frame.width) + 0.5
    strokeLine(context, [x, bottom], [x, bottom + tickLength])
    context.fillStyle = palette.quietInk
    context.fillText(degrees(value, step, 'E', 'W'), x, bottom + tickLength + 14)
  }
  context.textAlign = 'left'
}

function drawLatitudes(context: SKRSContext2D, frame: MapFrame, grid: Grid): void {
  context.textAlign = 'right'
  const lat = (share: number) => lonLatAt(grid, 0, share * grid.height)[1]
  for (const { share, value, step } of ticks(lat, frame.height / 110)) {
    const y = Math.round(frame.top + share * frame.height) + 0.5
    strokeLine(context, [frame.left, y], [frame.left - tickLength, y])
    context.fillStyle = palette.quietInk
    context.fillText(degrees(value, step, 'N', 'S'), frame.left - tickLength - 4, y + 4)
  }
  context.textAlign = 'left'
}

function lonLatAt({ originX, originY, cellWidth, cellHeight, crs }: Grid, column: number, row: number): Point {
  return crs.toLonLat([originX + column * cellWidth, originY - row * cellHeight])
}

interface Tick {
  share: number
  value: number
  step: number
}

/** Round values along an edge, whose coordinate is near enough to linear for a label. */
function ticks(valueAt: (share: number) => number, wanted: number): Tick[] {
  const [start, end] = [valueAt(0), valueAt(1)]
  const span = Math.abs(end - start)
  if (!(span > 0 && span < 360)) return []
  const step = roundDown(span / Math.max(1, Math.floor(wanted))) || span
  const first = Math.ceil(Math.min(start, end) / step)
  const last = Math.floor(Math.max(start, end) / step)
  return Array.from({ length: Math.min(20, last - first + 1) }, (_, i) => {
    const value = (first + i) * step
    return { value, step, share: (value - start) / (end - start) }
  })
}

/** The largest of 1, 2 and 5 times a power of ten that is not above a positive value. */
export function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const factor = [5, 2, 1].find((candidate) => candidate * power <= value * 1.0000001) ?? 1
  return factor * power
}

function degrees(value: number, step: number, positive: string, negative: string): string {
  const turned = positive === 'E' && value > 180 ? value - 360 : value
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9))
  return `${Math.abs(turned).toFixed(digits)}°${turned < 0 ? negative : positive}`
}

function drawScaleBar(context: SKRSContext2D, frame: MapFrame, grid: Grid): void {
  const metersPerPixel = (cellMeters(grid, Math.floor(grid.height / 2)).x * grid.width) / frame.width
  const meters = roundDown(metersPerPixel * Math.min(180, frame.width * 0.4))
  const length = meters / metersPerPixel
  const [x, y] = [frame.left + 14, frame.top + frame.height - 16]
  const label = meters >= 1000 ? `${meters / 1000} km` : `${meters} m`
  context.fillStyle = 'rgba(255, 255, 255, 0.82)'
  context.fillRect(x - 8, y - 22, Math.max(length, context.measureText(label).width) + 16, 32)
  context.strokeStyle = palette.ink
  context.lineWidth = 2
  strokeLine(context, [x, y - 3], [x, y + 3])
  strokeLine(context, [x, y], [x + length, y])
  strokeLine(context, [x + length, y - 3], [x + length, y + 3])
  context.fillStyle = palette.ink
  context.fillText(label, x, y - 8)
}

function strokeLine(context: SKRSContext2D, [x0, y0]: Point, [x1, y1]: Point): void {
  context.beginPath()
  context.moveTo(x0, y0)
  context.lineTo(x1, y1)
  context.stroke()
}
