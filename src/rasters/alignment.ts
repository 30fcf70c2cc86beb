import { type Point, transformation } from './crs.ts'
import { centerX, centerY, type Grid, type GridWindow, isSameGrid, type RasterLayer } from './grid.ts'

/** Cells per side of the blocks that are brought over together. */
const blockSide = 64
/** How far, in source cells, an interpolated position may be from the exact one. */
const toleranceCells = 1 / 64
/** A block whose source is larger than this is halved until it is not, so that memory stays bounded. */
const maxSourceCells = 4_000_000
/** Keeps positions that are on a cell's edge but for rounding on one side of it. */
const epsilon = 1e-9

/**
 * A layer brought to another grid, of any coordinate system, by taking the nearest cell; cells outside the layer are no
 * data. Positions are computed exactly at the corners of blocks and interpolated between, wherever that is right to a
 * 64th of a cell; elsewhere blocks are halved, in the end to single cells.
 */
export function alignLayer(layer: RasterLayer, grid: Grid): RasterLayer {
  if (isSameGrid(layer.grid, grid)) return layer
  const locate = sourceLocator(grid, layer.grid)
  return {
    grid,
    async readWindow(window, signal) {
      const values = new Float64Array(window.width * window.height).fill(Number.NaN)
      for (const block of splitIntoBlocks(window)) {
        signal?.throwIfAborted()
        await fillBlock(layer, locate, block, window, values, signal)
      }
      return values
    },
  }
}

type Locate = (column: number, row: number) => Point

/** Finds the fractional column and row in the source grid of the centre of a target cell. */
function sourceLocator(target: Grid, source: Grid): Locate {
  const transform = transformation(target.crs, source.crs)
  const middle = source.originX + (source.width * source.cellWidth) / 2
  const turn = 360 / source.crs.unitScale
  return (column, row) => {
    const [x, y] = transform([centerX(target, column), centerY(target, row)])
    // Longitudes come with any number of turns; the one nearest the source is meant.
    const near = source.crs.isGeographic ? x + turn * Math.round((middle - x) / turn) : x
    return [(near - source.originX) / source.cellWidth, (source.originY - y) / source.cellHeight]
  }
}

function* splitIntoBlocks({ column, row, width, height }: GridWindow): Generator<GridWindow> {
  for (let y = 0; y < height; y += blockSide) {
    for (let x = 0; x < width; x += blockSide) {
      const size = { width: Math.min(blockSide, width - x), height: Math.min(blockSide, height - y) }
      yield { column: column + x, row: row + y, ...size }
    }
  }
}

async function fillBlock(
  layer: RasterLayer,
  locate: Locate,
  block: GridWindow,
  window: GridWindow,
  values: Float64Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const positions = interpolatedPositions(locate, block)
  const source = positions && sourceWindow(positions, layer.grid)
  if (!source || source.width * source.height > maxSourceCells) {
    for (const half of halve(block)) await fillBlock(layer, locate, half, window, values, signal)
    return
  }
  if (source.width < 1 || source.height < 1) return
  const cells = await layer.readWindow(source, signal)
  for (let y = 0; y < block.height; y++) {
    const to = (block.row - window.row + y) * window.width + block.column - window.column
    for (let x = 0; x < block.width; x++) {
      const at = 2 * (y * block.width + x)
      const column = Math.floor(positions[at]! + epsilon) - source.column
      const row = Math.floor(positions[at + 1]! + epsilon) - source.row
      const isInside = column >= 0 && row >= 0 && column < source.width && row < source.height
      if (isInside) values[to + x] = cells[row * source.width + column]!
    }
  }
}

function halve({ column, row, width, height }: GridWindow): GridWindow[] {
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)]
  return width >= height
    ? [
        { column, row, width: w, height },
        { column: column + w, row, width: width - w, height },
      ]
    : [
        { column, row, width, height: h },
        { column, row: row + h, width, height: height - h },
      ]
}

/** Interleaved source columns and rows of a block's cells, or undefined where interpolating would be wrong. */
function interpolatedPositions(locate: Locate, { column, row, width, height }: GridWindow): Float64Array | undefined {
  const [right, bottom] = [width - 1, height - 1]
  const at = (x: number, y: number) => locate(column + x, row + y)
  const [nw, ne, sw, se] = [at(0, 0), at(right, 0), at(0, bottom), at(right, bottom)]
  const between = (x: number, y: number, axis: 0 | 1) => {
    const [u, v] = [right === 0 ? 0 : x / right, bottom === 0 ? 0 : y / bottom]
    return (nw[axis] * (1 - u) + ne[axis] * u) * (1 - v) + (sw[axis] * (1 - u) + se[axis] * u) * v
  }
  const isRight = (x: number, y: number) => {
    const exact = at(x, y)
    // Where there is no such place, a block of one cell is right by itself; a larger one is looked at more closely.
    if (Number.isNaN(exact[0])) return width === 1 && height === 1
    return Math.hypot(between(x, y, 0) - exact[0], between(x, y, 1) - exact[1]) <= toleranceCells
  }
  const [midX, midY] = [right / 2, bottom / 2]
  const probes = [
    [midX, midY],
    [midX, 0],
    [midX, bottom],
    [0, midY],
    [right, midY],
  ] as const
  if (!probes.every(([x, y]) => isRight(x, y))) return undefined
  const positions = new Float64Array(2 * width * height)
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      positions[to++] = between(x, y, 0)
      positions[to++] = between(x, y, 1)
    }
  }
  return positions
}

/** The part of the source grid that the positions fall on; width or height 0 where there is none. */
function sourceWindow(positions: Float64Array, { width, height }: Grid): GridWindow {
  let [left, top, right, bottom] = [width, height, -1, -1]
  for (let at = 0; at < positions.length; at += 2) {
    const column = Math.floor(positions[at]! + epsilon)
    const row = Math.floor(positions[at + 1]! + epsilon)
    if (!(column >= 0 && row >= 0 && column < width && row < height)) continue
    if (column < left) left = column
    if (column > right) right = column
    if (row < top) top = row
    if (row > bottom) bottom = row
  }
  return { column: left, row: top, width: Math.max(0, right - left + 1), height: Math.max(0, bottom - top + 1) }
}
