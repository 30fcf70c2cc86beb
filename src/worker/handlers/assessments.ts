import { join } from 'node:path'
import { parse } from 'node:path/posix'
import type { JobContext, JobHandler, ResultFile } from '../../../sdk/node.ts'
import { assessRegion } from '../../rasters/regional-assessment.ts'
import { findSites } from '../../rasters/suitability-assessment.ts'

const contentTypes: Record<string, string> = {
  '.tif': 'image/tiff',
  '.png': 'image/png',
  '.json': 'application/json',
  '.geojson': 'application/geo+json',
}

export const assessRegionJob: JobHandler<'REGIONAL_ASSESSMENT'> = async ({ input }, context) => {
  const outDir = await context.workDir()
  const layers = await fetchLayers(context)
  const { summary, files } = await assessRegion({ layers, criteria: input.criteria, outDir, ...reporting(context) })
  await upload(context, outDir, files)
  return summary
}

export const findSitesJob: JobHandler<'SUITABILITY_ASSESSMENT'> = async ({ input }, context) => {
  const { criteria, xDist, yDist, threshold, polygon } = input
  const outDir = await context.workDir()
  const layers = await fetchLayers(context)
  const question = { layers, criteria, xDist, yDist, threshold, within: polygon }
  const { summary, files } = await findSites({ ...question, outDir, ...reporting(context) })
  await upload(context, outDir, files)
  return summary
}

/** What the computation tells goes to the job. The last stretch is left to the upload. */
const reporting = ({ signal, progress, log }: JobContext) => ({
  signal,
  onProgress: (fraction: number) => progress(fraction * 0.95),
  onLog: (message: string) => log(message),
})

/** The layers that the assignment may read, on disk, by name. */
async function fetchLayers(context: JobContext): Promise<Record<string, string>> {
  const layers: Record<string, string> = {}
  for (const { name } of await context.inputs()) {
    const layer = parse(name).name
    context.log(`Fetching layer ${layer}`)
    layers[layer] = await context.downloadInput(name)
  }
  return layers
}

async function upload(context: JobContext, outDir: string, names: readonly string[]): Promise<void> {
  const files: ResultFile[] = names.map((name) => ({
    name,
    path: join(outDir, name),
    contentType: contentTypes[parse(name).ext] ?? 'application/octet-stream',
  }))
  await context.uploadFiles(files)
}
