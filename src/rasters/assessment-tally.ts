import { type AssessmentBand, verdicts } from './assessment.ts'
import { type Criteria, type Criterion, type CriterionSource, meets } from './criteria.ts'
import { cellAreaSquareMeters, type Grid } from './grid.ts'

export interface RegionalSummary {
  /** Cells of the reference grid, or those of them within the polygon. */
  cells: number
  /** Cells that have data in every layer. */
  validCells: number
  suitableCells: number
  /** Ground area of the valid cells. */
  areaSquareMeters: number
  suitableAreaSquareMeters: number
  /** `passRate` is the share of the valid cells that meet the criterion by itself; 0 where none is valid. */
  criteria: Record<string, Criterion & { passRate: number }>
}

export interface AssessmentTally {
  add(band: AssessmentBand): void
  summary(): RegionalSummary
}

/** Counts cells and areas over the bands of an assessment. */
export function assessmentTally(grid: Grid, sources: CriterionSource[], criteria: Criteria): AssessmentTally {
  const totals = { cells: 0, validCells: 0, suitableCells: 0, areaSquareMeters: 0, suitableAreaSquareMeters: 0 }
  const bounds = sources.map(({ criterion }) => criteria[criterion]!)
  const passes = sources.map(() => 0)

  function addRow(band: AssessmentBand, y: number) {
    const [start, end] = [y * grid.width, (y + 1) * grid.width]
    let [valid, suitable] = [0, 0]
    for (let at = start; at < end; at++) {
      const verdict = band.verdicts[at]
      if (band.inside === undefined || band.inside[at] === 1) totals.cells++
      if (verdict === verdicts.noData) continue
      valid++
      if (verdict === verdicts.suitable) suitable++
      for (let i = 0; i < bounds.length; i++) if (meets(band.values[i]![at]!, bounds[i]!)) passes[i]!++
    }
    const cellArea = cellAreaSquareMeters(grid, band.row + y)
    totals.validCells += valid
    totals.suitableCells += suitable
    totals.areaSquareMeters += valid * cellArea
    totals.suitableAreaSquareMeters += suitable * cellArea
  }

  return {
    add(band) {
      for (let y = 0; y < band.rows; y++) addRow(band, y)
    },
    summary() {
      const rate = (i: number) => (totals.validCells === 0 ? 0 : passes[i]! / totals.validCells)
      const rated = sources.map(({ criterion }, i) => [criterion, { ...bounds[i], passRate: rate(i) }] as const)
      return { ...totals, criteria: Object.fromEntries(rated) }
    },
  }
}
