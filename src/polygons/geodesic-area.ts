import geographiclib from 'geographiclib-geodesic'
import type { Ring } from './area.ts'
import { cost, type Work } from './work.ts'

const { Geodesic } = geographiclib
const wgs84 = Geodesic.WGS84
const polarRadius = wgs84.a * (1 - wgs84.f)
const eccentricity = Math.sqrt(wgs84.f * (2 - wgs84.f))

/** As long as this, an edge is not taken for a geodesic: that would run over a pole, or the other way round the earth. */
const halfwayRound = 180

/** Of Gauss-Legendre quadrature with ten nodes, those above the middle (DLMF, table 3.5.2): exact here to sixteen digits. */
const nodes = [
  [0.148_874_338_981_631_22, 0.295_524_224_714_752_87],
  [0.433_395_394_129_247_2, 0.269_266_719_309_996_35],
  [0.679_409_568_299_024_4, 0.219_086_362_515_982_04],
  [0.865_063_366_688_984_5, 0.149_451_349_150_580_6],
  [0.973_906_528_517_171_7, 0.066_671_344_308_688_14],
] as const

/**
 * Square metres on the WGS84 ellipsoid, edges being geodesics (Karney 2013, "Algorithms for geodesics", section 6). Edges of 180 degrees
 * of longitude or more are straight lines in longitude and latitude. Longitudes may go on past 180.
 */
export async function geodesicArea(polygons: readonly Ring[][], work: Work): Promise<number> {
  let sum = 0
  for (const [outer, ...holes] of polygons) {
    let area = await ringArea(outer!, work)
    for (const hole of holes) area -= await ringArea(hole, work)
    sum += Math.max(0, area)
  }
  return sum
}

/**
 * The sum of what lies between each edge and the equator. A ring stays in the plane of longitude and latitude and comes back to its
 * first longitude, so this needs no correction for the poles (GeographicLib's PolygonArea could not tell the whole earth from nothing).
 */
async function ringArea(ring: Ring, work: Work): Promise<number> {
  let [sum, lost] = [0, 0]
  for (let i = 1; i < ring.length; i++) {
    const [[fromX, fromY], [toX, toY]] = [ring[i - 1]!, ring[i]!]
    const isLong = Math.abs(toX! - fromX!) >= halfwayRound
    // Neumaier's summation: what lies between edges and the equator is far more than what they enclose.
    const term = (isLong ? areaUnderLine : areaUnderGeodesic)(fromX!, fromY!, toX!, toY!)
    const next = sum + term
    lost += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum
    sum = next
    work.spend(cost.geodesic)
    if (work.isLong()) await work.breathe()
  }
  return Math.abs(sum + lost)
}

const areaUnderGeodesic = (x0: number, y0: number, x1: number, y1: number): number =>
  wgs84.Inverse(y0, x0, y1, x1, Geodesic.AREA).S12!

function areaUnderLine(x0: number, y0: number, x1: number, y1: number): number {
  const [middle, half] = [(y0 + y1) / 2, (y1 - y0) / 2]
  let mean = 0
  for (const [node, weight] of nodes)
    mean += (weight / 2) * (areaToEquator(middle - half * node) + areaToEquator(middle + half * node))
  return radians(x1 - x0) * mean
}

/** Square metres between the equator and a parallel, for each radian of longitude (Snyder 1987, equation 3-12). */
function areaToEquator(latitude: number): number {
  const sine = Math.sin(radians(latitude))
  const [e, q] = [eccentricity, eccentricity * sine]
  return (polarRadius ** 2 / 2) * (sine / (1 - q * q) + Math.atanh(q) / e)
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180
