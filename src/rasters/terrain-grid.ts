import { crsFromEpsg } from './crs.ts'
import { createGeoTiffWriter } from './geotiff-writer.ts'

/** Plain numbers on a north-up grid: row-major, the north-west cell first. */
export interface TerrainGrid {
  width: number
  height: number
  values: readonly number[]
  /** The north-west corner and the cell size, in the units of the EPSG code's system. */
  originX: number
  originY: number
  cellSize: number
  epsg: number
}

/** Writes a terrain grid as a Float32 GeoTIFF. @throws RasterError when the EPSG code is not known */
export async function writeTerrainGrid(path: string, terrain: TerrainGrid): Promise<void> {
  const { width, height, values, originX, originY, cellSize, epsg } = terrain
  if (values.length !== width * height) throw new RangeError(`${values.length} values for ${width} x ${height} cells`)
  const { isGeographic } = crsFromEpsg(epsg)
  const georeference = { originX, originY, cellWidth: cellSize, cellHeight: cellSize, epsg, isGeographic }
  await using writer = await createGeoTiffWriter(path, { width, height, dataType: 'Float32', georeference })
  await writer.writeRows(values)
  await writer.close()
}

/**
 * Puts the elevation grid of Maungawhau (Mt Eden, Auckland) on the map: vega-datasets' `volcano.json`, which is R's
 * `volcano` as R draws it, 87 x 61 cells of 10 m in the New Zealand Map Grid (EPSG:27200).
 *
 * R says that its rows run from east to west and its columns from south to north: the picture's x runs north, its y (which
 * here counts downwards) east. So north is up after a quarter turn to the left.
 */
export function maungawhauTerrain(picture: { width: number; height: number; values: readonly number[] }): TerrainGrid {
  const [width, height] = [picture.height, picture.width]
  const values = Array.from({ length: width * height }, (_, at) => {
    const [row, column] = [Math.floor(at / width), at % width]
    return picture.values[column * picture.width + (height - 1 - row)]!
  })
  return { width, height, values, originX: 2667400, originY: 6479575, cellSize: 10, epsg: 27200 }
}
