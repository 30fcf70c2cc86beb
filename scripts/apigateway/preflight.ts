import type { GatewayOperation, MockIntegration } from './gateway-document.ts'

export interface Preflight {
  path: string
  /** As the contract has them, in lower case. */
  methods: string[]
  /** Headers that the operations of the path take, besides those that every request may have. */
  headers: string[]
  /** Who may ask from a browser: `*`, or origins. */
  origins: string[]
}

const everyRequest = ['Authorization', 'Content-Type', 'X-API-Key', 'X-Request-Id']

/** The gateway answers preflights by itself, for every path. What a page may then read is for the service to say (`CORS_ORIGINS`). */
export function preflight({ path, methods, headers, origins }: Preflight): GatewayOperation {
  const [first = '*'] = origins
  const answer: Record<string, string> = {
    'Access-Control-Allow-Origin': first,
    'Access-Control-Allow-Methods': [...methods.map((method) => method.toUpperCase()), 'OPTIONS'].join(','),
    'Access-Control-Allow-Headers': [...new Set([...everyRequest, ...headers])].join(','),
    'Access-Control-Max-Age': '600',
    ...(first !== '*' && { Vary: 'Origin' }),
  }
  return {
    ...parametersOf(path),
    responses: {
      '204': {
        description: 'What a page of another origin may send.',
        headers: Object.fromEntries(Object.keys(answer).map((name) => [name, { schema: { type: 'string' } }])),
      },
    },
    'x-amazon-apigateway-integration': mock(answer, origins),
  }
}

function parametersOf(path: string): Pick<GatewayOperation, 'parameters'> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)
  if (names.length === 0) return {}
  return { parameters: names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })) }
}

function mock(answer: Record<string, string>, origins: string[]): MockIntegration {
  return {
    type: 'mock',
    passthroughBehavior: 'when_no_match',
    // A binary type that fits the preflight would have the gateway take the template below for binary, and fail.
    contentHandling: 'CONVERT_TO_TEXT',
    requestTemplates: { 'application/json': '{"statusCode":204}' },
    responses: {
      default: {
        statusCode: '204',
        responseParameters: Object.fromEntries(
          Object.entries(answer).map(([name, value]) => [`method.response.header.${name}`, `'${value}'`]),
        ),
        ...(origins.length > 1 && { responseTemplates: { 'application/json': originOf(origins) } }),
      },
    },
  }
}

/** A header has one origin: that of the request, if it is among ours. Velocity, and the header in either case, as browsers and HTTP/2 send it. */
function originOf(origins: string[]): string {
  const isOurs = origins.map((origin) => `$origin == "${origin}"`).join(' || ')
  return [
    '#set($origin = $input.params().header.get("Origin"))',
    '#if(!$origin || $origin == "")#set($origin = $input.params().header.get("origin"))#end',
    `#if(${isOurs})#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)#end`,
  ].join('\n')
}
