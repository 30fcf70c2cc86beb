import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'

const redocly = resolve('node_modules/@redocly/cli/bin/cli.js')

/** Redocly's linter. Its exit code is that of an error when the contract has faults, which is no reason to throw. */
async function lint(args: string[], cwd: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const options = { cwd, env: { ...process.env, REDOCLY_TELEMETRY: 'off' }, maxBuffer: 64 * 1024 * 1024 }
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [redocly, 'lint', ...args], options)) }
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string }
  }
}

describe('the contract', () => {
  test('breaks no rule', async () => {
    const { code, stdout, stderr } = await lint(['source', '--config', 'openapi/redocly.yaml'], '.')

    expect(code, stdout + stderr).toBe(0)
  })
})

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { type: 'object' }, example: {} } },
})

/** A contract of one operation that keeps all our rules. */
const sound = () => ({
  openapi: '3.0.3',
  info: { title: 'Reefs', version: '1.0.0' },
  paths: {
    '/reefs': {
      post: {
        operationId: 'createReef',
        'x-sdk': 'reefs.create' as string | undefined,
        summary: 'Create a reef',
        description: 'Makes a reef.',
        tags: ['Reefs'],
        security: [{ apiKey: [] }] as object[] | undefined,
        'x-scopes': ['reefs:write'],
        'x-roles': ['ADMIN'],
        parameters: [{ name: 'depth', in: 'query', schema: { type: 'integer', minimum: 0, maximum: 9 } as object }],
        requestBody: {
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Reef' } as object } },
        },
        responses: {
          '201': {
            description: 'It is there.',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Reef' } as object } },
          },
          '4XX': problem('A fault of yours.'),
          '503': problem('Later.'),
          '5XX': problem('A fault of ours.'),
        } as Record<string, object>,
      },
    },
  },
  components: {
    securitySchemes: {
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', 'x-scopes': { 'reefs:write': 'Write.' } },
    },
    schemas: {
      Reef: {
        type: 'object',
        additionalProperties: false,
        properties: { name: { $ref: 'name.json' } },
        example: { name: 'Lizard Island' },
      } as { properties: Record<string, object>; additionalProperties?: boolean; example?: object },
    },
  },
})

type Sound = ReturnType<typeof sound>
type Fault = [
  rule: string,
  fault: string,
  message: string,
  spoil: (operation: Sound['paths']['/reefs']['post'], document: Sound) => void,
]

const condition = (name: string) => ({ name, in: 'header', schema: { type: 'string', maxLength: 9, example: '*' } })

/** The same to be read, by its ETag. */
const tagged = ({ requestBody: _, responses, ...it }: Sound['paths']['/reefs']['post']) => ({
  ...it,
  operationId: 'listReefs',
  'x-sdk': 'reefs.list',
  responses: { ...responses, '200': { ...responses['201'], headers: { ETag: { schema: { type: 'string' } } } } },
})

const faults: Fault[] = [
  [
    'operation-shape',
    'an operationId that is not camelCase',
    'operationId must be camelCase.',
    (it) => (it.operationId = 'create-reef'),
  ],
  ['operation-shape', 'two tags', 'An operation has exactly one tag.', (it) => it.tags.push('Jobs')],
  [
    'operation-shape',
    'a summary with a full stop',
    'A summary starts with a capital and has no full stop.',
    (it) => (it.summary += '.'),
  ],
  ['operation-shape', 'no description', 'An operation has a description.', (it) => (it.description = ' ')],
  [
    'sdk-method',
    'an operation that the SDK has no name for',
    'x-sdk names the method of the SDK, such as jobs.create.',
    (it) => (it['x-sdk'] = undefined),
  ],
  [
    'sdk-method',
    "another operation's method",
    "reefs.create is createReef's already.",
    (it, { paths }) => Object.assign(paths, { '/other-reefs': { post: { ...it, operationId: 'createOtherReef' } } }),
  ],
  [
    'response-example',
    'a response without an example',
    'A response body has an example.',
    (_, { components }) => delete components.schemas.Reef.example,
  ],
  [
    'parameter-example',
    'a parameter that says nothing of what it may hold',
    'A parameter has an example.',
    ({ parameters }) => (parameters[0]!.schema = { type: 'string', maxLength: 9 }),
  ],
  ['shared-errors', 'no 4XX', 'Every operation answers 4XX.', ({ responses }) => delete responses['4XX']],
  ['shared-errors', 'no 503', 'Every operation answers 503.', ({ responses }) => delete responses['503']],
  ['shared-errors', 'no 5XX', 'Every operation answers 5XX.', ({ responses }) => delete responses['5XX']],
  [
    'shared-errors',
    'an error that is no problem',
    '404 must be application/problem+json.',
    ({ responses }) =>
      (responses['404'] = { description: 'Gone.', content: { 'application/json': { schema: {}, example: 1 } } }),
  ],
  [
    'conditional',
    'an ETag without a way to use it',
    'What has an ETag takes If-None-Match, and answers 304.',
    (it, { paths }) => Object.assign(paths['/reefs'], { get: tagged(it) }),
  ],
  [
    'conditional',
    'an ETag that spares nobody',
    'What has an ETag takes If-None-Match, and answers 304.',
    (it, { paths }) =>
      Object.assign(paths['/reefs'], { get: { ...tagged(it), parameters: [condition('If-None-Match')] } }),
  ],
  [
    'conditional',
    'a condition that refuses nothing',
    'What takes If-Match answers 412.',
    ({ parameters }) => parameters.push(condition('If-Match')),
  ],
  ['access', 'no security', 'An operation states its security, if only as [].', (it) => (it.security = undefined)],
  [
    'access',
    'a scope that is not declared',
    'The scope reefs:sell is not declared.',
    (it) => it['x-scopes'].push('reefs:sell'),
  ],
  [
    'access',
    'keys without scopes',
    'An operation that takes API keys names their scopes, if only as [].',
    (it) => Object.assign(it, { 'x-scopes': undefined }),
  ],
  ['access', 'a role that there is not', 'There is no role KING.', (it) => it['x-roles'].push('KING')],
  [
    'bounded-input',
    'a string without end',
    'The request body has a string without maxLength.',
    (_, { components }) => (components.schemas.Reef.properties.note = { type: 'string' }),
  ],
  [
    'bounded-input',
    'an array without end, in another file',
    'The request body has an array without maxItems.',
    (_, { components }) => (components.schemas.Reef.properties.all = { $ref: 'names.json' }),
  ],
  [
    'bounded-input',
    'a string without end, two files away',
    'The request body has a string without maxLength.',
    (_, { components }) => (components.schemas.Reef.properties.deep = { $ref: 'deep.json' }),
  ],
  [
    'bounded-input',
    'an integer without bounds',
    'The request body has an integer without minimum and maximum.',
    (_, { components }) => (components.schemas.Reef.properties.depth = { type: 'integer', minimum: 0 }),
  ],
  [
    'bounded-input',
    'an object that is open by silence',
    'The request body has an object that does not say whether it takes members beyond those it names.',
    (_, { components }) => delete components.schemas.Reef.additionalProperties,
  ],
  [
    'bounded-input',
    'a parameter without end',
    'The parameter has a string without maxLength.',
    ({ parameters }) => (parameters[0]!.schema = { type: 'string', example: 'deep' }),
  ],
]

const files: Record<string, unknown> = {
  'name.json': { type: 'string', maxLength: 100 },
  'text.json': { type: 'string' },
  'names.json': { type: 'array', items: { $ref: 'name.json' } },
  'deep.json': { type: 'array', maxItems: 3, items: { $ref: 'text.json' } },
}

/** What the rules say of each broken contract. One run for all: starting the linter takes longer than linting. */
async function verdicts() {
  const folder = mkdtempSync(join(tmpdir(), 'fieldstation-lint-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const rules = [...new Set(faults.map(([rule]) => `fieldstation/${rule}`))]
  const config = {
    plugins: [resolve('openapi/contract-rules.js')],
    rules: Object.fromEntries(rules.map((rule) => [rule, 'error'])),
  }
  const write = (file: string, content: unknown) => writeFileSync(join(folder, file), JSON.stringify(content))
  write('redocly.yaml', config)
  for (const [file, content] of Object.entries(files)) write(file, content)
  write('sound.json', sound())
  faults.forEach(([, , , spoil], index) => {
    const document = sound()
    spoil(document.paths['/reefs'].post, document)
    write(`fault-${index}.json`, document)
  })
  const documents = ['sound.json', ...faults.map((_, index) => `fault-${index}.json`)]

  const { stdout, stderr } = await lint(
    [...documents, '--config', 'redocly.yaml', '--format', 'json', '--max-problems', '1000'],
    folder,
  )

  if (!stdout) throw new Error(stderr)
  // One report after the other, in the order of the documents.
  const reports = stdout.trim().split(/(?<=^\})\s*(?=\{)/m)
  return new Map(
    reports.map((report, index) => [
      documents[index],
      JSON.parse(report).problems as { ruleId: string; message: string }[],
    ]),
  )
}

const found = await verdicts()
const said = (document: string) => found.get(document)?.map(({ ruleId, message }) => `${ruleId}: ${message}`)

describe('our rules', () => {
  test('have nothing against a sound contract', () => {
    expect(said('sound.json')).toEqual([])
  })

  test.each(faults.map(([rule, fault, message], index) => ({ rule, fault, message, index })))(
    '$rule refuses $fault, and no other complains',
    ({ rule, message, index }) => {
      expect(new Set(said(`fault-${index}.json`))).toEqual(new Set([`fieldstation/${rule}: ${message}`]))
    },
  )
})
