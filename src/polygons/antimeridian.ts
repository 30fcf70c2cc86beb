import { invalidRequest } from '../errors.ts'
import type { Ring } from './area.ts'

/**
 * The longitudes of a polygon's rings without a leap at the antimeridian, if an edge crosses it: that is one whose longitudes differ
 * by more than 180 degrees, and it is taken the short way round (RFC 7946, section 3.1.9). One between -180 and 180 is taken as it
 * stands, around the earth, unless the ring has other edges that cross. The outer ring begins in [-180, 180) with its westernmost
 * vertex. Throws `invalid_request` for a ring that runs around a pole.
 */
export function unrolledLongitudes(rings: readonly Ring[], pointer: string): Float64Array[] | undefined {
  if (!rings.some((ring) => ring.some((_, i) => i > 0 && isAcross(leap(ring, i))))) return undefined
  const unrolled = rings.map((ring, index) => unrolledRing(ring, `${pointer}/${index}`))
  const [west, east] = extentOf(unrolled[0]!)
  const turn = -360 * Math.floor((west + 180) / 360)
  return unrolled.map((longitudes, index) => {
    if (index === 0) return shifted(longitudes, turn)
    const [holeWest, holeEast] = extentOf(longitudes)
    // Where it is within the outer ring, or else as close to it as may be.
    const turns = [-720, -360, 0, 360, 720].map((by) => ({
      by,
      beyond: Math.max(west - holeWest - by, holeEast + by - east),
    }))
    const { by } = turns.reduce((best, next) => (next.beyond < best.beyond ? next : best))
    return shifted(longitudes, by + turn)
  })
}

const leap = (ring: Ring, index: number): number => ring[index]![0]! - ring[index - 1]![0]!

const isAcross = (difference: number): boolean => Math.abs(difference) > 180 && Math.abs(difference) < 360

function unrolledRing(ring: Ring, pointer: string): Float64Array {
  const crosses = ring.some((_, i) => i > 0 && isAcross(leap(ring, i)))
  const longitudes = new Float64Array(ring.length)
  let turn = 0
  ring.forEach(([longitude], index) => {
    const difference = index === 0 ? 0 : leap(ring, index)
    if (crosses && Math.abs(difference) > 180) turn -= 360 * Math.sign(difference)
    longitudes[index] = longitude! + turn
  })
  if (turn !== 0) throw invalidRequest(pointer, aroundPole)
  const [west, east] = extentOf(longitudes)
  if (east - west > 360) throw invalidRequest(pointer, aroundEarth)
  return longitudes
}

const aroundPole =
  'This ring runs around a pole: its edges cross the antimeridian an odd number of times. Cut it along the antimeridian and close it ' +
  'over the pole, as by 180, 90 and -180, 90 for the North Pole.'

const aroundEarth = 'This ring reaches around the earth more than once. Send its parts as polygons of a MultiPolygon.'

function extentOf(longitudes: Float64Array): [west: number, east: number] {
  let [west, east] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const longitude of longitudes) {
    west = Math.min(west, longitude)
    east = Math.max(east, longitude)
  }
  return [west, east]
}

const shifted = (longitudes: Float64Array, by: number): Float64Array => longitudes.map((longitude) => longitude + by)
