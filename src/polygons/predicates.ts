import { orient2d } from 'robust-predicates'

/**
 * On which side of the line from `a` to `b` `c` lies: positive on the left, negative on the right, 0 on the line. The sign is exact
 * (Shewchuk 1997, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates").
 */
export const side = (ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number =>
  -orient2d(ax, ay, bx, by, cx, cy)

/**
 * Whether a closed outline runs counterclockwise, exactly. Of all edges at its lowest vertex, of those the leftmost, the one that is
 * furthest clockwise has the outside on its right: it runs as the outline does. Only outlines that do not cross themselves have an answer.
 */
export function runsCounterclockwise(xs: ArrayLike<number>, ys: ArrayLike<number>): boolean {
  const count = xs.length
  let lowest = 0
  for (let i = 1; i < count; i++) {
    if (ys[i]! < ys[lowest]! || (ys[i]! === ys[lowest]! && xs[i]! < xs[lowest]!)) lowest = i
  }
  const [x, y] = [xs[lowest]!, ys[lowest]!]
  let outermost = (lowest + 1) % count
  let runsOutward = true
  for (let i = 0; i < count; i++) {
    // An outline may come by more than once.
    if (xs[i] !== x || ys[i] !== y) continue
    for (const [end, isOutward] of [
      [(i + 1) % count, true],
      [(i + count - 1) % count, false],
    ] as const) {
      if (side(x, y, xs[outermost]!, ys[outermost]!, xs[end]!, ys[end]!) >= 0) continue
      outermost = end
      runsOutward = isOutward
    }
  }
  return runsOutward
}

/** Whether all vertices lie on the line through the first two, which differ. Exact. */
export function isOnOneLine(xs: ArrayLike<number>, ys: ArrayLike<number>): boolean {
  for (let i = 2; i < xs.length; i++) {
    if (side(xs[0]!, ys[0]!, xs[1]!, ys[1]!, xs[i]!, ys[i]!) !== 0) return false
  }
  return true
}

/** The two ways out of a point, as points on them; the sector lies counterclockwise of `from`. */
export interface Sector {
  fromX: number
  fromY: number
  toX: number
  toY: number
}

/** Whether two open sectors around the point (x, y) have directions in common. Exact. */
export const sectorsOverlap = (x: number, y: number, a: Sector, b: Sector): boolean =>
  startsWithin(x, y, a, b) || startsWithin(x, y, b, a)

/** Whether the sector `b` starts where `a` starts or strictly within it. */
function startsWithin(x: number, y: number, a: Sector, { fromX, fromY }: Sector): boolean {
  const start = quarter(x, y, a, fromX, fromY)
  const end = quarter(x, y, a, a.toX, a.toY)
  if (start !== end) return start < end
  return (start === 1 || start === 3) && side(x, y, fromX, fromY, a.toX, a.toY) > 0
}

/** How far counterclockwise of the sector's start a direction is: 0 the same, 1 less than a half turn, 2 just that, 3 more. */
function quarter(x: number, y: number, { fromX, fromY }: Sector, toX: number, toY: number): 0 | 1 | 2 | 3 {
  const turn = side(x, y, fromX, fromY, toX, toY)
  if (turn !== 0) return turn > 0 ? 1 : 3
  const isSame = Math.sign(fromX - x) === Math.sign(toX - x) && Math.sign(fromY - y) === Math.sign(toY - y)
  return isSame ? 0 : 2
}
