import { damaged } from './image-refused.ts'
import type { ImageSize, Inspection } from './inspection.ts'
import type { PixelBudget } from './pixel-budget.ts'
import { type MarkupScan, markupScan } from './polyglot.ts'
import { openTiff, type TiffDirectory, type TiffFile } from './tiff-directory.ts'

const tags = {
  imageWidth: 256,
  imageLength: 257,
  stripOffsets: 273,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  planarConfiguration: 284,
  tileWidth: 322,
  tileLength: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  subDirectories: 330,
  jpegOffset: 513,
  jpegByteCount: 514,
  xmp: 700,
  iptc: 33723,
  exif: 34665,
  gps: 34853,
  interoperability: 40965,
}

const ascii = 2
const maxPages = 100
const maxSubDirectories = 500
/** Strips or tiles whose places are read at a time. */
const batch = 4096

/**
 * Walks a TIFF (TIFF 6.0, classic and big; GeoTIFF is one): its chain of pages, the directories below them, and that
 * every value, strip and tile lies in the file. What no directory points at is not looked at. The size is the first
 * page's.
 * @throws ImageRefused
 */
export async function inspectTiff({ source, head, pixels }: Inspection): Promise<ImageSize> {
  const tiff = await openTiff(source)
  const markup = markupScan(head)
  const seen = new Set<number>()
  const below: { offset: number; isPage: boolean }[] = []
  const sizes: ImageSize[] = []
  let subDirectories = 0

  async function read(offset: number, isPage: boolean): Promise<TiffDirectory> {
    seen.add(offset)
    const directory = await tiff.directory(offset)
    await scanTexts(tiff, directory, markup)
    if (isPage) sizes.push(await inspectPage(tiff, directory, pixels))
    for (const tag of [tags.subDirectories, tags.exif, tags.gps, tags.interoperability]) {
      const offsets = await numbers(tiff, directory, tag, maxSubDirectories)
      subDirectories += offsets.length
      if (subDirectories > maxSubDirectories) throw damaged('TIFF', 'it has an absurd number of directories')
      below.push(...offsets.map((child) => ({ offset: child, isPage: tag === tags.subDirectories })))
    }
    return directory
  }

  for (let offset = tiff.firstDirectory; offset !== 0; ) {
    if (seen.has(offset)) throw damaged('TIFF', 'its directories go round in a circle')
    if (seen.size === maxPages) throw damaged('TIFF', `it has more than ${maxPages} pages`)
    offset = (await read(offset, true)).next
  }
  for (let next = below.pop(); next; next = below.pop()) {
    if (!seen.has(next.offset)) await read(next.offset, next.isPage)
  }
  const [first] = sizes
  if (!first) throw damaged('TIFF', 'it has no page')
  return first
}

async function scanTexts(tiff: TiffFile, { entries }: TiffDirectory, markup: MarkupScan): Promise<void> {
  for (const entry of entries.values()) {
    if (entry.type !== ascii && entry.tag !== tags.xmp && entry.tag !== tags.iptc) continue
    for await (const piece of tiff.bytes(entry)) markup.add(piece)
    markup.finish()
  }
}

/** The numbers of a tag; [] where it is absent. */
async function numbers(tiff: TiffFile, { entries }: TiffDirectory, tag: number, limit: number): Promise<number[]> {
  const entry = entries.get(tag)
  if (!entry) return []
  if (entry.count > limit) throw damaged('TIFF', `its tag ${tag} makes no sense`)
  return tiff.numbers(entry, 0, entry.count)
}

async function inspectPage(tiff: TiffFile, directory: TiffDirectory, pixels: PixelBudget): Promise<ImageSize> {
  const number = async (tag: number) => (await numbers(tiff, directory, tag, 1))[0]
  const width = await number(tags.imageWidth)
  const height = await number(tags.imageLength)
  const samples = (await number(tags.samplesPerPixel)) ?? 1
  if (width === undefined || height === undefined) throw damaged('TIFF', 'a page has no size')
  pixels.add(width, height, Math.max(1, samples / 4))
  const planes = (await number(tags.planarConfiguration)) === 2 ? samples : 1
  const { entries } = directory

  if (entries.has(tags.tileOffsets)) {
    const across = Math.ceil(width / ((await number(tags.tileWidth)) || 0))
    const down = Math.ceil(height / ((await number(tags.tileLength)) || 0))
    await assertStored(tiff, directory, tags.tileOffsets, tags.tileByteCounts, planes * across * down)
  } else if (entries.has(tags.stripOffsets)) {
    const rows = (await number(tags.rowsPerStrip)) ?? height
    await assertStored(tiff, directory, tags.stripOffsets, tags.stripByteCounts, planes * Math.ceil(height / rows))
  } else {
    // The JPEG of TIFF 6.0 section 22, superseded and still found.
    await assertStored(tiff, directory, tags.jpegOffset, tags.jpegByteCount, 1)
  }
  return { width, height }
}

/**
 * That all strips or tiles of a page lie in the file. @param least how many it needs, infinite where they have no size
 */
async function assertStored(
  tiff: TiffFile,
  { entries }: TiffDirectory,
  offsetsTag: number,
  countsTag: number,
  least: number,
): Promise<void> {
  const offsets = entries.get(offsetsTag)
  const counts = entries.get(countsTag)
  if (!offsets || !counts || offsets.count !== counts.count || !(offsets.count >= least)) {
    throw damaged('TIFF', 'a page has no pixels, or not all of them')
  }
  for (let from = 0; from < offsets.count; from += batch) {
    const length = Math.min(batch, offsets.count - from)
    const starts = await tiff.numbers(offsets, from, length)
    const lengths = await tiff.numbers(counts, from, length)
    // A sparse file leaves out empty tiles: they start at 0 and have no bytes.
    if (starts.some((start, i) => start + lengths[i]! > tiff.sizeBytes)) throw damaged('TIFF', 'it points past its end')
  }
}
