import { type Box, type BoxIndex, boxIndex, type Edges, outlineBoxes } from './edges.ts'
import { holeOutside, polygonInPolygon } from './faults.ts'
import { side } from './predicates.ts'
import { cost, type Work } from './work.ts'

/** Of each outline that touches others, which. */
export type Touching = Map<number, Set<number>>

/**
 * Checks which rings lie in which, of rings that do not cross. Of two that touch, the place where they do has shown already that they
 * lie rightly. Throws `invalid_request` with a pointer to the ring.
 */
export async function checkNesting(edges: Edges, visitChains: BoxIndex, touching: Touching, work: Work): Promise<void> {
  const { outlines } = edges
  if (outlines.length < 2) return
  const boxes = outlineBoxes(edges)
  const visitOutlines = boxIndex(boxes)
  for (const [number, { xs, ys, isHole, polygon }] of outlines.entries()) {
    const touched = touching.get(number) ?? new Set()
    const nearby = new Map<number, Box>()
    visitOutlines([xs[0]!, ys[0]!, xs[0]!, ys[0]!], (other) => {
      work.spend(cost.found)
      if (other !== number && !touched.has(other)) nearby.set(other, boxes[other]!)
    })
    work.spend(cost.search)
    const around = nearby.size > 0 ? ringsAround(edges, number, nearby, visitChains, work) : []
    if (isHole) {
      const isInOuter = (other: number) => outlines[other]!.polygon === polygon && !outlines[other]!.isHole
      if (!around.some(isInOuter) && ![...touched].some(isInOuter)) throw holeOutside(edges, number)
    } else {
      const other = polygonAround(edges, around, touched)
      if (other !== undefined) throw polygonInPolygon(edges, number, other)
    }
    if (work.isLong()) await work.breathe()
  }
}

/** The outer ring of a polygon that an outer ring lies in and not in a hole of it, having these `around` and `touched`. */
function polygonAround({ outlines }: Edges, around: number[], touched: ReadonlySet<number>): number | undefined {
  // In a hole that it touches, or it would have met the polygon's inside there.
  const polygonsApart = new Set(Array.from(touched, (other) => outlines[other]!.polygon))
  for (const other of around) if (outlines[other]!.isHole) polygonsApart.add(outlines[other]!.polygon)
  return around.find((other) => !polygonsApart.has(outlines[other]!.polygon))
}

/** Which of some rings, that it does not touch, the first vertex of a ring lies in. Exact. */
function ringsAround(
  edges: Edges,
  ring: number,
  nearby: Map<number, Box>,
  visitChains: BoxIndex,
  work: Work,
): number[] {
  const { xs, ys, next, chains, outlineOf, firstOf } = edges
  const [x, y] = [xs[firstOf[ring]!]!, ys[firstOf[ring]!]!]
  let east = x
  for (const box of nearby.values()) east = Math.max(east, box[2])
  const isOdd = new Map<number, boolean>()
  visitChains([x, y, east, y], (chain) => {
    work.spend(cost.found)
    const other = outlineOf[chains[chain]!]!
    if (!nearby.has(other)) return
    for (let edge = chains[chain]!; edge < chains[chain + 1]!; edge++) {
      work.spend(1)
      const end = next[edge]!
      const isUpward = ys[end]! > y
      if (ys[edge]! > y === isUpward) continue
      work.spend(cost.side)
      const turn = side(xs[edge]!, ys[edge]!, xs[end]!, ys[end]!, x, y)
      if (isUpward ? turn > 0 : turn < 0) isOdd.set(other, !isOdd.get(other))
    }
  })
  return Array.from(isOdd).flatMap(([other, odd]) => (odd ? [other] : []))
}
