/** One bit per cell: what remains of a whole raster in memory while sites are searched (a billion cells are 120 MB). */
export class CellBits {
  readonly width: number
  readonly height: number
  readonly #rowBytes: number
  readonly #bits: Uint8Array

  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    this.#rowBytes = Math.ceil(width / 8)
    this.#bits = new Uint8Array(this.#rowBytes * height)
  }

  set(column: number, row: number): void {
    this.#bits[row * this.#rowBytes + (column >> 3)]! |= 1 << (column & 7)
  }

  /** Adds `weight` to the sum of each column whose cell in this row is set. */
  addRow(row: number, weight: number, sums: Uint32Array): void {
    const start = row * this.#rowBytes
    for (let byte = 0; byte < this.#rowBytes; byte++) {
      const bits = this.#bits[start + byte]!
      if (bits === 0) continue
      for (let bit = 0; bit < 8; bit++) if ((bits >> bit) & 1) sums[byte * 8 + bit]! += weight
    }
  }
}
