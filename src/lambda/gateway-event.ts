import type { APIGatewayProxyEvent } from 'aws-lambda'

/** What came is no event of a REST API's proxy integration. */
export class NoGatewayEvent extends Error {
  override name = 'NoGatewayEvent'
}

/** The request that API Gateway has taken apart. `publicUrl` is where clients find the service, its path the base path of a custom domain. */
export function requestOf(event: APIGatewayProxyEvent, publicUrl: string, signal: AbortSignal): Request {
  if (typeof event?.httpMethod !== 'string' || !event.path?.startsWith?.('/') || !event.requestContext?.identity)
    throw new NoGatewayEvent('This is no event of an API Gateway REST API.')
  const { origin, pathname } = new URL(publicUrl)
  try {
    const body = bodyOf(event)
    const headers = headersOf(event, body)
    const url = origin + escaped(pathOf(event, pathname.replace(/\/$/, ''))) + queryOf(event)
    return new Request(url, { method: event.httpMethod, headers, body: body ?? null, signal })
  } catch (cause) {
    throw new NoGatewayEvent('This event of API Gateway makes no request.', { cause })
  }
}

/** The path as the contract has it. A custom domain's base path stays in the event's, a stage at API Gateway's own domain does not. */
function pathOf({ path, requestContext }: APIGatewayProxyEvent, basePath: string): string {
  const isOwnDomain = requestContext.path === `/${requestContext.stage}${path}`
  const isBelow = path === basePath || path.startsWith(`${basePath}/`)
  return isBelow && !isOwnDomain ? path.slice(basePath.length) || '/' : path
}

/** What was decoded on the way would make another path of it, or a query. */
function escaped(path: string): string {
  if (/\/\.{1,2}(\/|$)/.test(path)) throw new Error('A path leads where it says.')
  return path.replaceAll(/[?#\\\s]|\p{Cc}/gu, encodeURIComponent)
}

/** API Gateway has decoded it. */
function queryOf({ multiValueQueryStringParameters, queryStringParameters }: APIGatewayProxyEvent): string {
  const pairs = pairsOf(multiValueQueryStringParameters, queryStringParameters)
  return pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : ''
}

function headersOf(event: APIGatewayProxyEvent, body: Buffer<ArrayBuffer> | undefined): Headers {
  const headers = new Headers()
  for (const [name, value] of pairsOf(event.multiValueHeaders, event.headers)) headers.append(name, asBytes(value))
  // What arrives here is the body and not what the client sent it in.
  headers.delete('transfer-encoding')
  headers.delete('content-length')
  if (body) headers.set('content-length', String(body.length))
  const { requestId } = event.requestContext
  if (!headers.has('x-request-id') && requestId) headers.set('x-request-id', requestId)
  return headers
}

type Values = Record<string, string[] | undefined> | null | undefined
type LastValues = Record<string, string | undefined> | null | undefined

const pairsOf = (all: Values, last: LastValues): [string, string][] =>
  all
    ? Object.entries(all).flatMap(([name, values]) => (values ?? []).map((value): [string, string] => [name, value]))
    : Object.entries(last ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))

/** A header holds bytes. Text beyond them goes as UTF-8, which is how it came. */
const asBytes = (value: string) =>
  [...value].some((character) => character > '\u00ff') ? Buffer.from(value).toString('latin1') : value

/** As on any server, what is asked for has no body. */
function bodyOf({ httpMethod, body, isBase64Encoded }: APIGatewayProxyEvent): Buffer<ArrayBuffer> | undefined {
  if (!body || httpMethod === 'GET' || httpMethod === 'HEAD') return undefined
  return Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')
}
