const maxTrailerBytes = 64 * 1024

/**
 * The length of the trailer that Samsung's cameras append to a JPEG, 0 where there is none that holds together. Blocks
 * (type, length of its name, name, data) are followed by a directory ("SEFH", version, count, and type, distance back,
 * size of each block), its length and "SEFT"; all numbers little-endian. As ExifTool reads it (Samsung.pm,
 * ProcessSamsung).
 * @param tail the last bytes of the file
 */
export function samsungTrailerBytes(tail: Uint8Array): number {
  const bytes = Buffer.from(tail.buffer, tail.byteOffset, tail.length)
  const directoryEnd = bytes.length - 8
  if (directoryEnd < 12 || bytes.toString('latin1', directoryEnd + 4) !== 'SEFT') return 0
  const directory = directoryEnd - bytes.readUInt32LE(directoryEnd)
  if (directory < 0 || directoryEnd - directory < 12) return 0
  const count = bytes.readUInt32LE(directory + 8)
  if (bytes.toString('latin1', directory, directory + 4) !== 'SEFH' || directory + 12 + 12 * count > directoryEnd)
    return 0
  let start = directory
  for (let entry = directory + 12; entry < directory + 12 + 12 * count; entry += 12) {
    const block = directory - bytes.readUInt32LE(entry + 4)
    const blockBytes = bytes.readUInt32LE(entry + 8)
    if (block < 0 || blockBytes < 8 || block + blockBytes > directory) return 0
    const isNamed = bytes.readUInt32LE(block + 4) <= blockBytes - 8
    if (bytes.readUInt32LE(block) !== bytes.readUInt32LE(entry) || !isNamed) return 0
    start = Math.min(start, block)
  }
  return bytes.length - start <= maxTrailerBytes ? bytes.length - start : 0
}
