const clearCode = 256
const endCode = 257

/**
 * Undoes TIFF's LZW (TIFF 6.0, section 13: codes of 9 to 12 bits, most significant bit first, "early change").
 * Stops at `size` bytes, so that neither a bomb nor a crafted table can make it run on.
 * @returns at most `size` bytes; fewer where the input ends early
 * @throws RangeError on a code that the table cannot hold yet
 */
export function decodeLzw(input: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(size)
  // Each table entry is a run that is already in the output: where it starts and how long it is.
  const starts = new Uint32Array(4096)
  const lengths = new Uint32Array(4096)
  let next = 258
  let width = 9
  let bits = 0
  let bitCount = 0
  let written = 0
  let previousStart = 0
  let previousLength = 0

  for (let at = 0; written < size; ) {
    while (bitCount < width && at < input.length) {
      bits = ((bits << 8) | input[at++]!) & 0xffffff
      bitCount += 8
    }
    if (bitCount < width) break
    bitCount -= width
    const code = (bits >>> bitCount) & ((1 << width) - 1)
    if (code === endCode) break
    if (code === clearCode) {
      next = 258
      width = 9
      previousLength = 0
      continue
    }
    const start = written
    if (code < clearCode) {
      output[written++] = code
    } else if (code < next) {
      written = copyRun(output, starts[code]!, lengths[code]!, written)
    } else if (code === next && previousLength > 0) {
      // The run that is being defined right now: the previous one and its own first byte.
      written = copyRun(output, previousStart, previousLength + 1, written)
    } else {
      throw new RangeError(`LZW code ${code} before its definition`)
    }
    if (previousLength > 0 && next < 4096) {
      starts[next] = previousStart
      lengths[next] = previousLength + 1
      next++
    }
    previousStart = start
    previousLength = written - start
    if (next + 1 >= 1 << width && width < 12) width++
  }
  return output.subarray(0, written)
}

// Byte by byte on purpose: a run may overlap what it produces.
function copyRun(output: Uint8Array, start: number, length: number, at: number): number {
  const end = Math.min(at + length, output.length)
  for (let from = start; at < end; ) output[at++] = output[from++]!
  return at
}
