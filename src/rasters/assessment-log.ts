import type { Assessment } from './assessment.ts'

/** Says in words what is about to be assessed on what. */
export function logAssessment(onLog: ((message: string) => void) | undefined, { grid, sources }: Assessment): void {
  if (!onLog) return
  const system = grid.crs.epsg === undefined ? grid.crs.proj4 : `EPSG:${grid.crs.epsg}`
  onLog(`assessing ${grid.width} x ${grid.height} cells in ${system}`)
  for (const { criterion, layer, derivation } of sources) {
    if (derivation === 'slope') onLog(`${criterion} is derived from the layer ${layer}`)
  }
}
