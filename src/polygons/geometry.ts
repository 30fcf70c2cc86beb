import type { components } from '../../generated/types.ts'
import { invalidRequest } from '../errors.ts'

type Schemas = components['schemas']
export type Area = Schemas['Area']
type Ring = Schemas['LinearRing']

const maxVertices = 200_000

/**
 * The area itself, out of whatever it came in, as RFC 7946 asks: rings closed and wound outward, positions in range, foreign members
 * left out. Throws `invalid_request` with a pointer to the fault.
 */
export function toArea(input: Schemas['AreaOrFeature'], pointer: string): Area {
  if (input.type === 'Feature') return toArea(input.geometry, `${pointer}/geometry`)
  const at = `${pointer}/coordinates`
  const vertices = (input.coordinates as unknown[]).flat(input.type === 'Polygon' ? 1 : 2).length
  if (vertices > maxVertices) throw invalidRequest(at, `An area has at most ${maxVertices} positions.`)
  if (input.type === 'Polygon') return { type: 'Polygon', coordinates: toRings(input.coordinates, at) }
  const polygons = input.coordinates.map((rings, index) => toRings(rings, `${at}/${index}`))
  return { type: 'MultiPolygon', coordinates: polygons }
}

/** The first ring runs counterclockwise, holes run clockwise (RFC 7946, section 3.1.6). */
function toRings(rings: Ring[], pointer: string): Ring[] {
  return rings.map((ring, index) => {
    checkRing(ring, `${pointer}/${index}`)
    const isCounterclockwise = doubledArea(ring) > 0
    return isCounterclockwise === (index === 0) ? ring : ring.toReversed()
  })
}

function checkRing(ring: Ring, pointer: string): void {
  ring.forEach(([longitude, latitude], index) => {
    if (Math.abs(longitude!) > 180)
      throw invalidRequest(`${pointer}/${index}/0`, 'A longitude lies between -180 and 180.')
    if (Math.abs(latitude!) > 90) throw invalidRequest(`${pointer}/${index}/1`, 'A latitude lies between -90 and 90.')
  })
  const [first, last] = [ring[0]!, ring.at(-1)!]
  if (first.length !== last.length || first.some((value, index) => value !== last[index])) {
    throw invalidRequest(`${pointer}/${ring.length - 1}`, 'A ring is closed: its last position equals its first.')
  }
  if (doubledArea(ring) === 0) throw invalidRequest(pointer, 'This ring encloses nothing.')
}

/** Twice the signed area in the plane (the shoelace formula); positive when counterclockwise. */
function doubledArea(ring: Ring): number {
  let sum = 0
  for (let i = 1; i < ring.length; i++) sum += ring[i - 1]![0]! * ring[i]![1]! - ring[i]![0]! * ring[i - 1]![1]!
  return sum
}
