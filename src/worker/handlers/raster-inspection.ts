import type { JobHandler } from '../../../sdk/node.ts'
import { inspectRaster } from '../../rasters/inspection.ts'

/** Says of an uploaded raster what it is, or why it cannot serve as a layer. Either is a result; only trouble of ours is a failure. */
export const inspectRasterJob: JobHandler<'RASTER_INSPECTION'> = async (
  { input },
  { signal, progress, log, inputs, downloadInput },
) => {
  const [file] = await inputs()
  if (!file) throw new Error('The assignment names no file to inspect.')
  const path = await downloadInput(file.name)
  const inspection = await inspectRaster(path, { signal, onProgress: progress })
  log(`${input.region}/${input.layer} version ${input.version}: ${inspection.verdict}`)
  return inspection
}
