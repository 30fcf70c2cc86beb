import type { Position } from './area.ts'
import { side } from './predicates.ts'
import { cost, type Work } from './work.ts'

/** A vertex of a polygon where it is unrolled: `x` is between -180 and 540, and stands for the position's longitude. */
export interface UnrolledVertex {
  x: number
  position: Position
}

/** A run of vertices on one side of the antimeridian. */
export interface Chain {
  positions: Position[]
  entry: Crossing
  exit: Crossing
  isDone: boolean
}

/** Where a run of vertices on one side ends or begins: the edge from its last vertex to one on or behind the antimeridian. */
export interface Crossing {
  inner: UnrolledVertex
  outer: UnrolledVertex
  chain: Chain
  position: Position
  /** The crossing that the border of the cut polygon goes on from, or comes from, along the antimeridian. */
  partner: Crossing
}

/** As many are sorted in one go; what comes of it is merged in turns with everything else. */
const runLength = 512

/** Where an edge meets x = 180. The same from both sides, so that what is cut apart still fits together. */
export function crossingPosition(inner: UnrolledVertex, outer: UnrolledVertex, limit: number): Position {
  if (outer.x === 180) return [limit, ...outer.position.slice(1)]
  const [from, to] = inner.x < outer.x ? [inner, outer] : [outer, inner]
  const share = (180 - from.x) / (to.x - from.x)
  const between = (axis: 1 | 2) => from.position[axis]! + (to.position[axis]! - from.position[axis]!) * share
  const hasAltitude = from.position.length > 2 && to.position.length > 2
  return [limit, between(1), ...(hasAltitude ? [between(2)] : [])]
}

/** Along the antimeridian from the south, every other crossing enters the polygon, and the next one leaves it. */
export async function pairUp(crossings: readonly Crossing[], work: Work): Promise<void> {
  const sorted = await sortedNorthward(crossings, work)
  let north = -90
  for (const [i, crossing] of sorted.entries()) {
    // Interpolation may round two out of their order.
    if (crossing.position[1]! < north) crossing.position[1] = north
    north = crossing.position[1]!
    crossing.partner = sorted[i % 2 === 0 ? i + 1 : i - 1]!
  }
}

/** From south to north, by merging. A comb has as many crossings as an area has positions. */
async function sortedNorthward(crossings: readonly Crossing[], work: Work): Promise<Crossing[]> {
  let runs: Crossing[][] = []
  for (let first = 0; first < crossings.length; first += runLength) {
    const run = crossings.slice(first, first + runLength).sort(southToNorth)
    work.spend(cost.order * run.length * Math.log2(runLength))
    if (work.isLong()) await work.breathe()
    runs.push(run)
  }
  while (runs.length > 1) {
    const merged: Crossing[][] = []
    for (let i = 0; i < runs.length; i += 2) merged.push(await mergedNorthward(runs[i]!, runs[i + 1] ?? [], work))
    runs = merged
  }
  return runs[0] ?? []
}

async function mergedNorthward(some: Crossing[], others: Crossing[], work: Work): Promise<Crossing[]> {
  const merged: Crossing[] = []
  let [i, j] = [0, 0]
  while (i < some.length && j < others.length) {
    merged.push(southToNorth(some[i]!, others[j]!) <= 0 ? some[i++]! : others[j++]!)
    work.spend(cost.order)
    if (work.isLong()) await work.breathe()
  }
  return merged.concat(some.slice(i), others.slice(j))
}

/** Which of two edges that do not cross meets the antimeridian further south. Exact. */
function southToNorth(a: Crossing, b: Crossing): number {
  const aIsLonger = Math.abs(180 - a.inner.x) >= Math.abs(180 - b.inner.x)
  const [long, short] = aIsLonger ? [a, b] : [b, a]
  // Negative where the short one is north of the long one.
  const order = southOf(long, short.inner) || southOf(long, short.outer)
  return aIsLonger ? order : -order
}

/** Negative where an edge, or the line that it is on, passes south of a vertex. */
function southOf({ inner, outer }: Crossing, { x, position }: UnrolledVertex): number {
  const [from, to] = inner.x < outer.x ? [inner, outer] : [outer, inner]
  return -side(from.x, from.position[1]!, to.x, to.position[1]!, x, position[1]!)
}
