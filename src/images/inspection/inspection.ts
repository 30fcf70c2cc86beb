import type { UnpackedBudget } from './unpacked-budget.ts'

/** The bytes of a stored file. Either way of reading them may be a network request. */
export interface ImageSource {
  sizeBytes: number
  /** Exactly these bytes; both ends within the file. */
  read(start: number, length: number): Promise<Uint8Array>
  /** From there to the end, in chunks. */
  stream(start: number): AsyncIterable<Uint8Array>
}

/** In pixels. */
export interface ImageSize {
  width: number
  height: number
}

/** What the walk through a file of any format works with. */
export interface Inspection {
  source: ImageSource
  /** The first bytes of the file. */
  head: Uint8Array
  /** Its last bytes, `tailBytes` of them or all. */
  tail: Uint8Array
  budget: UnpackedBudget
}
