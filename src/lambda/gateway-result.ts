import { isUtf8 } from 'node:buffer'
import type { APIGatewayProxyResult } from 'aws-lambda'

/** Lambda gives back no more than this, as JSON. The gateway would answer 502 in its place. */
const maxResultBytes = 6 * 1024 * 1024

/** The answer is too large for a function that gives it back whole. */
export class ResultTooLarge extends Error {
  override name = 'ResultTooLarge'
}

/** The answer as API Gateway takes it: text as it is, all else in base64. */
export async function resultOf(response: Response): Promise<APIGatewayProxyResult> {
  const bytes = await read(response)
  const isText = bytes.length === 0 || (isTextual(response.headers) && isUtf8(bytes))
  const result = {
    statusCode: response.status,
    multiValueHeaders: valuesOf(response.headers),
    body: bytes.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: !isText,
  }
  // Quotation marks and line breaks grow when they are written as JSON.
  if (bytes.length > maxResultBytes / 10 && Buffer.byteLength(JSON.stringify(result)) > maxResultBytes)
    throw new ResultTooLarge()
  return result
}

/** All values of all headers. Only `set-cookie` may have several that cannot be joined. */
export function valuesOf(headers: Headers): Record<string, string[]> {
  const single = [...headers].filter(([name]) => name !== 'set-cookie').map(([name, value]) => [name, [value]] as const)
  const cookies = headers.getSetCookie()
  return { ...Object.fromEntries(single), ...(cookies.length > 0 && { 'set-cookie': cookies }) }
}

async function read({ body }: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.length
    if (length > maxResultBytes) throw new ResultTooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const isTextual = (headers: Headers) =>
  !headers.has('content-encoding') &&
  /^(text\/|application\/([\w.-]+\+)?(json|xml)\b)/i.test(headers.get('content-type') ?? '')
