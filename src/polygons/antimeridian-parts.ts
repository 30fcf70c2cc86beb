import { extentOf, type Position, type Ring } from './area.ts'
import { type BoxIndex, boxIndex } from './edges.ts'
import { isOnOneLine, runsCounterclockwise, side } from './predicates.ts'
import { cost, type Work } from './work.ts'

/** Polygons of loops that have their inside on the left: those that run counterclockwise, with the others as holes in them. */
export async function partsOf(loops: readonly Ring[], work: Work): Promise<Ring[][]> {
  const parts: Ring[][] = []
  const holes: Ring[] = []
  for (const loop of loops) {
    const vertices = loop.slice(1).filter(([x, y], i) => x !== loop[i]![0] || y !== loop[i]![1])
    const [xs, ys] = [vertices.map(([x]) => x!), vertices.map(([, y]) => y!)]
    work.spend(cost.position * loop.length)
    if (work.isLong()) await work.breathe()
    // A sliver that rounding has closed.
    if (isOnOneLine(xs, ys)) continue
    if (runsCounterclockwise(xs, ys)) parts.push([loop])
    else holes.push(loop)
  }
  if (parts.length === 0 || holes.length === 0) return parts
  const visitParts = boxIndex(parts.map(([outer]) => extentOf(outer!)))
  for (const hole of holes) {
    // One that is in none is left to be found, when what was cut is checked.
    const part = (await partAround(hole, parts, visitParts, work)) ?? parts[0]!
    part.push(hole)
  }
  return parts
}

async function partAround(
  hole: Ring,
  parts: readonly Ring[][],
  visitParts: BoxIndex,
  work: Work,
): Promise<Ring[] | undefined> {
  const [[x, y]] = hole as [Position]
  const nearby: number[] = []
  visitParts([x!, y!, x!, y!], (number) => {
    work.spend(cost.found)
    nearby.push(number)
  })
  work.spend(cost.search)
  for (const number of nearby.length === 1 ? [] : nearby)
    if (await lies(hole, parts[number]![0]!, work)) return parts[number]
  return nearby.length === 1 ? parts[nearby[0]!] : undefined
}

/** Whether the first vertex of a ring that is not on another one is in that. Exact. */
async function lies(ring: Ring, around: Ring, work: Work): Promise<boolean> {
  for (const position of ring) {
    work.spend(cost.search + around.length)
    if (work.isLong()) await work.breathe()
    const where = placeIn(around, position)
    if (where !== 0) return where > 0
  }
  return false
}

/** 1 inside, 0 on the ring, -1 outside. */
function placeIn(ring: Ring, [x, y]: Position): -1 | 0 | 1 {
  let place: -1 | 1 = -1
  for (let i = 1; i < ring.length; i++) {
    const [[fromX, fromY], [toX, toY]] = [ring[i - 1]!, ring[i]!]
    if (Math.min(fromY!, toY!) > y! || Math.max(fromY!, toY!) < y! || Math.max(fromX!, toX!) < x!) continue
    const turn = side(fromX!, fromY!, toX!, toY!, x!, y!)
    if (turn === 0 && Math.min(fromX!, toX!) <= x!) return 0
    const isUpward = toY! > y!
    if (fromY! > y! !== isUpward && (isUpward ? turn > 0 : turn < 0)) place = place === 1 ? -1 : 1
  }
  return place
}
