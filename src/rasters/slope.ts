import { cellMeters, type GridWindow, type RasterLayer } from './grid.ts'

/**
 * The slope of a layer of heights or depths in metres: degrees from the horizontal, 0 to 90, by Horn's method (Horn 1981,
 * "Hill shading and the reflectance map", Proc. IEEE 69), on the same grid. No data where any of the nine cells has none,
 * so also along the edges. Cell sizes follow the latitude in geographic and Mercator systems.
 */
export function slopeLayer(heights: RasterLayer): RasterLayer {
  const { grid } = heights
  return {
    grid,
    async readWindow(window, signal) {
      const around = clip(
        {
          column: window.column - 1,
          row: window.row - 1,
          width: window.width + 2,
          height: window.height + 2,
        },
        grid,
      )
      const values = await heights.readWindow(around, signal)
      const slopes = new Float64Array(window.width * window.height)
      for (let y = 0; y < window.height; y++) {
        const size = cellMeters(grid, window.row + y)
        for (let x = 0; x < window.width; x++) {
          const [column, row] = [window.column + x - around.column, window.row + y - around.row]
          slopes[y * window.width + x] = hornSlope(values, around, column, row, size)
        }
      }
      return slopes
    },
  }
}

function clip({ column, row, width, height }: GridWindow, bounds: { width: number; height: number }): GridWindow {
  const [left, top] = [Math.max(0, column), Math.max(0, row)]
  const [right, bottom] = [Math.min(bounds.width, column + width), Math.min(bounds.height, row + height)]
  return { column: left, row: top, width: right - left, height: bottom - top }
}

function hornSlope(
  values: Float64Array,
  { width, height }: GridWindow,
  column: number,
  row: number,
  cell: { x: number; y: number },
): number {
  if (column < 1 || row < 1 || column > width - 2 || row > height - 2) return Number.NaN
  const at = row * width + column
  const north = at - width
  const south = at + width
  const [a, b, c] = [values[north - 1]!, values[north]!, values[north + 1]!]
  const [d, e, f] = [values[at - 1]!, values[at]!, values[at + 1]!]
  const [g, h, i] = [values[south - 1]!, values[south]!, values[south + 1]!]
  // The centre has no weight, but a slope where nothing was measured would be an invention.
  if (Number.isNaN(e)) return Number.NaN
  const eastward = (c + 2 * f + i - a - 2 * d - g) / (8 * cell.x)
  const southward = (g + 2 * h + i - a - 2 * b - c) / (8 * cell.y)
  return (Math.atan(Math.hypot(eastward, southward)) * 180) / Math.PI
}
