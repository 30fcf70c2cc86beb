import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { tiffTags } from '../../src/rasters/tiff-layout.ts'
import { type TiffTag, tiffDirectoryBytes } from '../../src/rasters/tiff-tags.ts'
import { temporaryFolder } from './support.ts'

/** A 4 x 3 Float32 GeoTIFF of one deflated strip, UTM 55S, 10 m cells; tests change or remove what they are about. */
export const soundTags: Record<number, TiffTag> = Object.fromEntries(
  (
    [
      { tag: tiffTags.imageWidth, type: 'long', values: [4] },
      { tag: tiffTags.imageLength, type: 'long', values: [3] },
      { tag: tiffTags.bitsPerSample, type: 'short', values: [32] },
      { tag: tiffTags.compression, type: 'short', values: [8] },
      { tag: tiffTags.samplesPerPixel, type: 'short', values: [1] },
      { tag: tiffTags.rowsPerStrip, type: 'long', values: [3] },
      { tag: tiffTags.stripOffsets, type: 'long', values: [8] },
      { tag: tiffTags.stripByteCounts, type: 'long', values: [0] },
      { tag: tiffTags.sampleFormat, type: 'short', values: [3] },
      { tag: tiffTags.modelPixelScale, type: 'double', values: [10, 10, 0] },
      { tag: tiffTags.modelTiepoint, type: 'double', values: [0, 0, 0, 560_000, 7_916_000, 0] },
      { tag: tiffTags.geoKeyDirectory, type: 'short', values: [1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32755] },
    ] satisfies TiffTag[]
  ).map((tag) => [tag.tag, tag]),
)

export const soundCells = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]

/** What to change: a number stands for all values of the tag, an array for them, undefined removes it. */
export type TagChanges = Partial<Record<keyof typeof tiffTags, number | number[] | string | undefined>>

export interface TiffParts {
  tags?: TagChanges
  cells?: number[]
  /** The strip's bytes as they stand in the file, in place of the deflated cells. */
  strip?: Uint8Array
}

/** Writes the sound file with changes; returns its path. */
export async function writeTiff({ tags = {}, cells = soundCells, strip }: TiffParts = {}): Promise<string> {
  const bytes = strip ?? deflateSync(Float32Array.from(cells))
  const directory: Record<number, TiffTag> = { ...soundTags }
  const changes = { stripByteCounts: bytes.length, ...tags }
  for (const [name, change] of Object.entries(changes)) {
    const tag = tiffTags[name as keyof typeof tiffTags]
    const type = directory[tag]?.type ?? (tag === tiffTags.modelTransformation ? 'double' : 'short')
    if (change === undefined) delete directory[tag]
    else if (typeof change === 'string') directory[tag] = { tag, type: 'ascii', values: change }
    else directory[tag] = { tag, type: type as 'short', values: [change].flat() }
  }
  const start = 8 + bytes.length + (bytes.length % 2)
  const header = Buffer.from([0x49, 0x49, 42, 0, ...new Uint8Array(Uint32Array.of(start).buffer)])
  const sorted = Object.values(directory).sort((a, b) => a.tag - b.tag)
  const file = Buffer.concat([header, bytes, Buffer.alloc(bytes.length % 2), tiffDirectoryBytes(sorted, start)])
  const path = join(await temporaryFolder(), 'layer.tif')
  await writeFile(path, file)
  return path
}
