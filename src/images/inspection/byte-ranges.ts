export interface ByteRange {
  start: number
  /** Of the byte behind it. */
  end: number
}

/** Ranges of a file's bytes, in any order and number; they may overlap. It holds some MB at most. */
export interface ByteRanges {
  add(start: number, end: number): void
  /** What of a file of this size is in none of them, in order. */
  gaps(sizeBytes: number): ByteRange[]
}

/**
 * Ranges so near to each other are one: GDAL writes the length of a tile in front of it and repeats its last bytes
 * behind it, others align.
 */
const leastGapBytes = 9
const maxPending = 16_384
const maxRanges = 65_536

export function byteRanges(): ByteRanges {
  /** In order, with gaps between them. */
  let ranges: ByteRange[] = []
  let pending: ByteRange[] = []

  function settle() {
    const sorted = [...ranges, ...pending].sort((a, b) => a.start - b.start)
    ranges = joined(sorted, leastGapBytes)
    pending = []
    // Of too many gaps the smaller half, which has room for less, is forgotten.
    if (ranges.length > maxRanges) ranges = joined(ranges, gapSizes(ranges)[maxRanges / 2]! + 1)
  }

  return {
    add(start, end) {
      if (end <= start) return
      const last = pending.at(-1)
      if (last && isNear(last, start, leastGapBytes)) last.end = Math.max(last.end, end)
      else if (pending.push({ start, end }) === maxPending) settle()
    },

    gaps(sizeBytes) {
      settle()
      const ends = [0, ...ranges.map(({ end }) => end)]
      const starts = [...ranges.map(({ start }) => start), sizeBytes]
      return ends.map((start, i) => ({ start, end: starts[i]! })).filter(({ start, end }) => end > start)
    },
  }
}

const isNear = (range: ByteRange, start: number, leastGap: number) =>
  start >= range.start && start < range.end + leastGap

function joined(sorted: ByteRange[], leastGap: number): ByteRange[] {
  const ranges: ByteRange[] = []
  for (const { start, end } of sorted) {
    const last = ranges.at(-1)
    if (last && isNear(last, start, leastGap)) last.end = Math.max(last.end, end)
    else ranges.push({ start, end })
  }
  return ranges
}

/** Smallest first. */
const gapSizes = (ranges: ByteRange[]) =>
  ranges
    .slice(1)
    .map(({ start }, i) => start - ranges[i]!.end)
    .sort((a, b) => a - b)
