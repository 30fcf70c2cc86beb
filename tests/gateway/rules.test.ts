import { describe, expect, test } from 'vitest'
import { gatewayFaults, rules } from '../../scripts/apigateway/rules.ts'
import { exported, userPoolArn } from './support.ts'

// biome-ignore lint/suspicious/noExplicitAny: what is spoiled is of no type any more.
type Spoiled = any

const integration = 'x-amazon-apigateway-integration'
const authorizer = 'x-amazon-apigateway-authorizer'
const answers = 'x-amazon-apigateway-gateway-responses'
const binary = 'x-amazon-apigateway-binary-media-types'

const sound = (): Spoiled => structuredClone(exported({ authorizer: { kind: 'lambda', cacheSeconds: 0 } }))
const job = (document: Spoiled) => document.paths['/api/jobs/{jobId}']
const events = (document: Spoiled) => document.paths['/api/jobs/{jobId}/events'].get[integration]
const jobLambda = (document: Spoiled) => job(document).get[integration]
const mock = (document: Spoiled) => job(document).options[integration]
const scheme = (document: Spoiled) => document.components.securitySchemes.lambdaAuthorizer
const atJob = '/paths/~1api~1jobs~1{jobId}'
const atScheme = '/components/securitySchemes/lambdaAuthorizer'

const ruleOf = (name: string) => rules.find((rule) => rule.name === name)!

const withModel = (schema: unknown) => (document: Spoiled) => {
  document.components.schemas = { Reef: { type: 'object', properties: { depth: schema } } }
}
const withJobSchema = (schema: unknown) => (document: Spoiled) => {
  job(document).get.responses[200].content = { 'application/json': { schema } }
}
const copyJob = (path: string) => (document: Spoiled) => {
  document.paths[path] = { get: { ...structuredClone(job(document).get), operationId: 'copy', parameters: [] } }
}
const withParameter = (parameter: object) => (document: Spoiled) => job(document).get.parameters.push(parameter)
const atDepth = '/components/schemas/Reef/properties/depth'

/** How a sound document breaks each rule, and where the fault is. */
const spoilings: [rule: string, how: string, spoil: (document: Spoiled) => void, pointer: string][] = [
  ['openapi-version', 'is OpenAPI 3.1', (d) => (d.openapi = '3.1.0'), '/openapi'],
  ['title', 'has no title', (d) => delete d.info.title, '/info/title'],
  ['size', 'has 6 MB', (d) => (d.info.description = 'x'.repeat(6 * 1024 * 1024)), ''],
  [
    'resources',
    'has 300 more paths',
    (d) => {
      for (let index = 0; index < 300; index++) d.paths[`/path-${index}`] = {}
    },
    '/paths',
  ],
  ['binary-media-types', 'has no media type', (d) => (d[binary] = ['image']), `/${binary}`],
  ['binary-media-types', 'has one twice', (d) => (d[binary] = ['image/png', 'Image/PNG']), `/${binary}`],
  [
    'compression-size',
    'compresses what has less than no bytes',
    (d) => (d['x-amazon-apigateway-minimum-compression-size'] = -1),
    '/x-amazon-apigateway-minimum-compression-size',
  ],

  ['path-segments', 'has half a variable', copyJob('/api/reef-{reefId}'), '/paths/~1api~1reef-{reefId}'],
  ['path-segments', 'has another letter', copyJob('/api/riff~s'), '/paths/~1api~1riff~0s'],
  ['path-segments', 'ends in a slash', copyJob('/api/reefs/'), '/paths/~1api~1reefs~1'],
  ['path-segments', 'begins without one', copyJob('api'), '/paths/api'],
  ['greedy-last', 'goes on behind the rest', copyJob('/files/{path+}/log'), '/paths/~1files~1{path+}~1log'],
  ['sibling-variables', 'has two names for a step', copyJob('/api/jobs/{id}/more'), '/paths/~1api~1jobs~1{id}~1more'],
  ['reserved-paths', 'has /ping', copyJob('/ping'), '/paths/~1ping'],
  ['path-variables-declared', 'forgets one', (d) => job(d).get.parameters.splice(0, 1), `${atJob}/get`],
  [
    'path-variables-used',
    'has one too many',
    withParameter({ name: 'reefId', in: 'path', required: true, schema: { type: 'string' } }),
    `${atJob}/get`,
  ],

  ['methods', 'has a method of its own', (d) => (job(d).trace = job(d).get), `${atJob}/trace`],
  [
    'operation-ids',
    'has two of a name',
    (d) => (d.paths['/livez'].get.operationId = 'getReadiness'),
    '/paths/~1readyz/get',
  ],
  ['responses', 'answers nothing', (d) => (job(d).get.responses = {}), `${atJob}/get`],
  [
    'response-statuses',
    'answers a range',
    (d) => (job(d).get.responses['4XX'] = { description: '' }),
    `${atJob}/get/responses/4XX`,
  ],
  [
    'response-statuses',
    'answers by default',
    (d) => (job(d).get.responses.default = { description: '' }),
    `${atJob}/get/responses/default`,
  ],
  [
    'response-refs',
    'refers to a response',
    (d) => {
      d.components.responses = { Gone: { description: '' } }
      job(d).get.responses[410] = { $ref: '#/components/responses/Gone' }
    },
    `${atJob}/get/responses/410`,
  ],
  [
    'response-headers',
    'has a header twice',
    (d) => (job(d).get.responses[200].headers = { ETag: {}, etag: {} }),
    `${atJob}/get/responses/200/headers/etag`,
  ],
  [
    'primitive-responses',
    'answers a text',
    withJobSchema({ type: 'string' }),
    `${atJob}/get/responses/200/content/application~1json/schema`,
  ],

  [
    'parameter-places',
    'takes a cookie',
    withParameter({ name: 'session', in: 'cookie', schema: { type: 'string' } }),
    `${atJob}/get/parameters/3`,
  ],
  [
    'parameter-attributes',
    'says how to write a list',
    withParameter({ name: 'tags', in: 'query', style: 'form', schema: { type: 'string' } }),
    `${atJob}/get/parameters/3/style`,
  ],
  [
    'parameter-attributes',
    'bounds a parameter',
    withParameter({ name: 'limit', in: 'query', schema: { type: 'integer', maximum: 5 } }),
    `${atJob}/get/parameters/3/schema/maximum`,
  ],
  [
    'path-parameters-required',
    'does not need its path',
    (d) => (job(d).get.parameters[0].required = false),
    `${atJob}/get/parameters/0`,
  ],
  [
    'repeated-parameters',
    'has a header in two cases',
    (d) => {
      withParameter({ name: 'If-Match', in: 'header', schema: { type: 'string' } })(d)
      withParameter({ name: 'if-match', in: 'header', schema: { type: 'string' } })(d)
    },
    `${atJob}/get`,
  ],
  [
    'repeated-parameters',
    'has what its path has',
    (d) => (job(d).parameters = [structuredClone(job(d).get.parameters[1])]),
    `${atJob}/get`,
  ],
  [
    'ignored-headers',
    'takes Accept',
    withParameter({ name: 'Accept', in: 'header', schema: { type: 'string' } }),
    `${atJob}/get/parameters/3`,
  ],

  ['no-nullable', 'has null', withModel({ type: 'string', nullable: true }), `${atDepth}/nullable`],
  [
    'no-discriminator',
    'has kinds',
    withModel({ type: 'object', discriminator: { propertyName: 'kind' } }),
    `${atDepth}/discriminator`,
  ],
  ['no-default', 'has a default', withModel({ type: 'integer', default: 1 }), `${atDepth}/default`],
  [
    'no-exclusiveMinimum',
    'has a bound',
    withModel({ type: 'number', minimum: 0, exclusiveMinimum: true }),
    `${atDepth}/exclusiveMinimum`,
  ],
  ['no-readOnly', 'is only read', withModel({ type: 'string', readOnly: true }), `${atDepth}/readOnly`],
  ['no-writeOnly', 'is only written', withModel({ type: 'string', writeOnly: true }), `${atDepth}/writeOnly`],
  [
    'no-oneOf',
    'is one of some',
    withJobSchema({ allOf: [{ oneOf: [] }] }),
    `${atJob}/get/responses/200/content/application~1json/schema/allOf/0/oneOf`,
  ],
  ['no-anyOf', 'is any of some', withModel({ items: { anyOf: [] } }), `${atDepth}/items/anyOf`],
  [
    'no-additionalProperties',
    'is closed',
    withModel({ type: 'object', additionalProperties: false }),
    `${atDepth}/additionalProperties`,
  ],
  ['no-example', 'has an example', withModel({ type: 'string', example: 'x' }), `${atDepth}/example`],
  [
    'no-examples',
    'has examples',
    (d) => (job(d).get.responses[200].content = { 'application/json': { examples: {} } }),
    `${atJob}/get/responses/200/content/application~1json/examples`,
  ],
  ['no-deprecated', 'is on its way out', (d) => (job(d).get.deprecated = true), `${atJob}/get/deprecated`],
  ['number-formats', 'has 64 bits', withModel({ type: 'integer', format: 'int64' }), `${atDepth}/format`],
  [
    'model-names',
    'has a name with a dash',
    (d) => (d.components.schemas = { 'Reef-Site': {} }),
    '/components/schemas/Reef-Site',
  ],
  ['external-refs', 'refers to a file', withModel({ $ref: 'Depth.yml' }), `${atDepth}/$ref`],
  ['dangling-refs', 'refers to nothing', withModel({ $ref: '#/components/schemas/Depth' }), `${atDepth}/$ref`],

  ['root-security', 'has security for all', (d) => (d.security = [{ lambdaAuthorizer: [] }]), '/security'],
  ['scheme-types', 'has a scheme of HTTP', (d) => (scheme(d).type = 'http'), atScheme],
  ['scheme-types', 'has a scheme in a cookie', (d) => (scheme(d).in = 'cookie'), atScheme],
  [
    'gateway-api-keys',
    'has our own API keys',
    (d) => (d.components.securitySchemes.apiKey = { type: 'apiKey', name: 'X-API-Key', in: 'header' }),
    '/components/securitySchemes/apiKey',
  ],
  [
    'known-schemes',
    'demands what is not there',
    (d) => (job(d).get.security = [{ oauth: [] }]),
    `${atJob}/get/security`,
  ],
  [
    'one-authorizer',
    'asks two',
    (d) => {
      d.components.securitySchemes.other = structuredClone(scheme(d))
      job(d).get.security.push({ other: [] })
    },
    `${atJob}/get/security`,
  ],
  [
    'authorizers',
    'has eleven',
    (d) => {
      for (let index = 0; index < 10; index++)
        d.components.securitySchemes[`other${index}`] = structuredClone(scheme(d))
    },
    '/components/securitySchemes',
  ],
  [
    'authorizers',
    'has one of another kind',
    (d) => (scheme(d)[authorizer].type = 'jwt'),
    `${atScheme}/${authorizer}/type`,
  ],
  [
    'authorizers',
    'calls no function',
    (d) => (scheme(d)[authorizer].authorizerUri = 'https://reef.example'),
    `${atScheme}/${authorizer}/authorizerUri`,
  ],
  [
    'authorizers',
    'remembers for a day',
    (d) =>
      Object.assign(scheme(d)[authorizer], {
        authorizerResultTtlInSeconds: 86_400,
        identitySource: 'method.request.header.Authorization',
      }),
    `${atScheme}/${authorizer}/authorizerResultTtlInSeconds`,
  ],
  [
    'authorizers',
    'remembers for less than no time',
    (d) => (scheme(d)[authorizer].authorizerResultTtlInSeconds = -1),
    `${atScheme}/${authorizer}/authorizerResultTtlInSeconds`,
  ],
  [
    'authorizers',
    'remembers by nothing',
    (d) => (scheme(d)[authorizer].authorizerResultTtlInSeconds = 300),
    `${atScheme}/${authorizer}/identitySource`,
  ],
  [
    'authorizers',
    'remembers by nothing unless told not to',
    (d) => delete scheme(d)[authorizer].authorizerResultTtlInSeconds,
    `${atScheme}/${authorizer}/identitySource`,
  ],
  [
    'authorizers',
    'has no user pool',
    (d) => (scheme(d)[authorizer] = { type: 'cognito_user_pools' }),
    `${atScheme}/${authorizer}/providerARNs`,
  ],

  ['integrations', 'is answered by nothing', (d) => delete job(d).get[integration], `${atJob}/get`],
  ['integrations', 'is answered by a lamb', (d) => (jobLambda(d).type = 'lamb'), `${atJob}/get/${integration}/type`],
  [
    'passthrough',
    'passes on sometimes',
    (d) => (jobLambda(d).passthroughBehavior = 'sometimes'),
    `${atJob}/get/${integration}/passthroughBehavior`,
  ],
  [
    'lambda-post',
    'calls its function by GET',
    (d) => (jobLambda(d).httpMethod = 'GET'),
    `${atJob}/get/${integration}/httpMethod`,
  ],
  [
    'lambda-uri',
    'has the name of the function alone',
    (d) => (jobLambda(d).uri = 'arn:aws:lambda:eu-central-1:123456789012:function:reef'),
    `${atJob}/get/${integration}/uri`,
  ],
  [
    'lambda-uri',
    'has no such account',
    (d) => (jobLambda(d).uri = jobLambda(d).uri.replace(/:[^:]+::AccountId\}/, ':12345')),
    `${atJob}/get/${integration}/uri`,
  ],
  [
    'lambda-uri',
    'leaves it to CloudFormation',
    (d) => (jobLambda(d).uri = { 'Fn::Sub': jobLambda(d).uri }),
    `${atJob}/get/${integration}/uri`,
  ],
  [
    'timeouts',
    'waits for 30 s',
    (d) => (jobLambda(d).timeoutInMillis = 30_000),
    `${atJob}/get/${integration}/timeoutInMillis`,
  ],
  [
    'timeouts',
    'streams for 16 minutes',
    (d) => (events(d).timeoutInMillis = 960_000),
    `${atJob}~1events/get/${integration}/timeoutInMillis`,
  ],
  [
    'transfer-mode',
    'drips',
    (d) => (jobLambda(d).responseTransferMode = 'DRIP'),
    `${atJob}/get/${integration}/responseTransferMode`,
  ],
  [
    'transfer-mode',
    'streams a mock',
    (d) => (mock(d).responseTransferMode = 'STREAM'),
    `${atJob}/options/${integration}/responseTransferMode`,
  ],
  [
    'transfer-uri',
    'streams a whole answer',
    (d) => (events(d).uri = jobLambda(d).uri),
    `${atJob}~1events/get/${integration}/uri`,
  ],
  ['transfer-uri', 'waits for a stream', (d) => (jobLambda(d).uri = events(d).uri), `${atJob}/get/${integration}/uri`],

  [
    'mock-template',
    'does not say how to answer',
    (d) => (mock(d).requestTemplates = { 'application/json': '{}' }),
    `${atJob}/options/${integration}/requestTemplates`,
  ],
  ['mock-default', 'has no answer', (d) => (mock(d).responses = {}), `${atJob}/options/${integration}/responses`],
  [
    'mock-status',
    'answers what is not declared',
    (d) => {
      mock(d).responses.default = { statusCode: '200' }
    },
    `${atJob}/options/${integration}/responses/default/statusCode`,
  ],
  [
    'mock-headers',
    'answers a header that is not declared',
    (d) => delete job(d).options.responses[204].headers['Access-Control-Max-Age'],
    `${atJob}/options/${integration}/responses/default/responseParameters/method.response.header.Access-Control-Max-Age`,
  ],
  [
    'mock-headers',
    'forgets the quotes',
    (d) => (mock(d).responses.default.responseParameters['method.response.header.Access-Control-Max-Age'] = '600'),
    `${atJob}/options/${integration}/responses/default/responseParameters/method.response.header.Access-Control-Max-Age`,
  ],
  [
    'mock-binary',
    'takes everything for binary',
    (d) => {
      d[binary] = ['*/*']
      delete mock(d).contentHandling
    },
    `${atJob}/options/${integration}/contentHandling`,
  ],

  [
    'gateway-response-types',
    'answers a teapot',
    (d) => (d[answers].TEAPOT = d[answers].THROTTLED),
    `/${answers}/TEAPOT`,
  ],
  [
    'gateway-response-statuses',
    'answers a range',
    (d) => (d[answers].THROTTLED.statusCode = '4XX'),
    `/${answers}/THROTTLED/statusCode`,
  ],
  [
    'gateway-response-headers',
    'maps a header of no gateway',
    (d) => (d[answers].THROTTLED.responseParameters['header.Via'] = "'x'"),
    `/${answers}/THROTTLED/responseParameters/header.Via`,
  ],
  [
    'gateway-response-headers',
    'forgets the quotes',
    (d) => (d[answers].THROTTLED.responseParameters['gatewayresponse.header.Via'] = 'x'),
    `/${answers}/THROTTLED/responseParameters/gatewayresponse.header.Via`,
  ],
  [
    'gateway-response-headers',
    'has one twice',
    (d) => (d[answers].THROTTLED.responseParameters['gatewayresponse.header.retry-after'] = "'1'"),
    `/${answers}/THROTTLED/responseParameters/gatewayresponse.header.retry-after`,
  ],
  [
    'gateway-response-templates',
    'makes no JSON',
    (d) => (d[answers].THROTTLED.responseTemplates['application/json'] = '{"detail":$context.requestId}'),
    `/${answers}/THROTTLED/responseTemplates/application~1json`,
  ],
]

describe('a rule', () => {
  test.each(spoilings)('%s is broken by a document that %s', (rule, _, spoil, pointer) => {
    const document = sound()
    spoil(document)

    const found = [...ruleOf(rule).find(document)]

    expect(found).toEqual([{ pointer, message: expect.stringMatching(/./) }])
  })

  test('is there for each way to break it, and there is a way for each', () => {
    expect([...new Set(spoilings.map(([rule]) => rule))].sort()).toEqual(rules.map(({ name }) => name).sort())
  })

  test('has nothing against a sound document', () => {
    expect(gatewayFaults(sound())).toEqual([])
  })

  test.each([null, 'text', [], {}, { paths: [] }, { paths: { '/x': null } }, { paths: { '/x': { get: 1 } } }])(
    'stands whatever it is given: %j',
    (document) => {
      expect(gatewayFaults(document).length).toBeGreaterThan(0)
    },
  )
})

describe('what is fine', () => {
  const fine: [string, (document: Spoiled) => void][] = [
    [
      'a property that is named like a keyword',
      (d) => {
        d.components.schemas = {
          Reef: { type: 'object', properties: { default: { type: 'string' }, example: { type: 'string' } } },
        }
      },
    ],
    [
      'a greedy variable at the end',
      (d) => {
        const parameters = [{ name: 'path', in: 'path', required: true, schema: { type: 'string' } }]
        d.paths['/files/{path+}'] = { get: { ...job(d).get, operationId: 'file', parameters } }
      },
    ],
    [
      'parameters that are written elsewhere',
      (d) => {
        d.components.parameters = { JobId: job(d).get.parameters[0] }
        job(d).parameters = [{ $ref: '#/components/parameters/JobId' }]
        job(d).get.parameters.splice(0, 1)
        job(d).options.parameters = []
      },
    ],
    [
      'the same variable name wherever the step is the same',
      (d) => {
        d.paths['/api/jobs/{jobId}/more'] = { get: { ...job(d).get, operationId: 'more' } }
      },
    ],
    [
      'a user pool',
      (d) => {
        scheme(d)[authorizer] = { type: 'cognito_user_pools', providerARNs: [userPoolArn] }
      },
    ],
    [
      'an alias from a stage variable',
      (d) => {
        jobLambda(d).uri = jobLambda(d).uri.replace(/function:[^/]+/, 'function:reef:$${stageVariables.alias}')
      },
    ],
    [
      'a model of an object',
      (d) => {
        withJobSchema({ $ref: '#/components/schemas/Reef' })(d)
        d.components.schemas = { Reef: { type: 'object', properties: { name: { type: 'string' } } } }
      },
    ],
  ]

  test.each(fine)('%s', (_, change) => {
    const document = sound()
    change(document)

    expect(gatewayFaults(document)).toEqual([])
  })
})
