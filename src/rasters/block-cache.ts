import type { CellArray } from './tiff-block.ts'
import { maxBlockRowBytes, type TiffLayout } from './tiff-layout.ts'

const smallestBudgetBytes = 4 * 2 ** 20

/**
 * The decoded blocks that were used last. Reading row by row touches each block many times, and a slope also looks one
 * row up and down, so up to three rows of blocks are kept, but never much more than one of the largest allowed.
 */
export class BlockCache {
  readonly #blocks = new Map<number, Promise<CellArray>>()
  readonly #capacity: number
  readonly #load: (index: number) => Promise<CellArray>

  constructor(layout: TiffLayout, load: (index: number) => Promise<CellArray>) {
    const blockBytes = layout.blockWidth * layout.blockHeight * layout.bytesPerCell
    const wanted = Math.max(3 * layout.blocksAcross * blockBytes, smallestBudgetBytes)
    this.#capacity = Math.max(1, Math.floor(Math.min(wanted, maxBlockRowBytes) / blockBytes))
    this.#load = load
  }

  get(index: number): Promise<CellArray> {
    const known = this.#blocks.get(index)
    // A Map keeps the order of insertion, so moving a block to the end makes the first one the least recently used.
    if (known) this.#blocks.delete(index)
    const block = known ?? this.#load(index)
    this.#blocks.set(index, block)
    if (this.#blocks.size > this.#capacity) this.#blocks.delete(this.#blocks.keys().next().value!)
    return block
  }
}
