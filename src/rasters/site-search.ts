import { setImmediate } from 'node:timers/promises'
import type { CellBits } from './cell-bits.ts'

/** A rectangle of `siteWidth` x `siteHeight` cells from `column`, `row`, with `count` suitable ones. */
export interface SiteCandidate {
  row: number
  column: number
  count: number
}

export interface SiteSearch {
  suitable: CellBits
  /** Cells that no site may cover: those outside the polygon. */
  barred?: CellBits | undefined
  siteWidth: number
  siteHeight: number
  /** The fewest suitable cells that make a site. */
  minimumCount: number
  maxSites: number
  /** Candidates that are held and sorted at a time. Only tests set less. */
  batchSize?: number
  signal?: AbortSignal | undefined
}

const histogramBins = 65_536
const rowsBetweenBreaths = 512

/**
 * Chooses non-overlapping rectangles greedily: most suitable cells first, then the northernmost, then the westernmost.
 * The result is the same as sorting every rectangle of the raster, but none of them is stored for long: scores are taken
 * from the top in batches that fit into fixed memory, and a score with more rectangles than that is walked in place,
 * since walking north to south and west to east already is the order of ties.
 * @returns the sites in order of rank, and whether more would have followed beyond `maxSites`
 */
export async function searchSites(search: SiteSearch): Promise<{ sites: SiteCandidate[]; truncated: boolean }> {
  const { siteWidth, siteHeight, minimumCount, batchSize = 500_000 } = search
  const chosen = new ChosenSites(siteWidth, siteHeight, search.maxSites)
  let upper = siteWidth * siteHeight
  while (upper >= minimumCount && !chosen.isTruncated) {
    const { lower, candidates } = await nextBatch(search, chosen, upper, batchSize)
    if (candidates > 0 && candidates <= batchSize) await takeSorted(search, chosen, lower, upper, candidates)
    else if (candidates > 0) await takeInPlace(search, chosen, lower)
    upper = lower - 1
  }
  return { sites: chosen.sites, truncated: chosen.isTruncated }
}

/**
 * The widest range of counts down from `upper` whose free candidates fit into a batch, or else the single count `upper`.
 * Bins of the histogram may hold several counts, so a bin that is too full is looked at again by itself.
 */
async function nextBatch(search: SiteSearch, chosen: ChosenSites, upper: number, batchSize: number) {
  let lowest = search.minimumCount
  for (;;) {
    const binWidth = Math.ceil((upper - lowest + 1) / histogramBins)
    const bins = new Float64Array(Math.ceil((upper - lowest + 1) / binWidth))
    await forEachCandidate(search, chosen, lowest, upper, ({ count }) => {
      bins[Math.floor((upper - count) / binWidth)]!++
    })
    let [taken, candidates] = [0, 0]
    while (taken < bins.length && candidates + bins[taken]! <= batchSize) candidates += bins[taken++]!
    if (taken > 0) return { lower: Math.max(lowest, upper - taken * binWidth + 1), candidates }
    if (binWidth === 1) return { lower: upper, candidates: bins[0]! }
    lowest = upper - binWidth + 1
  }
}

async function takeSorted(search: SiteSearch, chosen: ChosenSites, lower: number, upper: number, candidates: number) {
  const positions = new Float64Array(candidates)
  const counts = new Uint32Array(candidates)
  let found = 0
  await forEachCandidate(search, chosen, lower, upper, ({ row, column, count }) => {
    positions[found] = row * search.suitable.width + column
    counts[found++] = count
  })
  // Found in the order of ties, so an order by count with the position as second key is the greedy one.
  const order = Uint32Array.from(positions.keys()).sort((a, b) => counts[b]! - counts[a]! || a - b)
  for (const i of order) {
    if (chosen.isTruncated) return
    const row = Math.floor(positions[i]! / search.suitable.width)
    chosen.take({ row, column: positions[i]! % search.suitable.width, count: counts[i]! })
  }
}

const takeInPlace = (search: SiteSearch, chosen: ChosenSites, count: number) =>
  forEachCandidate(search, chosen, count, count, (candidate) => chosen.take(candidate))

/** Visits, by row and column, the rectangles with `lower`..`upper` suitable cells that no chosen site overlaps. */
async function forEachCandidate(
  { suitable, barred, siteWidth, siteHeight, signal }: SiteSearch,
  chosen: ChosenSites,
  lower: number,
  upper: number,
  visit: (candidate: SiteCandidate) => void,
): Promise<void> {
  const { width, height } = suitable
  // How many of the last `siteHeight` cells of each column are suitable.
  const columns = new Uint32Array(width)
  // The same for cells that are barred.
  const bars = new Uint32Array(width)
  for (let bottom = 0; bottom < height && !chosen.isTruncated; bottom++) {
    if (bottom % rowsBetweenBreaths === 0) {
      await setImmediate()
      signal?.throwIfAborted()
    }
    suitable.addRow(bottom, 1, columns)
    barred?.addRow(bottom, 1, bars)
    if (bottom >= siteHeight) {
      suitable.addRow(bottom - siteHeight, -1, columns)
      barred?.addRow(bottom - siteHeight, -1, bars)
    }
    const row = bottom - siteHeight + 1
    if (row >= 0)
      visitRow(columns, bars, siteWidth, (column, count) => {
        if (count < lower || count > upper) return column
        const free = chosen.firstFreeColumn(row, column)
        if (free > column) return free - 1
        visit({ row, column, count })
        return column
      })
  }
}

/** Slides a window of `siteWidth` columns over what is not barred; `inspect` returns the last column that is done with. */
function visitRow(
  columns: Uint32Array,
  bars: Uint32Array,
  siteWidth: number,
  inspect: (column: number, count: number) => number,
): void {
  let [count, barred] = [0, 0]
  let done = -1
  for (let right = 0; right < columns.length; right++) {
    count += columns[right]!
    barred += bars[right]!
    if (right >= siteWidth) {
      count -= columns[right - siteWidth]!
      barred -= bars[right - siteWidth]!
    }
    const column = right - siteWidth + 1
    if (column > done && column >= 0 && barred === 0) done = inspect(column, count)
  }
}

/**
 * The sites chosen so far, found by place: space is divided into squares of a site's size, none of which can hold the
 * north-west corners of two, so whatever overlaps a rectangle has its corner in one of the nine squares around.
 */
class ChosenSites {
  readonly sites: SiteCandidate[] = []
  isTruncated = false
  readonly #byRow = new Map<number, Map<number, SiteCandidate>>()
  readonly #width: number
  readonly #height: number
  readonly #maxSites: number

  constructor(width: number, height: number, maxSites: number) {
    this.#width = width
    this.#height = height
    this.#maxSites = maxSites
  }

  /** The first column from `column` on where a site of this row would overlap none that was found on the way. */
  firstFreeColumn(row: number, column: number): number {
    const squareRow = Math.floor(row / this.#height)
    const squareColumn = Math.floor(column / this.#width)
    let free = column
    for (let y = squareRow - 1; y <= squareRow + 1; y++) {
      const sites = this.#byRow.get(y)
      if (!sites) continue
      for (let x = squareColumn - 1; x <= squareColumn + 1; x++) {
        const site = sites.get(x)
        if (!site || Math.abs(site.row - row) >= this.#height) continue
        if (Math.abs(site.column - column) < this.#width) free = Math.max(free, site.column + this.#width)
      }
    }
    return free
  }

  /** Adds a candidate unless it overlaps a chosen one; one too many is only remembered as such. */
  take(candidate: SiteCandidate): void {
    if (this.firstFreeColumn(candidate.row, candidate.column) > candidate.column) return
    if (this.sites.length === this.#maxSites) {
      this.isTruncated = true
      return
    }
    this.sites.push(candidate)
    const y = Math.floor(candidate.row / this.#height)
    const row = this.#byRow.get(y) ?? new Map<number, SiteCandidate>()
    this.#byRow.set(y, row.set(Math.floor(candidate.column / this.#width), candidate))
  }
}
