import { RasterError } from './raster-error.ts'
import type { TiffDirectory } from './tiff-directory.ts'
import { tiffTags } from './tiff-layout.ts'

/** The three GeoTIFF tags as they stand in a file, so that a derived raster can carry them on unchanged. */
export interface GeoKeys {
  directory: number[]
  doubles: number[]
  ascii: string
}

/** Key numbers of OGC 19-008r4 (GeoTIFF 1.1) with the names that geotiff-geokeys-to-proj4 reads. */
const keyNames: Record<number, string> = {
  1024: 'GTModelTypeGeoKey',
  1025: 'GTRasterTypeGeoKey',
  1026: 'GTCitationGeoKey',
  2048: 'GeographicTypeGeoKey',
  2049: 'GeogCitationGeoKey',
  2050: 'GeogGeodeticDatumGeoKey',
  2051: 'GeogPrimeMeridianGeoKey',
  2052: 'GeogLinearUnitsGeoKey',
  2053: 'GeogLinearUnitSizeGeoKey',
  2054: 'GeogAngularUnitsGeoKey',
  2055: 'GeogAngularUnitSizeGeoKey',
  2056: 'GeogEllipsoidGeoKey',
  2057: 'GeogSemiMajorAxisGeoKey',
  2058: 'GeogSemiMinorAxisGeoKey',
  2059: 'GeogInvFlatteningGeoKey',
  2061: 'GeogPrimeMeridianLongGeoKey',
  2062: 'GeogTOWGS84GeoKey',
  3072: 'ProjectedCSTypeGeoKey',
  3073: 'PCSCitationGeoKey',
  3074: 'ProjectionGeoKey',
  3075: 'ProjCoordTransGeoKey',
  3076: 'ProjLinearUnitsGeoKey',
  3077: 'ProjLinearUnitSizeGeoKey',
  3078: 'ProjStdParallel1GeoKey',
  3079: 'ProjStdParallel2GeoKey',
  3080: 'ProjNatOriginLongGeoKey',
  3081: 'ProjNatOriginLatGeoKey',
  3082: 'ProjFalseEastingGeoKey',
  3083: 'ProjFalseNorthingGeoKey',
  3084: 'ProjFalseOriginLongGeoKey',
  3085: 'ProjFalseOriginLatGeoKey',
  3086: 'ProjFalseOriginEastingGeoKey',
  3087: 'ProjFalseOriginNorthingGeoKey',
  3088: 'ProjCenterLongGeoKey',
  3089: 'ProjCenterLatGeoKey',
  3090: 'ProjCenterEastingGeoKey',
  3091: 'ProjCenterNorthingGeoKey',
  3092: 'ProjScaleAtNatOriginGeoKey',
  3093: 'ProjScaleAtCenterGeoKey',
  3094: 'ProjAzimuthAngleGeoKey',
  3095: 'ProjStraightVertPoleLongGeoKey',
}

export type GeoKeyValues = Record<string, number | string | number[]>

/** Reads the GeoTIFF tags of a directory; undefined where it has none. */
export async function readGeoKeys(directory: TiffDirectory): Promise<GeoKeys | undefined> {
  if (!directory.has(tiffTags.geoKeyDirectory)) return undefined
  return {
    directory: await directory.numbers(tiffTags.geoKeyDirectory, 4096),
    doubles: await directory.numbers(tiffTags.geoDoubleParams, 4096),
    ascii: await directory.text(tiffTags.geoAsciiParams, 65_536),
  }
}

/**
 * The keys by name. Keys that are not about the horizontal coordinate system are left out.
 * @throws RasterError when a key points outside its parameters
 */
export function geoKeyValues({ directory, doubles, ascii }: GeoKeys): GeoKeyValues {
  const values: GeoKeyValues = {}
  for (let at = 4; at + 3 < directory.length && at < 4 + 4 * directory[3]!; at += 4) {
    const [key, location, count, value] = directory.slice(at, at + 4) as [number, number, number, number]
    const name = keyNames[key]
    if (!name) continue
    if (location === 0) values[name] = value
    else if (location === tiffTags.geoAsciiParams)
      values[name] = ascii.slice(value, value + count).replace(/\|?\0*$/, '')
    else if (location === tiffTags.geoDoubleParams) {
      const found = doubles.slice(value, value + count)
      if (found.length < count || count < 1)
        throw new RasterError('The file is damaged: its GeoTIFF keys are cut short.')
      values[name] = count === 1 ? found[0]! : found
    }
  }
  return values
}

/** GeoTIFF keys that say "this EPSG code, and coordinates are those of cell areas". */
export function epsgGeoKeys(epsg: number, isGeographic: boolean): GeoKeys {
  const model = isGeographic ? 2 : 1
  const crsKey = isGeographic ? 2048 : 3072
  return { directory: [1, 1, 0, 3, 1024, 0, 1, model, 1025, 0, 1, 1, crsKey, 0, 1, epsg], doubles: [], ascii: '' }
}

/** Whether coordinates in the file are those of cell centres (PixelIsPoint) rather than of their corners. */
export const isPixelPoint = (keys: GeoKeys) => geoKeyValues(keys).GTRasterTypeGeoKey === 2
