import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { crsFromEpsg } from '../../src/rasters/crs.ts'
import { createGeoTiffWriter, type WritableDataType } from '../../src/rasters/geotiff-writer.ts'
import type { Grid } from '../../src/rasters/grid.ts'

/** A folder that goes away with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fieldstation-rasters-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/** mulberry32: the same "random" numbers in every run. */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export const nodata = -9999

export interface TestRaster {
  width: number
  height: number
  values: number[]
  epsg?: number
  originX?: number
  originY?: number
  cellWidth?: number
  cellHeight?: number
  dataType?: WritableDataType
}

/** Terrain with a few holes, whole numbers so that float storage is exact. */
export function randomTerrain(seed: number, width: number, height: number, holes = 0.05): number[] {
  const random = randomNumbers(seed)
  return Array.from({ length: width * height }, () => (random() < holes ? nodata : Math.floor(random() * 20)))
}

/** UTM 55S, 10 m cells at Davies Reef, unless told otherwise. */
export const gridOf = (raster: TestRaster): Grid => ({
  width: raster.width,
  height: raster.height,
  originX: raster.originX ?? 560_000,
  originY: raster.originY ?? 7_916_000,
  cellWidth: raster.cellWidth ?? 10,
  cellHeight: raster.cellHeight ?? raster.cellWidth ?? 10,
  crs: crsFromEpsg(raster.epsg ?? 32755),
})

export async function writeRaster(path: string, raster: TestRaster): Promise<string> {
  const { width, height, dataType = 'Float32' } = raster
  const grid = gridOf(raster)
  const georeference = { ...grid, epsg: raster.epsg ?? 32755, isGeographic: grid.crs.isGeographic }
  const writer = await createGeoTiffWriter(path, { width, height, dataType, nodata, georeference, tileSize: 16 })
  await writer.writeRows(raster.values)
  await writer.close()
  return path
}

const gdal = spawnSync('gdalinfo', ['--version'])
/** Why tests that ask GDAL are skipped here; undefined where it is installed. */
export const gdalAbsence = gdal.status === 0 ? undefined : 'gdalinfo is not installed (apt-get install gdal-bin)'

export function runGdal(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
  return stdout
}
