import geokeysToProj4 from 'geotiff-geokeys-to-proj4'
import proj4 from 'proj4'
import { datumShift } from './datum-shifts.ts'
import { type GeoKeys, type GeoKeyValues, geoKeyValues } from './geo-keys.ts'
import { RasterError } from './raster-error.ts'

export type Point = [x: number, y: number]

/** A horizontal coordinate system. Its coordinates are x (east or longitude) first, as GeoTIFF stores them. */
export interface Crs {
  epsg?: number
  name?: string
  proj4: string
  isGeographic: boolean
  /** Scale varies with latitude so strongly that cell sizes must be measured row by row. */
  isMercator: boolean
  /** Metres per unit of a projected system (feet: 0.3048…); degrees per unit of a geographic one. */
  unitScale: number
  /** To CRS84 longitude and latitude in degrees; NaN where there is no such place. */
  toLonLat(point: Point): Point
  /** From CRS84; in a geographic system the longitude keeps its turn (190 stays 190), NaN where undefined. */
  fromLonLat(point: Point): Point
}

const userDefined = 32767
const unknown = (why: string) => new RasterError(`The coordinate system of the file is not known here: ${why}.`)

/**
 * The coordinate system that a file's GeoTIFF keys describe.
 * @throws RasterError when the keys are incomplete, or name a system that cannot be computed with
 */
export function crsFromGeoKeys(keys: GeoKeys): Crs {
  const values = horizontalKeys(geoKeyValues(keys))
  const projected = values.ProjectedCSTypeGeoKey as number | undefined
  const geographic = values.GeographicTypeGeoKey as number | undefined
  if (projected === undefined && geographic === undefined) throw unknown('its GeoTIFF keys name none')
  const { proj4: definition, errors, coordinatesConversionParameters, isGCS } = geokeysToProj4.toProj4(values as never)
  const epsg = [projected ?? geographic].find((code) => code !== userDefined)
  if (Object.keys(errors).some((key) => key !== 'bothGCSAndPCSAreSet')) throw unknown(describe(epsg, values))
  if (projected !== undefined && isGCS) throw unknown('its projection is not described')
  const name = [values.PCSCitationGeoKey, values.GTCitationGeoKey, values.GeogCitationGeoKey].find(isName)
  return createCrs({ epsg, name, definition, scale: coordinatesConversionParameters.x })
}

/** The coordinate system of an EPSG code. @throws RasterError when the code is not known */
export function crsFromEpsg(epsg: number): Crs {
  const { proj4: definition, errors } = geokeysToProj4.toProj4({ ProjectedCSTypeGeoKey: epsg } as never)
  if (Object.keys(errors).length > 0) throw unknown(`EPSG:${epsg}`)
  return createCrs({ epsg, definition, scale: 1 })
}

/** A function from one system's coordinates to another's; NaN where a place has none. Identity within one system. */
export function transformation(from: Crs, to: Crs): (point: Point) => Point {
  if (from.proj4 === to.proj4 && from.unitScale === to.unitScale) return (point) => point
  return (point) => to.fromLonLat(from.toLonLat(point))
}

/** What the library needs and nothing that misleads it. */
function horizontalKeys(values: GeoKeyValues): GeoKeyValues {
  const keys = { ...values }
  if (keys.ProjectedCSTypeGeoKey === 0) delete keys.ProjectedCSTypeGeoKey
  if (keys.GeographicTypeGeoKey === 0) delete keys.GeographicTypeGeoKey
  const projected = keys.ProjectedCSTypeGeoKey
  if (projected === undefined || projected === userDefined) return keys
  // A full code says everything. Beside it the library would prefer the base system, and apply the unit twice.
  const { GTCitationGeoKey, PCSCitationGeoKey, GeogCitationGeoKey } = keys
  const citations = { GTCitationGeoKey, PCSCitationGeoKey, GeogCitationGeoKey }
  return Object.assign({ ProjectedCSTypeGeoKey: projected }, citations as GeoKeyValues)
}

const isName = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''

const describe = (epsg: number | undefined, { GTCitationGeoKey }: GeoKeyValues) =>
  epsg === undefined ? `user-defined${isName(GTCitationGeoKey) ? ` ("${GTCitationGeoKey}")` : ''}` : `EPSG:${epsg}`

interface Definition {
  epsg?: number | undefined
  name?: string | undefined
  definition: string
  scale: number
}

function createCrs({ epsg, name, definition, scale }: Definition): Crs {
  const text = correct(definition, epsg)
  const isGeographic = text.includes('+proj=longlat')
  if (text.includes('+proj=geocent')) throw unknown('it is geocentric')
  const converter = createConverter(text)
  const toMeter = Number(/\+to_meter=(\S+)/.exec(text)?.[1] ?? 1)
  return {
    ...(epsg === undefined ? {} : { epsg }),
    ...(name === undefined ? {} : { name }),
    proj4: text,
    isGeographic,
    isMercator: text.includes('+proj=merc'),
    unitScale: scale * toMeter,
    toLonLat: ([x, y]) => keepTurn(convert(converter.inverse, [x * scale, y * scale]), isGeographic ? x * scale : 0),
    fromLonLat([lon, lat]) {
      const [x, y] = convert(converter.forward, [lon, lat])
      const [turned] = isGeographic ? keepTurn([x, y], lon) : [x]
      return [turned / scale, y / scale]
    },
  }
}

function correct(definition: string, epsg: number | undefined): string {
  // The axis order is that of the register; GeoTIFF always stores east first.
  let text = definition.replace(/\+axis=(?:en|ne)u? ?/, '').trim()
  const shift = datumShift(epsg)
  if (shift) text = `${text.replace(/ ?\+towgs84=\S+/, '')} +towgs84=${shift}`
  // Polar stereographic systems come without the pole, which then would be the equator.
  const standardParallel = /\+proj=stere .*\+lat_ts=(-?)/.exec(text)
  if (standardParallel && !text.includes('+lat_0=')) text += ` +lat_0=${standardParallel[1]}90`
  return text
}

function createConverter(definition: string) {
  try {
    return proj4(definition)
  } catch (cause) {
    throw new RasterError(`The coordinate system of the file cannot be computed with: ${definition}.`, { cause })
  }
}

/** proj4 throws on coordinates that it cannot handle; here they are places that do not exist. */
function convert(project: (point: Point) => Point, point: Point): Point {
  try {
    const [x, y] = project(point)
    return Number.isFinite(x) && Number.isFinite(y) ? [x, y] : [Number.NaN, Number.NaN]
  } catch {
    return [Number.NaN, Number.NaN]
  }
}

/** proj4 wraps longitudes into -180..180; a raster that runs from 0 to 360 needs them near its own. */
function keepTurn([lon, lat]: Point, near: number): Point {
  return near === 0 ? [lon, lat] : [lon + 360 * Math.round((near - lon) / 360), lat]
}
