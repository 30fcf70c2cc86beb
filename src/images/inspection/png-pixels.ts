import { damaged, ImageRefused } from './image-refused.ts'
import { inflateThrough } from './inflation.ts'
import type { ImageSize } from './inspection.ts'

export interface PngFormat {
  bitsPerPixel: number
  isInterlaced: boolean
}

/** Adam7 (PNG 8.2): where each pass starts, and its steps. */
const passes = [
  { x: 0, y: 0, across: 8, down: 8 },
  { x: 4, y: 0, across: 8, down: 8 },
  { x: 0, y: 4, across: 4, down: 8 },
  { x: 2, y: 0, across: 4, down: 4 },
  { x: 0, y: 2, across: 2, down: 4 },
  { x: 1, y: 0, across: 2, down: 2 },
  { x: 0, y: 1, across: 1, down: 2 },
]

interface Rows {
  count: number
  /** Of one row, with its filter byte. */
  bytes: number
}

/** The filtered rows of an image, pass by pass (PNG 7.2). A pass without pixels has no rows. */
function filteredRows({ width, height }: ImageSize, { bitsPerPixel, isInterlaced }: PngFormat): Rows[] {
  const rows = (across: number, down: number): Rows => ({
    count: down,
    bytes: 1 + Math.ceil((across * bitsPerPixel) / 8),
  })
  if (!isInterlaced) return [rows(width, height)]
  return passes
    .map(({ x, y, across, down }) => ({
      across: Math.ceil((width - x) / across),
      down: Math.ceil((height - y) / down),
    }))
    .filter(({ across, down }) => across > 0 && down > 0)
    .map(({ across, down }) => rows(across, down))
}

/** What an image's pixel data inflates to. @throws ImageRefused for one without pixels */
export function filteredBytes(size: ImageSize, format: PngFormat): number {
  if (size.width === 0 || size.height === 0) throw damaged('PNG', 'it is empty, with a width or a height of zero')
  return filteredRows(size, format).reduce((sum, { count, bytes }) => sum + count * bytes, 0)
}

const lastFilter = 4

/**
 * Inflates an image's pixel data, counts it and keeps none.
 * @throws ImageRefused when it is not exactly what the image needs, or a row has a filter that there is not
 */
export async function assertPixels(
  size: ImageSize,
  format: PngFormat,
  compressed: AsyncIterable<Uint8Array>,
): Promise<void> {
  const expectedBytes = filteredBytes(size, format)
  const assertFilters = filterCheck(filteredRows(size, format))
  let inflatedBytes = 0
  await inflateThrough(compressed, {
    format: 'PNG',
    what: 'pixel data',
    take(inflated) {
      inflatedBytes += inflated.length
      if (inflatedBytes > expectedBytes) {
        throw new ImageRefused('too_large_decoded', 'The PNG has more pixel data than its width and height allow.')
      }
      assertFilters(inflated)
    },
  })
  if (inflatedBytes < expectedBytes) throw damaged('PNG', 'it has less pixel data than its width and height need')
}

/** @returns what looks at the next bytes, of which there are no more than the rows have */
function filterCheck(passes: Rows[]): (inflated: Uint8Array) => void {
  let [pass, row] = [0, 0]
  /** Bytes up to the next row. */
  let left = 0
  return (inflated) => {
    let at = left
    for (; at < inflated.length; at += passes[pass]!.bytes) {
      if (row === passes[pass]!.count) {
        pass++
        row = 0
      }
      row++
      if (inflated[at]! > lastFilter) throw damaged('PNG', 'a row of its pixels has a filter that there is not')
    }
    left = at - inflated.length
  }
}
