import { type AssessmentBand, verdicts } from './assessment.ts'
import type { Grid } from './grid.ts'

/** A raster reduced to what fits on a picture: each pixel stands for `factor` x `factor` cells. */
export interface Thumbnail {
  width: number
  height: number
  factor: number
  /** Mean of the backdrop's cells with data; NaN where none has. */
  backdrop: Float32Array
  /** Share of the suitable among the valid cells, 0 to 1; NaN where none is valid. */
  suitability: Float32Array
}

export interface ThumbnailBuilder {
  add(band: AssessmentBand): void
  build(): Thumbnail
}

/** Collects the bands of an assessment into a thumbnail of at most `maxSide` pixels a side. */
export function thumbnailBuilder(grid: Grid, maxSide: number): ThumbnailBuilder {
  const factor = Math.ceil(Math.max(grid.width, grid.height) / maxSide)
  const [width, height] = [Math.ceil(grid.width / factor), Math.ceil(grid.height / factor)]
  const pixels = width * height
  const heightSums = new Float64Array(pixels)
  const heightCounts = new Uint32Array(pixels)
  const validCounts = new Uint32Array(pixels)
  const suitableCounts = new Uint32Array(pixels)

  function addCell(band: AssessmentBand, at: number, pixel: number) {
    const value = band.backdrop[at]!
    if (!Number.isNaN(value)) {
      heightSums[pixel]! += value
      heightCounts[pixel]!++
    }
    const verdict = band.verdicts[at]
    if (verdict !== verdicts.noData) validCounts[pixel]!++
    if (verdict === verdicts.suitable) suitableCounts[pixel]!++
  }

  return {
    add(band) {
      for (let y = 0, at = 0; y < band.rows; y++) {
        const line = Math.floor((band.row + y) / factor) * width
        for (let x = 0; x < grid.width; x++) addCell(band, at++, line + Math.floor(x / factor))
      }
    },
    build() {
      const share = (sums: Float64Array | Uint32Array, counts: Uint32Array) =>
        Float32Array.from(counts, (count, i) => (count === 0 ? Number.NaN : sums[i]! / count))
      const backdrop = share(heightSums, heightCounts)
      return { width, height, factor, backdrop, suitability: share(suitableCounts, validCounts) }
    },
  }
}
