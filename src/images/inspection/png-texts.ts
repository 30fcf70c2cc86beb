import { promisify } from 'node:util'
import { inflate } from 'node:zlib'
import { damaged, ImageRefused } from './image-refused.ts'
import { chunkBytes, type PngChunk } from './png-chunks.ts'
import type { MarkupScan } from './polyglot.ts'

const inflateAsync = promisify(inflate)

const maxTextBytes = 8 * 1024 * 1024

/** All of one file together: a few colour profiles and pages of text. Each counts for some, to bound their number. */
const maxInflatedBytes = 4 * maxTextBytes
const leastInflatedBytes = 32 * 1024

/** Chunks that a picture can be made without: texts, colour profiles and whatever else (PNG 11.3). */
export interface PngTexts {
  /** Scans a chunk, also what it inflates to. @throws ImageRefused */
  read(chunk: PngChunk): Promise<void>
}

export function pngTexts(markup: MarkupScan): PngTexts {
  let inflatedBytes = 0

  async function scanInflated(bytes: Buffer, type: string) {
    const maxOutputLength = Math.min(maxTextBytes, maxInflatedBytes - inflatedBytes)
    if (maxOutputLength <= 0) throw tooLarge()
    const text = await inflateAsync(bytes, { maxOutputLength }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge() : damaged('PNG', `its chunk ${type} cannot be inflated`)
    })
    inflatedBytes += Math.max(text.length, leastInflatedBytes)
    markup.add(text)
    markup.finish()
  }

  return {
    async read(chunk) {
      const compressedPart = compressedParts[chunk.type]
      if (!compressedPart) {
        for await (const piece of chunk.rest()) markup.add(piece)
        return markup.finish()
      }
      if (chunk.length > maxTextBytes) throw tooLarge()
      const bytes = await chunkBytes(chunk)
      markup.add(bytes)
      markup.finish()
      const compressed = compressedPart(bytes)
      if (compressed) await scanInflated(compressed, chunk.type)
    },
  }
}

const tooLarge = () =>
  new ImageRefused('too_large_decoded', 'The PNG has too much metadata; export it without metadata.')

/** Behind the keyword and the method, which is always 0. */
function behindKeyword(bytes: Buffer): Buffer {
  const keywordEnd = bytes.indexOf(0)
  if (keywordEnd === -1 || bytes[keywordEnd + 1] !== 0) throw damaged('PNG', 'its metadata makes no sense')
  return bytes.subarray(keywordEnd + 2)
}

/** Keyword, flag, method, language, translated keyword, text. */
function internationalText(bytes: Buffer): Buffer | undefined {
  const keywordEnd = bytes.indexOf(0)
  const languageEnd = bytes.indexOf(0, keywordEnd + 3)
  const translatedEnd = bytes.indexOf(0, languageEnd + 1)
  const flag = bytes[keywordEnd + 1]
  const isWhole = keywordEnd !== -1 && languageEnd !== -1 && translatedEnd !== -1
  if (!isWhole || (flag !== 0 && flag !== 1)) throw damaged('PNG', 'its metadata makes no sense')
  return flag === 1 ? bytes.subarray(translatedEnd + 1) : undefined
}

const compressedParts: Record<string, (bytes: Buffer) => Buffer | undefined> = {
  iCCP: behindKeyword,
  zTXt: behindKeyword,
  iTXt: internationalText,
}
