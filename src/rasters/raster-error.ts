/**
 * Something about the inputs that the person who gave them can act on: a damaged file, an unknown coordinate system, a
 * criterion without a layer. The message is a whole sentence for that person; anything else thrown here is a bug.
 */
export class RasterError extends Error {
  override name = 'RasterError'
}
