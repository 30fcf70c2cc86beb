import { openCursor } from './byte-cursor.ts'
import { type ByteRanges, byteRanges } from './byte-ranges.ts'
import { damaged, ImageRefused } from './image-refused.ts'
import type { ImageSize, ImageSource, Inspection } from './inspection.ts'
import { headBytes, otherKind, padding } from './other-kind.ts'
import { type MarkupScan, markupScan } from './polyglot.ts'
import { openTiff, type TiffDirectory, type TiffFile } from './tiff-directory.ts'
import { inspectPage } from './tiff-page.ts'

const tags = { subDirectories: 330, iptc: 33723, exif: 34665, gps: 34853, interoperability: 40965 }
/** Types of values that are bytes, whatever they say: text, and what programs write into EXIF and into tags of their own. */
const bytesTypes = new Set([1, 2, 6, 7])
/** Of pages, of what lies below them, and of EXIF and the like, all together. */
const maxDirectories = 10_000

/**
 * Walks a TIFF (TIFF 6.0, classic and big; GeoTIFF is one): its chain of pages, the directories below them, and that
 * every value, strip and tile lies in the file. What no directory points at must not be another kind of file. The size
 * is the first page's.
 * @throws ImageRefused
 */
export async function inspectTiff({ source, head, budget }: Inspection): Promise<ImageSize> {
  const ranges = byteRanges()
  const tiff = await openTiff(source, ranges)
  const markup = markupScan(head)
  const trailerBytes = await passGhostArea(tiff, head, markup, ranges)
  const read = new Set<number>()
  /** Directories that are still to be read, by their offsets. */
  const below = new Map<number, { isPage: boolean }>()
  let size: ImageSize | undefined

  async function readDirectory(offset: number, isPage: boolean): Promise<TiffDirectory> {
    if (read.size + below.size >= maxDirectories) throw tooMany()
    read.add(offset)
    const directory = await tiff.directory(offset)
    await scanTexts(tiff, directory, markup)
    if (isPage) {
      const page = await inspectPage(tiff, directory, { budget, ranges, trailerBytes })
      size ??= page
    }
    for (const tag of [tags.subDirectories, tags.exif, tags.gps, tags.interoperability]) {
      if ((directory.entries.get(tag)?.count ?? 0) > maxDirectories) throw tooMany()
      for (const child of await tiff.list(directory, tag, maxDirectories)) {
        const known = below.get(child)
        if (!read.has(child)) below.set(child, { isPage: known?.isPage || tag === tags.subDirectories })
      }
    }
    return directory
  }

  for (let offset = tiff.firstDirectory; offset !== 0; ) {
    if (read.has(offset)) throw damaged('TIFF', 'its directories go round in a circle')
    below.delete(offset)
    offset = (await readDirectory(offset, true)).next
  }
  for (const [offset, { isPage }] of below) {
    below.delete(offset)
    await readDirectory(offset, isPage)
  }
  if (!size) throw damaged('TIFF', 'it has no page')
  await assertNoOtherKind(source, ranges, markup)
  return size
}

const tooMany = () =>
  new ImageRefused(
    'too_large_decoded',
    `The TIFF has more than ${maxDirectories.toLocaleString('en')} directories, for pages and what belongs to them; ` +
      'save it as several files.',
  )

async function scanTexts(tiff: TiffFile, { entries }: TiffDirectory, markup: MarkupScan): Promise<void> {
  for (const entry of entries.values()) {
    if (!bytesTypes.has(entry.type) && entry.tag !== tags.iptc) continue
    for await (const piece of tiff.bytes(entry)) markup.add(piece)
    markup.finish()
  }
}

/**
 * Behind the header of its cloud-optimized files GDAL says in words how they are laid out, and how long it will talk.
 * @returns how many bytes follow each strip or tile: its last ones once more, or none
 */
async function passGhostArea(
  tiff: TiffFile,
  head: Uint8Array,
  markup: MarkupScan,
  ranges: ByteRanges,
): Promise<number> {
  const start = tiff.headerBytes
  const text = Buffer.from(head.subarray(start)).toString('latin1')
  const [opening, length] = /^GDAL_STRUCTURAL_METADATA_SIZE=(\d{6}) bytes\n/.exec(text) ?? []
  if (!opening) return 0
  const ghost = { start, end: start + opening.length + Number(length) }
  for await (const piece of tiff.between(ghost)) markup.add(piece)
  markup.finish()
  ranges.add(ghost.start, ghost.end)
  return text.slice(0, ghost.end - start).includes('\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\n') ? 4 : 0
}

/** Editors leave bytes behind that nothing points at any more; programs find other files among them. */
async function assertNoOtherKind(source: ImageSource, ranges: ByteRanges, markup: MarkupScan): Promise<void> {
  await using cursor = openCursor(source)
  for (const { start, end } of ranges.gaps(source.sizeBytes)) {
    await cursor.skip(start - cursor.position())
    await cursor.skipRun(padding, end)
    const left = end - cursor.position()
    const beginning = await cursor.take(Math.min(headBytes, left))
    const kind = otherKind(beginning)
    if (kind) throw new ImageRefused('polyglot', `The TIFF holds ${kind} besides its image; save the image anew.`)
    markup.add(beginning)
    for await (const piece of cursor.pieces(end - cursor.position())) markup.add(piece)
    markup.finish()
  }
}
