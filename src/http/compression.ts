import { promisify } from 'node:util'
import { brotliCompress, gzip, constants as zlib } from 'node:zlib'
import type { Context } from 'hono'

/** Shorter answers come no sooner compressed. */
const worthCompressing = 1400

const brotli = promisify(brotliCompress)
const encoders = {
  // Quality 4 is about as fast as gzip and smaller; the default of 11 takes seconds for what is made anew each time.
  br: (bytes: Buffer) => brotli(bytes, { params: { [zlib.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: promisify(gzip),
}

/** The text as the client likes it best, its header set; `undefined` where that is as it is, because it is short or no encoding is known. */
export async function compressed(c: Context, text: string | Buffer): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (text.length < worthCompressing) return undefined
  c.header('vary', 'accept-encoding', { append: true })
  const accepted = c.req.header('accept-encoding') ?? ''
  const encoding = (['br', 'gzip'] as const).find((name) =>
    new RegExp(`\\b${name}\\b(?!\\s*;\\s*q=0(\\.0*)?\\s*(,|$))`).test(accepted),
  )
  if (!encoding) return undefined
  c.header('content-encoding', encoding)
  return encoders[encoding](Buffer.from(text))
}
