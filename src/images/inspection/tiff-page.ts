import type { ByteRanges } from './byte-ranges.ts'
import { damaged } from './image-refused.ts'
import type { ImageSize } from './inspection.ts'
import type { TiffDirectory, TiffFile } from './tiff-directory.ts'
import { type UnpackedBudget, unpackedBytes } from './unpacked-budget.ts'

const tags = {
  imageWidth: 256,
  imageLength: 257,
  bitsPerSample: 258,
  compression: 259,
  photometricInterpretation: 262,
  stripOffsets: 273,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  planarConfiguration: 284,
  tileWidth: 322,
  tileLength: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  jpegOffset: 513,
  jpegByteCount: 514,
  subsampling: 530,
}
const uncompressed = 1
const separatePlanes = 2
const yCbCr = 6

const maxSamples = 65_535
/** Strips or tiles whose places are read at a time. */
const batch = 4096

interface Samples {
  count: number
  isSeparate: boolean
  bitsPerPixel: number
  bitsOf(sample: number): number
  /** Of YCbCr (TIFF 6.0 section 21): so many pixels share their colour, across and down. */
  shared?: ImageSize
}

/** The strips or tiles of a page. */
interface Chunks {
  offsetsTag: number
  countsTag: number
  /** How many a page needs, infinite where they have no size. */
  least: number
  /** What one of them unpacks to. */
  unpackedBytes(index: number): number
}

interface Storage {
  ranges: ByteRanges
  /** What follows each strip or tile, and belongs to it. */
  trailerBytes: number
}

/** That all strips or tiles of a page lie in the file, where they are noted, and have what it needs. Throws `ImageRefused`. */
export async function inspectPage(
  tiff: TiffFile,
  directory: TiffDirectory,
  { budget, ...storage }: { budget: UnpackedBudget } & Storage,
): Promise<ImageSize> {
  const number = async (tag: number) => (await tiff.list(directory, tag, 1))[0]
  const width = await number(tags.imageWidth)
  const height = await number(tags.imageLength)
  if (width === undefined || height === undefined) throw damaged('TIFF', 'a page has no size')
  const samples = await readSamples(tiff, directory)
  const { entries } = directory
  const planes = samples.isSeparate ? samples.count : 1
  const bytes = unpackedBytes({ width, height }, samples.bitsPerPixel)

  async function chunks(): Promise<Chunks> {
    if (entries.has(tags.tileOffsets)) {
      const tile = { width: (await number(tags.tileWidth)) || 0, height: (await number(tags.tileLength)) || 0 }
      const perPlane = Math.ceil(width! / tile.width) * Math.ceil(height! / tile.height)
      // Tiles are whole, also at the edges (section 15).
      budget.add(perPlane === Number.POSITIVE_INFINITY ? bytes : perPlane * unpackedBytes(tile, samples.bitsPerPixel))
      return {
        ...{ offsetsTag: tags.tileOffsets, countsTag: tags.tileByteCounts, least: planes * perPlane },
        unpackedBytes: (index) => storedBytes(samples, Math.floor(index / perPlane), tile),
      }
    }
    budget.add(bytes)
    if (entries.has(tags.stripOffsets)) {
      const rows = Math.min((await number(tags.rowsPerStrip)) ?? height!, height!)
      const perPlane = Math.ceil(height! / rows)
      const rowsOf = (strip: number) => Math.min(rows, height! - strip * rows)
      return {
        ...{ offsetsTag: tags.stripOffsets, countsTag: tags.stripByteCounts, least: planes * perPlane },
        unpackedBytes: (index) =>
          storedBytes(samples, Math.floor(index / perPlane), { width: width!, height: rowsOf(index % perPlane) }),
      }
    }
    // The JPEG of section 22, superseded and still found.
    return { offsetsTag: tags.jpegOffset, countsTag: tags.jpegByteCount, least: 1, unpackedBytes: () => 0 }
  }

  const isStoredAsIs = ((await number(tags.compression)) ?? uncompressed) === uncompressed
  await assertStored(tiff, directory, { chunks: await chunks(), isStoredAsIs, ...storage })
  return { width, height }
}

async function readSamples(tiff: TiffFile, directory: TiffDirectory): Promise<Samples> {
  const list = (tag: number, limit = 1) => tiff.list(directory, tag, limit)
  const [count = 1] = await list(tags.samplesPerPixel)
  const bits = await list(tags.bitsPerSample, maxSamples)
  const first = bits[0] ?? 1
  if (count === 0 || [first, ...bits].includes(0)) throw damaged('TIFF', 'a page has pixels of no bits')
  const told = bits.slice(0, count)
  const isSeparate = (await list(tags.planarConfiguration))[0] === separatePlanes
  const isYCbCr = (await list(tags.photometricInterpretation))[0] === yCbCr && count === 3
  const [across = 2, down = 2] = await list(tags.subsampling, 2)
  return {
    ...{ count, isSeparate, bitsOf: (sample) => bits[sample] ?? first },
    bitsPerPixel: told.reduce((sum, each) => sum + each, (count - told.length) * first),
    ...(isYCbCr && { shared: { width: across, height: down } }),
  }
}

/** What a strip or tile has in the file where it is not compressed: whole bytes for each row of samples. */
function storedBytes(samples: Samples, plane: number, { width, height }: ImageSize): number {
  const { shared } = samples
  if (shared && (!samples.isSeparate || plane > 0)) {
    // All brightness of the pixels that share a colour, then that; alone in a plane of its own.
    const perColour = samples.isSeparate ? 1 : shared.width * shared.height + 2
    const size = { width: Math.ceil(width / shared.width), height: Math.ceil(height / shared.height) }
    return unpackedBytes(size, perColour * samples.bitsOf(plane))
  }
  return unpackedBytes({ width, height }, samples.isSeparate ? samples.bitsOf(plane) : samples.bitsPerPixel)
}

async function assertStored(
  tiff: TiffFile,
  { entries }: TiffDirectory,
  { chunks, isStoredAsIs, ranges, trailerBytes }: { chunks: Chunks; isStoredAsIs: boolean } & Storage,
): Promise<void> {
  const offsets = entries.get(chunks.offsetsTag)
  const counts = entries.get(chunks.countsTag)
  if (!offsets || !counts || offsets.count !== counts.count || !(offsets.count >= chunks.least)) {
    throw damaged('TIFF', 'a page has no pixels, or not all of them')
  }
  for (let from = 0; from < offsets.count; from += batch) {
    const length = Math.min(batch, offsets.count - from)
    const starts = await tiff.numbers(offsets, from, length)
    const lengths = await tiff.numbers(counts, from, length)
    for (const [i, start] of starts.entries()) {
      const stored = lengths[i]!
      if (start + stored > tiff.sizeBytes) throw damaged('TIFF', 'it points past its end')
      // A sparse file leaves out empty ones: they start at 0 and have no bytes.
      const isLeftOut = start === 0 && stored === 0
      if (isLeftOut || from + i >= chunks.least) continue
      const needed = isStoredAsIs ? chunks.unpackedBytes(from + i) : 0
      if (stored < needed) throw damaged('TIFF', 'its pixels are stored in fewer bytes than they need')
      ranges.add(start, start + (needed || stored) + trailerBytes)
    }
  }
}
