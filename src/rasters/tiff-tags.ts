/** A tag to be written, with all its values. */
export type TiffTag =
  | { tag: number; type: 'short' | 'long' | 'double'; values: readonly number[] }
  | { tag: number; type: 'ascii'; values: string }

const typeCodes = { ascii: 2, short: 3, long: 4, double: 12 }

/**
 * The bytes of a classic, little-endian image file directory (TIFF 6.0, section 2) that will stand at `start` of its
 * file, followed by the values that do not fit into their entries. Tags must be in ascending order.
 */
export function tiffDirectoryBytes(tags: readonly TiffTag[], start: number): Buffer {
  const directoryBytes = 2 + tags.length * 12 + 4
  const directory = Buffer.alloc(directoryBytes)
  directory.writeUInt16LE(tags.length, 0)
  const overflow: Buffer[] = []
  let next = start + directoryBytes
  tags.forEach((tag, i) => {
    const at = 2 + i * 12
    const values = tagBytes(tag)
    directory.writeUInt16LE(tag.tag, at)
    directory.writeUInt16LE(typeCodes[tag.type], at + 2)
    directory.writeUInt32LE(tag.type === 'ascii' ? values.length : tag.values.length, at + 4)
    if (values.length <= 4) {
      values.copy(directory, at + 8)
      return
    }
    directory.writeUInt32LE(next, at + 8)
    // Values start on a word boundary.
    const padded = values.length % 2 === 0 ? values : Buffer.concat([values, Buffer.alloc(1)])
    overflow.push(padded)
    next += padded.length
  })
  return Buffer.concat([directory, ...overflow])
}

function tagBytes(tag: TiffTag): Buffer {
  if (tag.type === 'ascii') return Buffer.from(`${tag.values}\0`, 'latin1')
  const arrayType = { short: Uint16Array, long: Uint32Array, double: Float64Array }[tag.type]
  return Buffer.from(arrayType.from(tag.values).buffer)
}
