import { join } from 'node:path'
import { type Assessment, type AssessmentOptions, openAssessment, verdicts } from './assessment.ts'
import { logAssessment } from './assessment-log.ts'
import { drawRegionPicture } from './assessment-pictures.ts'
import { assessmentTally, type RegionalSummary } from './assessment-tally.ts'
import { createGeoTiffWriter } from './geotiff-writer.ts'
import { maxMapSide } from './map-picture.ts'
import { writeBytes, writeJson } from './result-files.ts'
import { thumbnailBuilder } from './thumbnail.ts'

export interface RegionalResult {
  summary: RegionalSummary
  /** Names of the files written into `outDir`. */
  files: ['suitable.tif', 'preview.png', 'summary.json']
}

/**
 * Judges every cell of a region against the criteria, and writes a mask (`suitable.tif`: 1 suitable, 0 not, 255 no data),
 * a map (`preview.png`) and the figures (`summary.json`) into `outDir`.
 *
 * The mask lies on the grid of the layer with the smallest cells; see `openAssessment`. Rows are read and written in bands,
 * so memory does not grow with the height of the region.
 * @throws RasterError when the criteria do not fit the layers, or a layer cannot be read; what `signal` was aborted with
 */
export async function assessRegion(options: AssessmentOptions): Promise<RegionalResult> {
  const { criteria, outDir, signal, onProgress } = options
  await using assessment = await openAssessment(options)
  logAssessment(options.onLog, assessment)
  const { grid, sources } = assessment
  const tally = assessmentTally(grid, sources, criteria)
  const thumbnail = thumbnailBuilder(grid, maxMapSide)
  await using writer = await createMaskWriter(join(outDir, 'suitable.tif'), assessment)
  for await (const band of assessment.bands(signal)) {
    tally.add(band)
    thumbnail.add(band)
    await writer.writeRows(band.verdicts)
    onProgress?.((0.95 * (band.row + band.rows)) / grid.height)
  }
  await writer.close()
  const summary = tally.summary()
  options.onLog?.(`${summary.suitableCells} of ${summary.validCells} cells with data are suitable`)
  await writeBytes(outDir, 'preview.png', await drawRegionPicture(assessment, thumbnail.build(), summary))
  signal?.throwIfAborted()
  await writeJson(outDir, 'summary.json', summary)
  onProgress?.(1)
  return { summary, files: ['suitable.tif', 'preview.png', 'summary.json'] }
}

function createMaskWriter(path: string, { grid, reference }: Assessment) {
  const { width, height } = grid
  const georeference = { ...grid, geoKeys: reference.geoKeys }
  return createGeoTiffWriter(path, { width, height, dataType: 'Uint8', nodata: verdicts.noData, georeference })
}
