import { invalidRequest } from '../errors.ts'
import type { Ring } from './area.ts'
import { isOnOneLine, runsCounterclockwise } from './predicates.ts'

/** A ring as it is judged: without its closing position, and without those that repeat the one before. */
export interface Outline {
  xs: Float64Array
  ys: Float64Array
  isCounterclockwise: boolean
  isHole: boolean
  /** Outlines of one polygon have the same. */
  polygon: number
  /** The polygon of the request that it is of, or is a part of. */
  part: number
  /** To the ring in the request; to the polygon where the ring was cut. */
  pointer: string
  /** Where each vertex stands in the ring of the request; not there once it was cut. */
  positions: Uint32Array | undefined
}

/** Checks what can be said of a ring position by position. Throws `invalid_request` with a pointer to the fault. */
export function checkRing(ring: Ring, pointer: string): void {
  ring.forEach(([longitude, latitude], index) => {
    if (Math.abs(longitude!) > 180) throw invalidRequest(`${pointer}/${index}/0`, outOfRange(longitude!))
    if (Math.abs(latitude!) > 90) {
      throw invalidRequest(`${pointer}/${index}/1`, `A latitude lies between -90 and 90; this is ${latitude}.`)
    }
  })
  const [first, last] = [ring[0]!, ring.at(-1)!]
  if (first.length !== last.length || first.some((value, index) => value !== last[index])) {
    throw invalidRequest(
      `${pointer}/${ring.length - 1}`,
      `A ring is closed: its last position equals its first, which is ${first.join(', ')}.`,
    )
  }
}

function outOfRange(longitude: number): string {
  const rule = `A longitude lies between -180 and 180; this is ${longitude}.`
  if (Math.abs(longitude) > 540) return rule
  const wrapped = Number((longitude - Math.sign(longitude) * 360).toFixed(9))
  return `${rule} Past the antimeridian write ${wrapped}: an edge that is longer than 180 degrees is taken the short way round.`
}

/** `longitudes` stand for those of the ring where it was unrolled. Throws `invalid_request` if it encloses nothing. */
export function outlineOf(
  ring: Ring,
  longitudes: ArrayLike<number> | undefined,
  place: Pick<Outline, 'isHole' | 'polygon' | 'part' | 'pointer'>,
): Outline {
  const xs = new Float64Array(ring.length)
  const ys = new Float64Array(ring.length)
  const positions = new Uint32Array(ring.length)
  let count = 0
  for (let i = 0; i < ring.length - 1; i++) {
    const [x, y] = [longitudes ? longitudes[i]! : ring[i]![0]!, ring[i]![1]!]
    const isRepeated = count > 0 && x === xs[count - 1] && y === ys[count - 1]
    // An edge starts at the last of positions that are the same.
    if (isRepeated) count--
    xs[count] = x
    ys[count] = y
    positions[count++] = i
  }
  while (count > 1 && xs[count - 1] === xs[0] && ys[count - 1] === ys[0]) count--
  const vertices = { xs: xs.subarray(0, count), ys: ys.subarray(0, count), positions: positions.subarray(0, count) }
  if (isOnOneLine(vertices.xs, vertices.ys)) {
    throw invalidRequest(place.pointer, 'This ring encloses nothing: all its positions lie on one line.')
  }
  return { ...place, ...vertices, isCounterclockwise: runsCounterclockwise(vertices.xs, vertices.ys) }
}
