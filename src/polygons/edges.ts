import Flatbush from 'flatbush'
import type { Outline } from './outline.ts'

const chainLength = 16

/** All edges of some outlines. An edge has the number of the vertex it starts at, and ends at the `next` one. */
export interface Edges {
  outlines: readonly Outline[]
  xs: Float64Array
  ys: Float64Array
  next: Uint32Array
  previous: Uint32Array
  /** The number of the outline that an edge is of. */
  outlineOf: Uint32Array
  /** The number of an outline's first edge. */
  firstOf: Uint32Array
  /** Up to 16 edges in a row of one outline: chain c has the edges from chains[c] to before chains[c + 1]. */
  chains: Uint32Array
}

export function edgesOf(outlines: readonly Outline[]): Edges {
  const count = outlines.reduce((sum, { xs }) => sum + xs.length, 0)
  const numbers = () => new Uint32Array(count)
  const [next, previous, outlineOf] = [numbers(), numbers(), numbers()]
  const [xs, ys] = [new Float64Array(count), new Float64Array(count)]
  const firstOf = new Uint32Array(outlines.length)
  const chains: number[] = []
  let first = 0
  outlines.forEach((outline, number) => {
    const { length } = outline.xs
    xs.set(outline.xs, first)
    ys.set(outline.ys, first)
    firstOf[number] = first
    outlineOf.fill(number, first, first + length)
    for (let i = 0; i < length; i++) {
      next[first + i] = first + ((i + 1) % length)
      previous[first + i] = first + ((i + length - 1) % length)
      if (i % chainLength === 0) chains.push(first + i)
    }
    first += length
  })
  return { outlines, xs, ys, next, previous, outlineOf, firstOf, chains: Uint32Array.from([...chains, count]) }
}

/** West, south, east, north of some edges in a row, of what has `xs`, `ys` and `next`. */
function boxOf({ xs, ys, next }: Edges, first: number, end: number): Box {
  let [west, south, east, north] = [xs[first]!, ys[first]!, xs[first]!, ys[first]!]
  const include = (vertex: number) => {
    west = Math.min(west, xs[vertex]!)
    south = Math.min(south, ys[vertex]!)
    east = Math.max(east, xs[vertex]!)
    north = Math.max(north, ys[vertex]!)
  }
  for (let edge = first; edge < end; edge++) include(edge)
  include(next[end - 1]!)
  return [west, south, east, north]
}

export type Box = readonly [west: number, south: number, east: number, north: number]

export const chainBoxes = (edges: Edges): Box[] =>
  Array.from({ length: edges.chains.length - 1 }, (_, chain) =>
    boxOf(edges, edges.chains[chain]!, edges.chains[chain + 1]!),
  )

export const outlineBoxes = (edges: Edges): Box[] =>
  edges.outlines.map(({ xs }, number) => boxOf(edges, edges.firstOf[number]!, edges.firstOf[number]! + xs.length))

/** Visits those of its boxes that meet a box, in any order. */
export type BoxIndex = (box: Box, visit: (number: number) => void) => void

export function boxIndex(boxes: readonly Box[]): BoxIndex {
  // Flatbush sorts by a quicksort: in a random order nobody can send what makes it quadratic.
  const order = shuffled(boxes.length)
  const index = new Flatbush(boxes.length)
  for (const number of order) index.add(...boxes[number]!)
  index.finish()

  return (box, visit) => {
    index.search(...box, (added) => {
      visit(order[added]!)
      return false
    })
  }
}

function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}
