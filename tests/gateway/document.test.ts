import { describe, expect, test } from 'vitest'
import type { Authorizer } from '../../scripts/apigateway/authorizers.ts'
import type { LambdaIntegration, MockIntegration } from '../../scripts/apigateway/gateway-document.ts'
import { gatewayFaults } from '../../scripts/apigateway/rules.ts'
import { operationsOf } from '../../scripts/generate/document.ts'
import { AppError, problems } from '../../src/errors.ts'
import { problemBody } from '../../src/http/problem.ts'
import { contract, operations, resolve } from '../contract/contract.ts'
import { contractOf, exported, userPoolArn } from './support.ts'

const authorizers: Authorizer[] = [
  { kind: 'none' },
  { kind: 'cognito', userPoolArn },
  { kind: 'lambda', cacheSeconds: 0 },
  { kind: 'lambda', cacheSeconds: 300 },
]
const integrationKey = 'x-amazon-apigateway-integration'
const integrationOf = (document: ReturnType<typeof exported>, path: string, method: string) =>
  document.paths[path]![method]![integrationKey]

describe('the document', () => {
  test.each(authorizers)('breaks no rule of the import with %j', (authorizer) => {
    expect(gatewayFaults(exported({ authorizer }))).toEqual([])
    expect(gatewayFaults(exported({ authorizer, corsOrigins: ['https://a.example', 'https://b.example'] }))).toEqual([])
  })

  test('is the same each time', () => {
    expect(JSON.stringify(exported())).toBe(JSON.stringify(exported()))
  })

  test('leaves the contract as it was', () => {
    const before = structuredClone(contract)

    exported({ authorizer: { kind: 'lambda', cacheSeconds: 0 } })

    expect(contract).toEqual(before)
  })

  test('has every operation of the contract, HEAD for files, a preflight for every path, and nothing else', () => {
    const expected = operationsOf(contract).map(({ path, method }) => `${method} ${path}`)
    const heads = ['head /api/images/{imageId}']
    const preflights = Object.keys(contract.paths).map((path) => `options ${path}`)

    const found = Object.entries(exported().paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    )

    expect(found.sort()).toEqual([...expected, ...heads, ...preflights].sort())
  })

  test('has the parameters of every operation, and each status that the contract names', () => {
    const document = exported()

    for (const { path, method, parameters = [], responses, operationId } of operations) {
      const operation = document.paths[path]![method.toLowerCase()]!
      expect(operation.operationId).toBe(operationId)
      expect((operation.parameters ?? []).map(({ in: place, name }) => [place, name])).toEqual(
        parameters.map((parameter) => [parameter.in, parameter.name]),
      )
      expect(Object.keys(operation.responses)).toEqual(Object.keys(responses).filter((status) => /^\d+$/.test(status)))
    }
  })
})

describe('an operation', () => {
  test('is answered by a function within 29 s, or as a stream within 15 minutes', () => {
    const document = exported()

    for (const { path, method, operationId } of operations) {
      const { type, httpMethod, timeoutInMillis, responseTransferMode } = integrationOf(
        document,
        path,
        method.toLowerCase(),
      ) as LambdaIntegration
      const ms = responseTransferMode === 'STREAM' ? 900_000 : 29_000
      expect([operationId, type, httpMethod, timeoutInMillis]).toEqual([operationId, 'aws_proxy', 'POST', ms])
    }
  })

  test.each([
    ['text/event-stream', true],
    ['text/html', true],
    ['image/png', true],
    ['application/octet-stream', true],
    ['application/geo+json', true],
    ['application/json', false],
  ])('that answers %s is streamed: %s', (type, isStreamed) => {
    const document = exported(
      {},
      contractOf('/one', 'get', { responses: { 200: { description: '', content: { [type]: {} } } } }),
    )

    const integration = integrationOf(document, '/one', 'get') as LambdaIntegration

    expect(integration.responseTransferMode === 'STREAM').toBe(isStreamed)
    expect(integration.uri).toContain(isStreamed ? '{stageVariables.streamFunction}' : '{stageVariables.apiFunction}')
    expect(integration.uri.endsWith('/response-streaming-invocations')).toBe(isStreamed)
  })

  test('is not streamed because its problems have a type of their own', () => {
    const problem = { description: '', content: { 'application/problem+json': {} } }
    const document = exported({}, contractOf('/one', 'get', { responses: { 204: { description: '' }, 400: problem } }))

    expect(integrationOf(document, '/one', 'get')).not.toHaveProperty('responseTransferMode')
  })

  test('streams events, the documentation, the contract, GeoJSON and files', () => {
    const document = exported()
    const streamed = operations
      .filter(({ path, method }) => 'responseTransferMode' in integrationOf(document, path, method.toLowerCase()))
      .map(({ operationId }) => operationId)

    expect(streamed).toEqual(expect.arrayContaining(['streamJobEvents', 'getDocs', 'getContract']))
    expect(streamed).toEqual(expect.arrayContaining(['getImage', 'listPolygons', 'getPolygon']))
    expect(streamed).not.toContain('listJobs')
    expect(streamed).not.toContain('createImage')
  })
})

describe('HEAD', () => {
  test('is answered where GET answers parts of a file, by the same function and under a name of its own', () => {
    for (const authorizer of authorizers) {
      const { get, head } = exported({ authorizer }).paths['/api/images/{imageId}']!

      expect(head).toEqual({ ...get, operationId: 'getImageHead' })
    }
  })

  test('has an operationId that nobody else has', () => {
    const ids = Object.values(exported().paths).flatMap((item) =>
      Object.values(item).flatMap(({ operationId }) => operationId ?? []),
    )

    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('functions', () => {
  test('are found by what the import and the stage fill in', () => {
    const { uri } = integrationOf(exported(), '/api/jobs', 'get') as LambdaIntegration

    expect(uri.match(/\$\{/g)).toHaveLength(6)
    expect(uri.replaceAll('$', '')).toBe(
      [
        'arn:{AWS::Partition}:apigateway:{AWS::Region}:lambda:path/2015-03-31/functions',
        'arn:{AWS::Partition}:lambda:{AWS::Region}:{AWS::AccountId}:function:{stageVariables.apiFunction}',
        'invocations',
      ].join('/'),
    )
  })

  test('are found by name where names are given', () => {
    const functions = {
      api: 'reef:live',
      stream: 'reef-stream:live',
      authorizer: 'gate',
      partition: 'aws-cn',
      region: 'cn-north-1',
      account: '123456789012',
    }
    const document = exported({ functions, authorizer: { kind: 'lambda', cacheSeconds: 0 } })

    const uris = [
      (integrationOf(document, '/api/jobs', 'get') as LambdaIntegration).uri,
      (integrationOf(document, '/api/jobs/{jobId}/events', 'get') as LambdaIntegration).uri,
      document.components.securitySchemes.lambdaAuthorizer!['x-amazon-apigateway-authorizer'].authorizerUri,
    ]

    const at = 'arn:aws-cn:lambda:cn-north-1:123456789012:function'
    expect(uris).toEqual([
      `arn:aws-cn:apigateway:cn-north-1:lambda:path/2015-03-31/functions/${at}:reef:live/invocations`,
      `arn:aws-cn:apigateway:cn-north-1:lambda:path/2021-11-15/functions/${at}:reef-stream:live/response-streaming-invocations`,
      `arn:aws-cn:apigateway:cn-north-1:lambda:path/2015-03-31/functions/${at}:gate/invocations`,
    ])
    expect(gatewayFaults(document)).toEqual([])
  })
})

describe('binary media types', () => {
  const taking = (...types: string[]) =>
    contractOf('/one', 'post', { requestBody: { content: Object.fromEntries(types.map((type) => [type, {}])) } })

  test('are those of the bodies that are no text, in order', () => {
    const types = exported(
      {},
      taking('multipart/form-data', 'image/tiff', 'application/json', 'text/csv', 'application/gzip'),
    )

    expect(types['x-amazon-apigateway-binary-media-types']).toEqual([
      'application/gzip',
      'image/tiff',
      'multipart/form-data',
    ])
  })

  test.each(['application/json', 'application/merge-patch+json', 'application/x-www-form-urlencoded', 'text/plain'])(
    'do not have %s',
    (type) => {
      expect(exported({}, taking(type))).not.toHaveProperty('x-amazon-apigateway-binary-media-types')
    },
  )

  test('are all that our contract takes and is no text', () => {
    const taken = operations.flatMap(({ requestBody }) =>
      requestBody ? Object.keys(resolve(requestBody).content ?? {}) : [],
    )
    const binary = new Set(taken.filter((type) => !/json$|^text\/|urlencoded$/.test(type)))

    expect(exported()['x-amazon-apigateway-binary-media-types']).toEqual([...binary].sort())
    expect([...binary]).toContain('multipart/form-data')
  })
})

describe('a preflight', () => {
  const answerOf = (path: string, corsOrigins = ['*']) => {
    const mock = integrationOf(exported({ corsOrigins }), path, 'options') as MockIntegration
    return mock.responses.default
  }

  test('names the methods of the path and the headers that its operations take', () => {
    expect(answerOf('/api/polygons/{polygonId}').responseParameters).toEqual({
      'method.response.header.Access-Control-Allow-Origin': "'*'",
      'method.response.header.Access-Control-Allow-Methods': "'GET,PUT,DELETE,OPTIONS'",
      'method.response.header.Access-Control-Allow-Headers':
        "'Authorization,Content-Type,X-API-Key,X-Request-Id,If-None-Match,If-Match'",
      'method.response.header.Access-Control-Max-Age': "'600'",
    })
  })

  test('lets a page ask for parts of a file', () => {
    expect(answerOf('/api/images/{imageId}').responseParameters).toMatchObject({
      'method.response.header.Access-Control-Allow-Methods': "'GET,HEAD,PATCH,DELETE,OPTIONS'",
      'method.response.header.Access-Control-Allow-Headers':
        "'Authorization,Content-Type,X-API-Key,X-Request-Id,Range,If-Range,If-None-Match,If-Modified-Since,If-Match,If-Unmodified-Since'",
    })
  })

  test('lets nobody pass an authorizer, and asks nobody for credentials', () => {
    const document = exported({ authorizer: { kind: 'lambda', cacheSeconds: 0 } })

    for (const item of Object.values(document.paths)) expect(item.options).not.toHaveProperty('security')
  })

  test('names the one origin there is', () => {
    const { responseParameters, responseTemplates } = answerOf('/api/jobs', ['https://console.reef.example'])

    expect(responseParameters).toMatchObject({
      'method.response.header.Access-Control-Allow-Origin': "'https://console.reef.example'",
      'method.response.header.Vary': "'Origin'",
    })
    expect(responseTemplates).toBeUndefined()
  })

  test('names the origin that asks, if it is one of several', () => {
    const { responseParameters, responseTemplates } = answerOf('/api/jobs', ['https://a.example', 'https://b.example'])

    expect(responseParameters['method.response.header.Access-Control-Allow-Origin']).toBe("'https://a.example'")
    const template = responseTemplates!['application/json']!
    expect(template).toContain('#if($origin == "https://a.example" || $origin == "https://b.example")')
    expect(template).toContain('#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)')
  })
})

describe('what the gateway answers by itself', () => {
  const answers = exported()['x-amazon-apigateway-gateway-responses']

  test.each([
    ['MISSING_AUTHENTICATION_TOKEN', 404, 'not_found'],
    ['INVALID_SIGNATURE', 404, 'not_found'],
    ['UNAUTHORIZED', 401, 'unauthenticated'],
    ['ACCESS_DENIED', 403, 'forbidden'],
    ['REQUEST_TOO_LARGE', 413, 'payload_too_large'],
    ['UNSUPPORTED_MEDIA_TYPE', 415, 'unsupported_media_type'],
    ['THROTTLED', 503, 'service_unavailable'],
    ['INTEGRATION_TIMEOUT', 504, 'service_unavailable'],
    ['AUTHORIZER_FAILURE', 500, 'internal'],
  ])('%s is %i %s', (type, status, code) => {
    const { statusCode, responseTemplates } = answers[type]!

    expect(statusCode).toBe(String(status))
    expect(JSON.parse(responseTemplates['application/json']!)).toMatchObject({ status, code })
  })

  test.each(Object.entries(answers))('%s is a problem as the service would write it', (_, answer) => {
    const { detail, ...body } = JSON.parse(answer.responseTemplates['application/json']!)

    expect(detail).toMatch(/\.$/)
    const ours = problemBody(new AppError(body.code, detail), '/', '$context.requestId')
    const { instance: _instance, status, detail: _detail, ...same } = ours
    expect(body).toEqual({ ...same, status: Number(answer.statusCode ?? status) })
    expect(answer.responseParameters).toMatchObject({
      'gatewayresponse.header.Content-Type': "'application/problem+json'",
      'gatewayresponse.header.Access-Control-Allow-Origin': "'*'",
    })
  })

  test('says when to come back only where nothing was done', () => {
    const patient = Object.keys(answers).filter(
      (type) => 'gatewayresponse.header.Retry-After' in answers[type]!.responseParameters,
    )

    expect(patient).toEqual(['QUOTA_EXCEEDED', 'THROTTLED'])
    expect(problems.service_unavailable.status).toBe(503)
  })

  test('changes no status of what it does not name', () => {
    expect(answers.DEFAULT_4XX).not.toHaveProperty('statusCode')
    expect(answers.DEFAULT_5XX).not.toHaveProperty('statusCode')
  })

  test('may be read by the one origin there is', () => {
    const { UNAUTHORIZED } = exported({ corsOrigins: ['https://a.example'] })['x-amazon-apigateway-gateway-responses']

    expect(UNAUTHORIZED!.responseParameters['gatewayresponse.header.Access-Control-Allow-Origin']).toBe(
      "'https://a.example'",
    )
  })
})

describe('an authorizer', () => {
  const guardedBy = (authorizer: Authorizer) => {
    const document = exported({ authorizer })
    return operations
      .filter(({ path, method }) => document.paths[path]![method.toLowerCase()]!.security)
      .map(({ operationId }) => operationId)
  }
  const schemesOf = ({ security }: (typeof operations)[number]) =>
    security.flatMap((requirement) => Object.keys(requirement))

  test('is none unless asked for: no operation demands anything of the gateway', () => {
    expect(guardedBy({ kind: 'none' })).toEqual([])
    expect(exported().components.securitySchemes).toEqual({})
  })

  test('of Lambda guards what is not open to all', () => {
    const closed = operations.filter(({ security }) => security.length > 0).map(({ operationId }) => operationId)

    expect(guardedBy({ kind: 'lambda', cacheSeconds: 0 })).toEqual(closed)
    expect(closed).not.toContain('login')
  })

  test('of Cognito guards what takes nothing but the token of a person', () => {
    const personal = operations.filter((operation) => schemesOf(operation).join() === 'bearerAuth')

    const guarded = guardedBy({ kind: 'cognito', userPoolArn })

    expect(guarded).toEqual(personal.map(({ operationId }) => operationId))
    expect(guarded).toContain('createApiKey')
    for (const open of ['login', 'listJobs', 'claimJobs', 'reportResult']) expect(guarded).not.toContain(open)
  })

  test('remembers nothing unless told, since a credential may be in either of two headers', () => {
    const schemeOf = (cacheSeconds: number) =>
      exported({ authorizer: { kind: 'lambda', cacheSeconds } }).components.securitySchemes.lambdaAuthorizer

    const forgetful = schemeOf(0)!['x-amazon-apigateway-authorizer']
    expect(forgetful).toMatchObject({ type: 'request', authorizerResultTtlInSeconds: 0 })
    expect(forgetful).not.toHaveProperty('identitySource')
    expect(schemeOf(300)).toMatchObject({
      name: 'Authorization',
      'x-amazon-apigateway-authorizer': {
        authorizerResultTtlInSeconds: 300,
        identitySource: 'method.request.header.Authorization',
      },
    })
  })
})
