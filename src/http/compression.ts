import { promisify } from 'node:util'
import { brotliCompress, gzip, constants as zlib } from 'node:zlib'
import type { Context } from 'hono'
import { kept } from '../kept.ts'

/** Shorter answers come no sooner compressed. */
const worthCompressing = 1400

const compressBrotli = promisify(brotliCompress)
const compressGzip = promisify(gzip)
const brotli = (text: string, quality: number) =>
  compressBrotli(text, { params: { [zlib.BROTLI_PARAM_QUALITY]: quality } })

type Bytes = Uint8Array<ArrayBuffer>
type Encoding = 'br' | 'gzip'

const encoders: Record<Encoding, (text: string) => Promise<Bytes>> = {
  // Quality 4 is about as fast as gzip and smaller; the default of 11 takes seconds for what is made anew each time.
  br: (text) => brotli(text, 4),
  gzip: (text) => compressGzip(text),
}

/** How the client likes this text best; `undefined` where that is as it is, because it is short or no encoding is known. */
export const encodingFor = (c: Context, text: string): Encoding | undefined =>
  text.length < worthCompressing ? undefined : negotiated(c)

/** The text in this encoding, its header set. */
export function compressed(c: Context, text: string, encoding: Encoding): Promise<Bytes> {
  c.header('content-encoding', encoding)
  return encoders[encoding](text)
}

/** The encodings of a text that is sent again and again. Each is made once. */
export type Encodings = Record<Encoding, () => Promise<Bytes>>

export const encodingsOf = (text: string): Encodings => ({
  // The first reader waits for it too: quality 9 takes a tenth of a second for a megabyte, 11 takes three.
  br: kept(() => brotli(text, 9)),
  gzip: kept(() => compressGzip(text)),
})

/** What the client likes best. That there was a choice is told to caches. */
export function negotiated(c: Context): Encoding | undefined {
  c.header('vary', 'accept-encoding', { append: true })
  const accepted = c.req.header('accept-encoding') ?? ''
  return (['br', 'gzip'] as const).find((name) =>
    new RegExp(`(^|,)\\s*${name}\\s*(;(?!\\s*q=0(\\.0*)?\\s*(,|$))|,|$)`, 'i').test(accepted),
  )
}
