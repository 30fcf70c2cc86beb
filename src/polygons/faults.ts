import { type AppError, invalidRequest } from '../errors.ts'
import type { Edges } from './edges.ts'
import type { Fault } from './meetings.ts'
import type { Outline } from './outline.ts'

/** A place where a ring meets itself. */
export function faultOfRing(edges: Edges, { kind, edges: pair, x, y }: Fault): AppError {
  const [a, b] = pair.toSorted((one, other) => positionOf(edges, one) - positionOf(edges, other)) as [number, number]
  const outline = outlineAt(edges, b)
  if (!outline.positions) return uncuttable(outline, placeName(x, y))
  const what = {
    crosses: 'crosses itself at',
    overlaps: 'runs along itself at',
    'turns back': 'turns back onto itself at',
  }[kind]
  const starts = `between the edges that start at positions ${positionOf(edges, a)} and ${positionOf(edges, b)}`
  return invalidRequest(pointerTo(edges, b), `The ring ${what} ${placeName(x, y)}: ${starts}.`)
}

/** A place where two rings meet that must not do it in this way. */
export function faultBetweenRings(edges: Edges, { kind, edges: pair, x, y }: Fault): AppError {
  const [a, b] = pair.toSorted((one, other) => one - other) as [number, number]
  const [one, other] = [outlineAt(edges, a), outlineAt(edges, b)]
  if (one.part === other.part && !other.positions) return uncuttable(other, placeName(x, y))
  const verb = kind === 'overlaps' ? 'run along each other' : 'cross'
  const detail =
    one.part === other.part
      ? `Two rings of a polygon ${verb} at ${placeName(x, y)}: ${edgeName(edges, a)} and ${edgeName(edges, b)}.${isPastAntimeridian(edges, a, b) ? shortWay : ''}`
      : `Polygons ${one.part} and ${other.part} overlap at ${placeName(x, y)}.`
  return invalidRequest(pointerTo(edges, b), detail)
}

/** Whether an outer ring ends at the antimeridian and the edge of a hole goes on behind it. */
function isPastAntimeridian({ outlines, outlineOf, xs, next }: Edges, outer: number, hole: number): boolean {
  const x = xs[outer]!
  const runsAlong = !outlines[outlineOf[outer]!]!.isHole && Math.abs(x) === 180 && xs[next[outer]!] === x
  return runsAlong && (Math.abs(xs[hole]!) > 180 || Math.abs(xs[next[hole]!]!) > 180)
}

const shortWay =
  ' An edge that is longer than 180 degrees is taken the short way round, here past the antimeridian, where the first ring ends; with a position in between it goes the long way.'

export function holeOutside(edges: Edges, ring: number): AppError {
  const { outline, at } = startOf(edges, ring)
  // It was inside before: in another hole, that the cut has made a part of the outer ring.
  if (!outline.positions) return uncuttable(outline, at)
  return invalidRequest(
    outline.pointer,
    `This hole is not inside its polygon: ${at} is outside the first ring. A polygon apart belongs into a MultiPolygon.`,
  )
}

export function polygonInPolygon(edges: Edges, ring: number, around: number): AppError {
  const { outline, at } = startOf(edges, ring)
  const { part } = edges.outlines[around]!
  return invalidRequest(
    outline.pointer,
    `Polygons ${part} and ${outline.part} overlap: the second lies in the first, as at ${at}.`,
  )
}

/**
 * Where the cutting itself does it. A hole on the antimeridian becomes a part of the outer ring, and what it touched elsewhere is then the
 * same ring, and what lay in it lies outside; or the new positions lie so close to others that numbers cannot tell them apart.
 */
const uncuttable = ({ pointer }: Outline, at: string): AppError =>
  invalidRequest(
    pointer,
    `This polygon crosses the antimeridian, and cannot be cut there: at ${at} its rings touch, lie in each other, or lie too close together. Cut it along the antimeridian, into a MultiPolygon.`,
  )

function startOf(edges: Edges, ring: number): { outline: Outline; at: string } {
  const first = edges.firstOf[ring]!
  return { outline: edges.outlines[ring]!, at: placeName(edges.xs[first]!, edges.ys[first]!) }
}

const outlineAt = ({ outlines, outlineOf }: Edges, edge: number): Outline => outlines[outlineOf[edge]!]!

/** Where the start of an edge stands in the ring of the request, or among what it was cut to. */
function positionOf(edges: Edges, edge: number): number {
  const vertex = edge - edges.firstOf[edges.outlineOf[edge]!]!
  return outlineAt(edges, edge).positions?.[vertex] ?? vertex
}

function pointerTo(edges: Edges, edge: number): string {
  const { pointer, positions } = outlineAt(edges, edge)
  return positions ? `${pointer}/${positionOf(edges, edge)}` : pointer
}

function edgeName(edges: Edges, edge: number): string {
  const ring = outlineAt(edges, edge).pointer.split('/').at(-1)
  return `the edge from position ${positionOf(edges, edge)} of ring ${ring}`
}

/** To nine decimals, a tenth of a millimetre, with the longitude brought back from where the ring was unrolled to. */
function placeName(x: number, y: number): string {
  const longitude = x > 180 ? x - 360 : x < -180 ? x + 360 : x
  return `${Number(longitude.toFixed(9))}, ${Number(y.toFixed(9))}`
}
