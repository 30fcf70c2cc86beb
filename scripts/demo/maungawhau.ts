import { readFile } from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import type { JobInput, PolygonWrite } from '../../sdk/index.ts'
import { maungawhauTerrain, writeTerrainGrid } from '../../src/rasters/terrain-grid.ts'

export const region = {
  name: 'maungawhau',
  title: 'Maungawhau',
  description: 'The highest of the volcanic cones of Auckland, Aotearoa New Zealand: 196 m, with a crater 50 m deep.',
}

/** The foot of the cone, in CRS84: it leaves out the shoulder to the north, which is as high and as gentle. */
export const outline: [longitude: number, latitude: number][] = [
  [174.7623, -36.8762],
  [174.7618, -36.8767],
  [174.7617, -36.8772],
  [174.762, -36.878],
  [174.7627, -36.8787],
  [174.7637, -36.8791],
  [174.7648, -36.8792],
  [174.7659, -36.8789],
  [174.7668, -36.8784],
  [174.7674, -36.8779],
  [174.7678, -36.8775],
  [174.7678, -36.8771],
  [174.7673, -36.877],
  [174.7669, -36.8767],
  [174.7666, -36.8762],
  [174.7666, -36.8755],
  [174.766, -36.8752],
  [174.7653, -36.8751],
  [174.7644, -36.8752],
  [174.7635, -36.8755],
  [174.7627, -36.8759],
  [174.7623, -36.8762],
]

export const cone: PolygonWrite = {
  name: 'The cone of Maungawhau',
  polygon: { type: 'Polygon', coordinates: [outline] },
}

/** High and gentle ground, on which one can stand and work. Slope is derived from elevation. */
export const criteria = { elevation: { min: 140 }, slope: { max: 15 } }

/** Plots of 30 m, of which six cells in ten must do. */
export const plots: Pick<JobInput<'SUITABILITY_ASSESSMENT'>, 'xDist' | 'yDist' | 'threshold'> = {
  xDist: 30,
  yDist: 30,
  threshold: 0.6,
}

/** The survey of the mountain that comes with vega-datasets, as a GeoTIFF. */
export async function writeElevation(path: string): Promise<void> {
  const survey = join(dirname(findPackageJSON('vega-datasets', import.meta.url)!), 'data/volcano.json')
  await writeTerrainGrid(path, maungawhauTerrain(JSON.parse(await readFile(survey, 'utf8'))))
}
