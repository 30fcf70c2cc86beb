import type { Context } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'
import { isKnown, variantOf } from '../versions.ts'
import { compressed, encodingFor } from './compression.ts'
import type { RawBody } from './contract.ts'

/** What handlers answer, once the compiler has checked each by itself. */
export interface Reply {
  status: StatusCode
  headers?: Record<string, string>
  body?: unknown
  contentType?: string
  raw?: RawBody
}

/** Sends a handler's answer, compressed if the client likes that, or nothing of it to a client that has it (RFC 9110, section 13.1.2). */
export async function answer(c: Context, reply: Reply, ifNoneMatch: string | undefined): Promise<Response> {
  const { status, headers = {}, body, contentType } = reply
  const text = body === undefined ? undefined : JSON.stringify(body)
  const encoding = text === undefined ? undefined : encodingFor(c, text)
  const etag = headers.ETag && encoding ? variantOf(headers.ETag, encoding) : headers.ETag
  const isThere = status === 200 && etag && ifNoneMatch && isKnown(ifNoneMatch, etag)
  // Opened before a word is said about it: a problem has headers of its own.
  const raw = isThere ? undefined : await opened(c, reply.raw)
  for (const [name, value] of Object.entries({ ...headers, ...(etag && { ETag: etag }) })) c.header(name, value)
  if (isThere) return c.body(null, 304)
  c.header('content-type', text === undefined ? contentType : (contentType ?? 'application/json'))
  if (text === undefined) return c.body((raw ?? null) as never, status as never)
  return c.body(encoding ? await compressed(c, text, encoding) : text, status as never)
}

/** What is opened and not read would stay open: HEAD has no body. */
function opened(c: Context, raw: RawBody | undefined) {
  if (typeof raw !== 'function') return raw
  return c.req.method === 'HEAD' ? undefined : raw()
}
