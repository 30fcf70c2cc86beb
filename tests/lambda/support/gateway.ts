import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda'
import type { GatewayDocument, GatewayOperation } from '../../../scripts/apigateway/gateway-document.ts'
import type { Lambda } from './lambda.ts'

export interface GatewayOptions {
  /** Where a custom domain has the stage. */
  basePath?: string
  remainingMs?: number
}

const stage = 'v1'
/** Gives a Lambda function so many bytes and no more. */
const delimiter = Buffer.alloc(8)

/** API Gateway, as far as a client and a function can see it: a REST API made of our document, before one instance of the function. */
export function gateway(
  document: GatewayDocument,
  lambda: Lambda,
  { basePath = '', remainingMs }: GatewayOptions = {},
) {
  const binaryTypes = document['x-amazon-apigateway-binary-media-types'] ?? []
  const timing = remainingMs === undefined ? {} : { remainingMs }

  return async function send(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    const found = resourceOf(document, pathname)
    const operation = found && document.paths[found]![request.method.toLowerCase()]
    if (!operation) return answerOfItsOwn(document, 'MISSING_AUTHENTICATION_TOKEN')
    const event = await eventOf(request, { resource: found, basePath, binaryTypes })
    if (isStreaming(operation)) return streamedResponse(lambda.stream('streamHandler', event, timing))
    return wholeResponse(await lambda.invoke<APIGatewayProxyResult>('handler', event, timing), request, binaryTypes)
  }
}

const isStreaming = ({ 'x-amazon-apigateway-integration': integration }: GatewayOperation) =>
  'uri' in integration && integration.uri.endsWith('/response-streaming-invocations')

/** Static segments go before templated ones. */
function resourceOf({ paths }: GatewayDocument, pathname: string): string | undefined {
  const segments = pathname.split('/')
  const isTemplated = (segment: string) => segment.startsWith('{')
  return Object.keys(paths)
    .filter((path) => {
      const own = path.split('/')
      return own.length === segments.length && own.every((one, at) => isTemplated(one) || one === segments[at])
    })
    .toSorted((a, b) => a.split('{').length - b.split('{').length)[0]
}

export interface EventTerms {
  resource: string
  basePath?: string
  binaryTypes?: string[]
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html */
export async function eventOf(request: Request, { resource, basePath = '', binaryTypes = [] }: EventTerms) {
  const { pathname, searchParams, host } = new URL(request.url)
  const headers = valuesOf([...request.headers, ['Host', host], ['X-Forwarded-Proto', 'https']])
  const query = valuesOf([...searchParams])
  const bytes = Buffer.from(await request.arrayBuffer())
  const isBase64Encoded = binaryTypes.includes(mediaType(request.headers.get('content-type')))
  const path = basePath + pathname
  return {
    resource,
    path,
    httpMethod: request.method,
    headers: lastOf(headers)!,
    multiValueHeaders: headers!,
    queryStringParameters: lastOf(query),
    multiValueQueryStringParameters: query,
    pathParameters: null,
    stageVariables: null,
    requestContext: {
      stage,
      // At its own domain the stage goes before the path, at a custom one the base path.
      path: basePath ? path : `/${stage}${path}`,
      resourcePath: resource,
      httpMethod: request.method,
      requestId: crypto.randomUUID(),
      domainName: host,
      identity: { sourceIp: '192.0.2.1' },
    } as APIGatewayProxyEvent['requestContext'],
    isBase64Encoded: isBase64Encoded && bytes.length > 0,
    body: bytes.length > 0 ? bytes.toString(isBase64Encoded ? 'base64' : 'utf8') : null,
  } satisfies APIGatewayProxyEvent
}

function valuesOf(pairs: Iterable<[string, string]>): Record<string, string[]> | null {
  const groups = Map.groupBy(pairs, ([name]) => name)
  const values = [...groups].map(([name, all]) => [name, all.map(([, value]) => value)])
  return values.length > 0 ? Object.fromEntries(values) : null
}

const lastOf = (values: Record<string, string[]> | null) =>
  values && Object.fromEntries(Object.entries(values).map(([name, all]) => [name, all.at(-1)]))

const mediaType = (header: string | null) => (header ?? '').split(';')[0]!.trim()

/** Base64 is turned into bytes for those alone who ask for a binary type. Others would get the base64. */
export function wholeResponse(
  { statusCode, multiValueHeaders = {}, body, isBase64Encoded }: APIGatewayProxyResult,
  request: Request,
  binaryTypes: string[] = [],
): Response {
  const isBinary = binaryTypes.includes(mediaType(request.headers.get('accept')))
  const bytes = Buffer.from(body, isBase64Encoded && isBinary ? 'base64' : 'utf8')
  return responseOf(statusCode, multiValueHeaders as Record<string, string[]>, bytes.length > 0 ? bytes : null)
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html */
export async function streamedResponse(stream: ReadableStream<Uint8Array>): Promise<Response> {
  const reader = stream.getReader()
  let head = Buffer.alloc(0)
  while (!head.includes(delimiter)) {
    const { value, done } = await reader.read()
    if (done || head.length > 16_384) throw new Error(`No status and headers: ${head}`)
    head = Buffer.concat([head, value])
  }
  const end = head.indexOf(delimiter)
  const { statusCode, multiValueHeaders } = JSON.parse(head.subarray(0, end).toString())
  const first = head.subarray(end + delimiter.length)
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => void (first.length > 0 && controller.enqueue(first)),
    async pull(controller) {
      const { value, done } = await reader.read()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
  return responseOf(statusCode, multiValueHeaders, body)
}

function responseOf(status: number, headers: Record<string, string[]>, body: BodyInit | null): Response {
  const pairs = Object.entries(headers).flatMap(([name, values]) =>
    values.map((value): [string, string] => [name, value]),
  )
  return new Response(status === 204 || status === 304 ? null : body, { status, headers: pairs })
}

function answerOfItsOwn(document: GatewayDocument, type: string): Response {
  const answer = document['x-amazon-apigateway-gateway-responses'][type]!
  return new Response(answer.responseTemplates['application/json'], { status: Number(answer.statusCode) })
}
