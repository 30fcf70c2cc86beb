import type { Edges } from './edges.ts'
import { type Sector, sectorsOverlap, side } from './predicates.ts'

/** A place where outlines do what they must not. `edges`: the two that do it. */
export interface Fault {
  kind: 'crosses' | 'overlaps' | 'turns back'
  edges: [number, number]
  x: number
  y: number
}

/** How two edges meet. `startOfA`, `startOfB`: the start of that edge lies on the other one, and not at its end. */
interface Meeting {
  kind: 'crosses' | 'touches' | 'overlaps'
  x: number
  y: number
  startOfA: boolean
  startOfB: boolean
}

/** How an edge and the one that follows it fold onto each other, if they do. Exact. */
export function foldingAt({ xs, ys, next }: Edges, a: number): Fault | undefined {
  const b = next[a]!
  const end = next[b]!
  const [x, y] = [xs[b]!, ys[b]!]
  if (side(xs[a]!, ys[a]!, x, y, xs[end]!, ys[end]!) !== 0) return undefined
  const isBack = Math.sign(xs[a]! - x) === Math.sign(xs[end]! - x) && Math.sign(ys[a]! - y) === Math.sign(ys[end]! - y)
  return isBack ? { kind: 'turns back', edges: [a, b], x, y } : undefined
}

/** How two edges meet that do not follow each other in one outline, if they do. Exact, but for where they cross. */
export function meetingOf({ xs, ys, next }: Edges, a: number, b: number): Meeting | undefined {
  const [aEnd, bEnd] = [next[a]!, next[b]!]
  const [ax, ay, aEndX, aEndY] = [xs[a]!, ys[a]!, xs[aEnd]!, ys[aEnd]!]
  const [bx, by, bEndX, bEndY] = [xs[b]!, ys[b]!, xs[bEnd]!, ys[bEnd]!]
  const b0 = side(ax, ay, aEndX, aEndY, bx, by)
  const b1 = side(ax, ay, aEndX, aEndY, bEndX, bEndY)
  if ((b0 > 0 && b1 > 0) || (b0 < 0 && b1 < 0)) return undefined
  const a0 = side(bx, by, bEndX, bEndY, ax, ay)
  const a1 = side(bx, by, bEndX, bEndY, aEndX, aEndY)
  if ((a0 > 0 && a1 > 0) || (a0 < 0 && a1 < 0)) return undefined

  if (b0 !== 0 && b1 !== 0 && a0 !== 0 && a1 !== 0) {
    const share = b0 / (b0 - b1)
    const [x, y] = [bx + (bEndX - bx) * share, by + (bEndY - by) * share]
    return { kind: 'crosses', x, y, startOfA: false, startOfB: false }
  }
  const isOnA = (x: number, y: number) => isBetween(ax, aEndX, x) && isBetween(ay, aEndY, y)
  const isOnB = (x: number, y: number) => isBetween(bx, bEndX, x) && isBetween(by, bEndY, y)
  const shared: [number, number][] = []
  if (b0 === 0 && isOnA(bx, by)) shared.push([bx, by])
  if (b1 === 0 && isOnA(bEndX, bEndY)) shared.push([bEndX, bEndY])
  if (a0 === 0 && isOnB(ax, ay)) shared.push([ax, ay])
  if (a1 === 0 && isOnB(aEndX, aEndY)) shared.push([aEndX, aEndY])
  if (shared.length === 0) return undefined
  const [[x, y]] = shared as [[number, number]]
  return {
    kind: shared.some(([otherX, otherY]) => otherX !== x || otherY !== y) ? 'overlaps' : 'touches',
    x,
    y,
    startOfA: a0 === 0 && isOnB(ax, ay) && (ax !== bEndX || ay !== bEndY),
    startOfB: b0 === 0 && isOnA(bx, by) && (bx !== aEndX || by !== aEndY),
  }
}

const isBetween = (a: number, b: number, value: number) =>
  a <= b ? a <= value && value <= b : b <= value && value <= a

/**
 * Whether two outlines that touch at the vertex `at` are at odds there: they have directions in common, of their polygons' insides if
 * they are of different polygons, else of what is outside the polygon. One ring may pass a place twice, with either the inside or the
 * outside on different sides; with neither, it crosses itself. Exact.
 */
export function clashWhereTheyTouch(edges: Edges, a: number, b: number, at: number): boolean {
  const { outlines, outlineOf } = edges
  const shares = (inside: boolean) => shareDirections(edges, a, b, at, inside)
  if (outlineOf[a] === outlineOf[b]) return shares(true) && shares(false)
  return shares(outlines[outlineOf[a]!]!.polygon !== outlines[outlineOf[b]!]!.polygon)
}

function shareDirections(edges: Edges, a: number, b: number, at: number, inside: boolean): boolean {
  const [x, y] = [edges.xs[at]!, edges.ys[at]!]
  const isAt = (edge: number) => edges.xs[edge] === x && edges.ys[edge] === y
  return sectorsOverlap(x, y, sectorOf(edges, a, isAt(a), inside), sectorOf(edges, b, isAt(b), inside))
}

/** The directions inside (or outside) of its polygon, seen from an edge's start or, if not `fromStart`, from between its ends. */
function sectorOf(edges: Edges, edge: number, fromStart: boolean, inside: boolean): Sector {
  const { xs, ys, next, previous } = edges
  const before = fromStart ? previous[edge]! : edge
  const after = next[edge]!
  // Counterclockwise from the way on to the way back is what lies on the left.
  const [from, to] = hasPolygonOnLeft(edges, edge) === inside ? [after, before] : [before, after]
  return { fromX: xs[from]!, fromY: ys[from]!, toX: xs[to]!, toY: ys[to]! }
}

function hasPolygonOnLeft({ outlines, outlineOf }: Edges, edge: number): boolean {
  const { isCounterclockwise, isHole } = outlines[outlineOf[edge]!]!
  return isCounterclockwise !== isHole
}
