import { type Box, boxIndex, chainBoxes, type Edges, edgesOf } from './edges.ts'
import { faultBetweenRings, faultOfRing } from './faults.ts'
import { clashWhereTheyTouch, type Fault, foldingAt, meetingOf } from './meetings.ts'
import { checkNesting, type Touching } from './nesting.ts'
import type { Outline } from './outline.ts'
import { cost, type Work } from './work.ts'

/**
 * Checks that outlines make polygons whose inside is beyond doubt: a ring does not cross itself; rings of one polygon meet in single
 * points at most, holes within the outer ring; polygons do not overlap. More passes than the OGC's rules allow (06-103r4, section
 * 6.1.11), since simplified maps are full of it: rings that touch themselves, holes in holes, polygons that share edges, and insides
 * that touching holes part. The tests are exact. Throws `invalid_request` with a pointer to the place.
 */
export async function checkValidity(outlines: readonly Outline[], work: Work): Promise<void> {
  const edges = edgesOf(outlines)
  const boxes = chainBoxes(edges)
  const visitChains = boxIndex(boxes)
  for (let edge = 0; edge < edges.xs.length; edge++) {
    const fault = foldingAt(edges, edge)
    if (fault) throw faultOfRing(edges, fault)
  }
  const found: Found = { touching: new Map(), fault: undefined }

  for (const [chain, box] of boxes.entries()) {
    const others: number[] = []
    visitChains(box, (other) => {
      work.spend(cost.found)
      if (other >= chain) others.push(other)
    })
    work.spend(cost.search)
    // In their order, so that of many faults it is always the same that is told.
    for (const other of others.sort((a, b) => a - b)) {
      compareChains(edges, chain, other, boxes[other]!, work, found)
      if (work.isLong()) await work.breathe()
    }
  }
  // Between rings only now: what is inside of a ring that crosses itself cannot be said.
  if (found.fault) throw faultBetweenRings(edges, found.fault)
  await checkNesting(edges, visitChains, found.touching, work)
}

interface Found {
  touching: Touching
  /** The first between two rings. */
  fault: Fault | undefined
}

function compareChains(edges: Edges, chain: number, other: number, box: Box, work: Work, found: Found): void {
  const { chains } = edges
  for (let a = chains[chain]!; a < chains[chain + 1]!; a++) {
    work.spend(1)
    if (!meetsBox(edges, a, box)) continue
    for (let b = chain === other ? a + 1 : chains[other]!; b < chains[other + 1]!; b++) {
      work.spend(1)
      if (!boxesMeet(edges, a, b)) continue
      work.spend(cost.meeting)
      compareEdges(edges, a, b, work, found)
    }
  }
}

function meetsBox({ xs, ys, next }: Edges, edge: number, [west, south, east, north]: Box): boolean {
  const end = next[edge]!
  return (
    Math.max(xs[edge]!, xs[end]!) >= west &&
    Math.min(xs[edge]!, xs[end]!) <= east &&
    Math.max(ys[edge]!, ys[end]!) >= south &&
    Math.min(ys[edge]!, ys[end]!) <= north
  )
}

function boxesMeet({ xs, ys, next }: Edges, a: number, b: number): boolean {
  const [aEnd, bEnd] = [next[a]!, next[b]!]
  return (
    Math.max(xs[a]!, xs[aEnd]!) >= Math.min(xs[b]!, xs[bEnd]!) &&
    Math.min(xs[a]!, xs[aEnd]!) <= Math.max(xs[b]!, xs[bEnd]!) &&
    Math.max(ys[a]!, ys[aEnd]!) >= Math.min(ys[b]!, ys[bEnd]!) &&
    Math.min(ys[a]!, ys[aEnd]!) <= Math.max(ys[b]!, ys[bEnd]!)
  )
}

function compareEdges(edges: Edges, a: number, b: number, work: Work, found: Found): void {
  const { next, outlineOf } = edges
  if (outlineOf[a] !== outlineOf[b]) compareAcrossRings(edges, a, b, work, found)
  else if (next[a] !== b && next[b] !== a) compareWithinRing(edges, a, b)
}

function compareWithinRing(edges: Edges, a: number, b: number): void {
  const meeting = meetingOf(edges, a, b)
  if (!meeting) return
  const { kind, startOfA, startOfB, x, y } = meeting
  if (kind !== 'touches') throw faultOfRing(edges, { kind, edges: [a, b], x, y })
  const isBad = (startOfA && clashWhereTheyTouch(edges, a, b, a)) || (startOfB && clashWhereTheyTouch(edges, a, b, b))
  if (isBad) throw faultOfRing(edges, { kind: 'crosses', edges: [a, b], x, y })
}

function compareAcrossRings(edges: Edges, a: number, b: number, work: Work, found: Found): void {
  const meeting = meetingOf(edges, a, b)
  if (!meeting) return
  const { outlines, outlineOf } = edges
  const [one, other] = [outlineOf[a]!, outlineOf[b]!]
  const { kind, startOfA, startOfB, x, y } = meeting
  noteTouch(found.touching, one, other, work)
  // Of different polygons, those that have an edge in common on the same side overlap where that begins.
  const isCommonEdge = kind === 'overlaps' && outlines[one]!.polygon === outlines[other]!.polygon
  const isBad =
    kind === 'crosses' ||
    isCommonEdge ||
    (startOfA && clashWhereTheyTouch(edges, a, b, a)) ||
    (startOfB && clashWhereTheyTouch(edges, a, b, b))
  if (isBad) found.fault ??= { kind: isCommonEdge ? 'overlaps' : 'crosses', edges: [a, b], x, y }
}

function noteTouch(touching: Touching, one: number, other: number, work: Work): void {
  if (touching.get(one)?.has(other)) return
  // What is kept costs memory.
  work.spend(cost.touch)
  for (const [ring, touched] of [
    [one, other],
    [other, one],
  ] as const) {
    const known = touching.get(ring)
    if (known) known.add(touched)
    else touching.set(ring, new Set([touched]))
  }
}
