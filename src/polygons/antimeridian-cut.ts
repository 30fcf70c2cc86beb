import { type Chain, type Crossing, crossingPosition, pairUp, type UnrolledVertex } from './antimeridian-crossings.ts'
import { partsOf } from './antimeridian-parts.ts'
import type { Position, Ring } from './area.ts'
import { cost, type Work } from './work.ts'

/** One side of the antimeridian, x = 180. `limit`: the antimeridian's longitude there; `far`: that of where the side ends. */
interface Side {
  sign: 1 | -1
  limit: number
  farX: number
  far: number
}

const west: Side = { sign: 1, limit: 180, farX: -180, far: -180 }
const east: Side = { sign: -1, limit: -180, farX: 540, far: 180 }

/**
 * A valid polygon, cut at the antimeridian (RFC 7946, section 3.1.9): the parts on its west, then those on its east, each with its
 * holes. `rings` have the polygon's inside on their left, and no closing vertex. What is not cut stays as it is, altitudes included;
 * where an edge is cut its altitude is interpolated. (General clipping would drop altitudes and vertices on straight lines.) Lets others
 * have their turn.
 */
export async function cutAtAntimeridian(rings: readonly UnrolledVertex[][], work: Work): Promise<Ring[][]> {
  return [...(await partsOn(west, rings, work)), ...(await partsOn(east, rings, work))]
}

async function partsOn(half: Side, rings: readonly UnrolledVertex[][], work: Work): Promise<Ring[][]> {
  const isInner = isInnerOn(half)
  const loops: Ring[] = []
  const chains: Chain[] = []
  for (const ring of rings) {
    work.spend(ring.length)
    if (work.isLong()) await work.breathe()
    const start = ring.findIndex((vertex, i) => isInner(vertex) && !isInner(ring.at(i - 1)!))
    if (start < 0) {
      if (isInner(ring[0]!)) loops.push(closed(ring.map((vertex) => positionOn(half, vertex))))
      work.spend(cost.position * ring.length)
      continue
    }
    for (const chain of chainsOf(ring, start, half)) {
      chains.push(chain)
      work.spend(cost.position * (chain.positions.length + 2))
      if (work.isLong()) await work.breathe()
    }
  }
  await pairUp(
    chains.flatMap(({ entry, exit }) => [entry, exit]),
    work,
  )
  for (const chain of chains) {
    if (chain.isDone) continue
    for (const loop of await loopsFrom(chain, half.limit, work)) loops.push(loop)
  }
  return partsOf(loops, work)
}

/** As if cut just before the antimeridian: a vertex on it is behind, so that edges along it and vertices that touch it need no care. */
const isInnerOn =
  ({ sign }: Side) =>
  ({ x }: UnrolledVertex): boolean =>
    sign * (180 - x) > 0

/** The chains of a ring, the first of which starts at `start`. */
function* chainsOf(ring: readonly UnrolledVertex[], start: number, half: Side): Generator<Chain> {
  const isInner = isInnerOn(half)
  const at = (i: number) => ring[(start + i) % ring.length]!
  for (let i = 0; i < ring.length; i++) {
    if (!isInner(at(i))) continue
    const chain = { positions: [] as Position[], isDone: false } as Chain
    const crossing = (inner: UnrolledVertex, outer: UnrolledVertex) =>
      ({ inner, outer, chain, position: crossingPosition(inner, outer, half.limit) }) as Crossing
    chain.entry = crossing(at(i), at(i + ring.length - 1))
    // The vertex before the first one is behind the antimeridian, so each chain ends.
    for (; isInner(at(i)); i++) chain.positions.push(positionOn(half, at(i)))
    chain.exit = crossing(at(i - 1), at(i))
    yield chain
  }
}

function positionOn({ farX, far }: Side, { x, position }: UnrolledVertex): Position {
  return x === farX && position[0] !== far ? [far, ...position.slice(1)] : position
}

/** The border that a chain is on, closed along the antimeridian; in loops, if it comes by one place there more than once. */
async function loopsFrom(first: Chain, limit: number, work: Work): Promise<Ring[]> {
  const loops: Ring[] = []
  const path: Position[] = []
  const seenAt = new Map<number, number>()
  const add = (position: Position) => {
    const seen = position[0] === limit ? seenAt.get(position[1]!) : undefined
    if (seen !== undefined) {
      const loop = path.splice(seen + 1)
      for (const [longitude, latitude] of loop) if (longitude === limit) seenAt.delete(latitude!)
      if (loop.length > 1) loops.push(closed([path[seen]!, ...loop]))
      return
    }
    if (position[0] === limit) seenAt.set(position[1]!, path.length)
    path.push(position)
  }
  let chain = first
  do {
    chain.isDone = true
    for (const position of [chain.entry.position, ...chain.positions, chain.exit.position]) add(position)
    work.spend(cost.position * (chain.positions.length + 2))
    if (work.isLong()) await work.breathe()
    chain = chain.exit.partner.chain
  } while (chain !== first)
  if (path.length > 2) loops.push(closed(path))
  return loops
}

const closed = (positions: Position[]): Ring => [...positions, positions[0]!]
