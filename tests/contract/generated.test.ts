import { execFile } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ContractDocument, Schema } from '../../scripts/generate/document.ts'
import { routesSource } from '../../scripts/generate/routes.ts'
import { schemasSource } from '../../scripts/generate/zod-schemas.ts'

const run = promisify(execFile)
const script = resolve('scripts/generate.ts')

/** The generator, in a folder that has all it needs. */
const generate = (folder: string, ...args: string[]) => run(process.execPath, [script, ...args], { cwd: folder })

/** A copy of the contract and of what is made from it, to break things in. */
function copyOfContract(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fieldstation-generate-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const part of ['openapi', 'generated', 'sdk', 'biome.json'])
    cpSync(part, join(folder, part), { recursive: true })
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Every file below, with its bytes and the time of its last change. */
const stateOf = (folder: string) =>
  ['openapi', 'generated'].flatMap((part) =>
    readdirSync(join(folder, part), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const file = join(entry.parentPath, entry.name)
        return `${file.slice(folder.length + 1)} ${statSync(file, { bigint: true }).mtimeNs} ${readFileSync(file, 'base64')}`
      })
      .sort(),
  )

const filesOf = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]))

describe('npm run generate', () => {
  test('has nothing to do: generated/ is up to date', async () => {
    await generate('.', '--check')
  })

  test('makes the same bytes from nothing as it made before', async () => {
    const folder = copyOfContract()
    rmSync(join(folder, 'generated'), { recursive: true })

    await generate(folder)

    const made = filesOf(join(folder, 'generated'))
    expect(Object.keys(made)).toEqual(Object.keys(filesOf('generated')))
    for (const [file, content] of Object.entries(filesOf('generated'))) expect(made[file] === content, file).toBe(true)
  })

  test.each([
    [
      'what it made',
      ['openapi.json', 'types.ts', 'schemas.ts', 'routes.ts', 'job-types.ts'].map((file) => `generated/${file}`),
    ],
    [
      'the lists of job types',
      ['JobType', 'JobCreate', 'JobResult'].map((name) => `openapi/components/schemas/${name}.yml`),
    ],
  ])('--check names all that is stale of %s, and writes nothing', async (_, files) => {
    const folder = copyOfContract()
    for (const file of files) appendFileSync(join(folder, file), '\n')
    const before = stateOf(folder)

    const outcome = generate(folder, '--check')

    await expect(outcome).rejects.toThrow(`Out of date: ${files.join(', ')}. Run npm run generate.`)
    expect(stateOf(folder)).toEqual(before)
  })

  test('adds a job type by one file', async () => {
    const folder = copyOfContract()
    const source = readFileSync('openapi/job-types/TEST.yml', 'utf8')
    writeFileSync(
      join(folder, 'openapi/job-types/TIDE_TABLE.yml'),
      source
        .replaceAll('TestJob', 'TideTableJob')
        .replaceAll('TestResult', 'TideTableResult')
        .replaceAll('TEST', 'TIDE_TABLE'),
    )

    await generate(folder)

    const read = (file: string) => readFileSync(join(folder, 'generated', file), 'utf8').replaceAll(/\s+/g, ' ')
    const { JobType, JobCreate, JobResult } = JSON.parse(read('openapi.json')).components.schemas
    const [$ref, result] = ['TideTableJob', 'TideTableResult'].map((name) => `#/components/schemas/${name}`)
    expect(JobType.enum).toContain('TIDE_TABLE')
    expect(JobCreate.oneOf).toContainEqual({ $ref })
    expect(JobCreate.discriminator.mapping.TIDE_TABLE).toBe($ref)
    expect(JobResult.anyOf).toContainEqual({ $ref: result })
    expect(read('job-types.ts')).toContain(
      'input: untyped(z.lazy(() => TideTableJobSchema.unwrap().shape.inputPayload))',
    )
    expect(read('types.ts')).toContain("TIDE_TABLE: { input: components['schemas']['TideTableJob']['inputPayload']")
  })
})

/** A contract that has nothing but these schemas. */
const documentWith = (schemas: Record<string, Schema>): ContractDocument => ({
  openapi: '3.0.3',
  paths: {},
  components: { schemas },
})

const reef = (...properties: [string, Schema][]) =>
  documentWith({
    Reef: { type: 'object', properties: Object.fromEntries(properties) },
  })

describe('schemasSource', () => {
  test.each<[string, ContractDocument, string]>([
    [
      'an unknown keyword',
      reef(['depth', { type: 'number', const: 4 }]),
      'Reef.depth: unknown schema keyword "const" (of number)',
    ],
    [
      'a keyword that its type ignores',
      reef(['depth', { type: 'integer', maxLength: 4 }]),
      'Reef.depth: unknown schema keyword "maxLength" (of integer)',
    ],
    ['a limit beside an enum', reef(['zone', { type: 'string', enum: ['a'], maxLength: 4 }]), '"maxLength" (of enum)'],
    ['a format of integers', reef(['depth', { type: 'integer', format: 'int64' }]), '"format" (of integer)'],
    [
      'an unknown format',
      reef(['place', { type: 'string', format: 'hostname' }]),
      'Reef.place: unknown format "hostname"',
    ],
    [
      'a default in a body',
      reef(['depth', { type: 'number', default: 4 }]),
      'Reef.depth: "default" is for parameters; let the description say it',
    ],
    [
      'a default of a component',
      documentWith({ Depth: { type: 'number', default: 4 } }),
      'Depth: "default" is for parameters',
    ],
    [
      'an unknown keyword inside an array',
      reef(['all', { type: 'array', items: { type: 'string', not: {} } }]),
      'Reef.all: unknown schema keyword "not"',
    ],
    [
      'allOf',
      documentWith({ Reef: { type: 'object', allOf: [] } }),
      'Reef: unknown schema keyword "allOf" (of object)',
    ],
    [
      'a keyword beside a reference',
      documentWith({ Depth: { type: 'number' }, Reef: { $ref: '#/components/schemas/Depth', minimum: 4 } }),
      'Reef: "minimum" beside a $ref says nothing',
    ],
    ['a schema without a type', reef(['depth', {}]), 'Reef.depth: a schema needs a type'],
    ['an enum of numbers', reef(['depth', { type: 'integer', enum: [1] }]), 'Reef.depth: an enum holds strings'],
    ['an array without items', reef(['all', { type: 'array' }]), 'Reef.all: an array needs items'],
    ['oneOf without a discriminator', documentWith({ Reef: { oneOf: [] } }), 'Reef: oneOf needs a discriminator'],
    [
      'a required member that is not there',
      documentWith({ Reef: { type: 'object', required: ['depth'] } }),
      'Reef: "depth" is required but not there',
    ],
    [
      'named and unnamed members of different kinds',
      documentWith({
        Reef: { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'number' } },
      }),
      'Reef: "additionalProperties" beside "properties" is true or false',
    ],
    [
      'schemas that go in a circle',
      documentWith({
        Reef: { type: 'object', properties: { neighbour: { $ref: '#/components/schemas/Neighbour' } } },
        Neighbour: { type: 'array', items: { $ref: '#/components/schemas/Reef' } },
      }),
      'Neighbour → Reef → Neighbour: schemas go in a circle',
    ],
  ])('refuses %s, and says where', (_, document, message) => {
    expect(() => schemasSource(document)).toThrow(message)
  })

  test('puts each schema after those that it refers to, whatever their members are called', () => {
    const source = schemasSource(
      documentWith({
        Atoll: { type: 'object', properties: { example: { $ref: '#/components/schemas/Reef' } } },
        Reef: { type: 'string' },
      }),
    )

    expect(source.indexOf('ReefSchema =')).toBeLessThan(source.indexOf('AtollSchema ='))
  })
})

describe('routesSource', () => {
  const operation = (path: string, parts: object) => [
    path,
    { get: { operationId: path.replaceAll(/\W/g, ''), tags: [], responses: {}, security: [], ...parts } },
  ]

  test('puts static paths before templated ones', () => {
    const paths = Object.fromEntries([operation('/reefs/{reefId}', {}), operation('/reefs/nearest', {})])

    const source = routesSource({ ...documentWith({}), paths })

    expect(source).toContain('export const routes = { reefsnearest, reefsreefId }')
  })

  test('refuses an unknown keyword of a parameter, and says where', () => {
    const parameters = [{ name: 'depth', in: 'query', schema: { type: 'number', const: 4 } }]
    const paths = Object.fromEntries([operation('/reefs', { parameters })])

    expect(() => routesSource({ ...documentWith({}), paths })).toThrow('reefs depth: unknown schema keyword "const"')
  })

  test('refuses schemes that must come together', () => {
    const paths = Object.fromEntries([operation('/reefs', { security: [{ bearerAuth: [], apiKey: [] }] })])

    expect(() => routesSource({ ...documentWith({}), paths })).toThrow('security: one scheme to a requirement')
  })
})
