import { isDeepStrictEqual } from 'node:util'
import { z } from '@hono/zod-openapi'
import type { ValidateFunction } from 'ajv'
import { afterAll, describe, expect, test } from 'vitest'
import { routes } from '../../generated/routes.ts'
import { components } from '../../generated/schemas.ts'
import type { Schema } from '../../scripts/generate/document.ts'
import { zodSource } from '../../scripts/generate/zod-schemas.ts'
import { text, toBoolean, uniqueItems } from '../../src/formats.ts'
import { contract, operations, resolve } from './contract.ts'
import { ajv, definitions, judgeOf } from './judge.ts'
import { junk, seededRandom, valuesOf } from './values.ts'

/**
 * Two judges of the same values: ajv, from the contract, and the generated zod schemas, which the service uses. Whatever one of them
 * takes and the other refuses is a fault: of the generator, of `src/formats.ts`, or of what the contract means by a word.
 */

let judged = 0
let accepted = 0
afterAll(() => {
  // Neither judge is asked the same question over and over.
  expect(judged).toBeGreaterThan(20_000)
  expect(accepted / judged).toBeGreaterThan(0.15)
  expect(accepted / judged).toBeLessThan(0.85)
})

/** Both must say the same; and what zod takes it must hand on as it came, but for the case of UUIDs. */
function compare(
  accepts: ValidateFunction,
  zod: z.ZodType,
  input: unknown,
  meaning: unknown = input,
): string | undefined {
  const isValid = accepts(meaning)
  const errors = accepts.errors
  const result = zod.safeParse(input)
  judged += 1
  if (isValid) accepted += 1
  const [less, hasProto] = withoutProto(meaning)
  // Where others are free to come in, zod drops members called `__proto__` and never looks into them. That is well.
  const isAgreed = isValid === result.success || (hasProto && accepts(less) === result.success)
  const kept = () => (hasProto ? withoutProto(result.data)[0] : result.data)
  if (isAgreed && (!result.success || isDeepStrictEqual(withLowerIds(kept()), withLowerIds(less)))) return undefined
  const meant = input === meaning ? '' : `\n  which means ${JSON.stringify(meaning)}`
  const verdict = result.success ? `accepts ${JSON.stringify(result.data)}` : result.error.message
  return `${JSON.stringify(input)}${meant}\n  contract: ${isValid ? 'accepts' : ajv.errorsText(errors)}\n  zod: ${verdict}`
}

function withLowerIds(value: unknown): unknown {
  if (typeof value === 'string')
    return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value) ? value.toLowerCase() : value
  if (Array.isArray(value)) return value.map(withLowerIds)
  if (!value || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withLowerIds(member)]))
}

function withoutProto(value: unknown): [less: unknown, hasProto: boolean] {
  const text = JSON.stringify(value)
  if (!text?.includes('"__proto__":')) return [value, false]
  return [JSON.parse(text, (key, member) => (key === '__proto__' ? undefined : member)), true]
}

function disagreements(schema: Schema, zod: z.ZodType, name: string, count: number): string[] {
  const judge = judgeOf(schema)
  const found: string[] = []
  for (const value of valuesOf({ ...judge, definitions, random: seededRandom(name) }, count)) {
    const disagreement = compare(judge.accepts, zod, value)
    if (disagreement) found.push(`${name}: ${disagreement}`)
    if (found.length >= 5) break
  }
  return found
}

describe('the contract and zod agree on', () => {
  test.each(Object.keys(contract.components.schemas))('%s', (name) => {
    const zod = components[name as keyof typeof components] as unknown as z.ZodType

    expect(disagreements({ $ref: `#/components/schemas/${name}` }, zod, name, 150)).toEqual([])
  })
})

type ZodRequest = {
  params?: z.ZodObject
  query?: z.ZodObject
  headers?: z.ZodObject
  body?: { content: Record<string, { schema: z.ZodType }> }
}
const requestOf = (operationId: string) => routes[operationId as keyof typeof routes].request as unknown as ZodRequest

describe('the contract and zod agree on the body of', () => {
  test.each(operations.filter(({ body, form }) => body || form))('$operationId', ({ operationId, body, form }) => {
    const zod = requestOf(operationId).body?.content[form ? 'multipart/form-data' : 'application/json']?.schema

    expect(disagreements((body ?? form)!.schema, zod!, operationId, 60)).toEqual([])
  })
})

const places = { path: 'params', query: 'query', header: 'headers' } as const
const parameters = operations.flatMap(({ operationId, parameters = [] }) =>
  parameters.map((parameter) => ({ operationId, name: parameter.name, place: parameter.in, parameter })),
)

/** What a parameter's text means: the JSON number or boolean that it spells, where the schema is one of those. Else itself. */
function meaningOf(text: unknown, type: string | undefined): unknown {
  if (typeof text !== 'string' || !['integer', 'number', 'boolean'].includes(type ?? '') || /^\s|\s$/.test(text))
    return text
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === (type === 'boolean' ? 'boolean' : 'number') ? value : text
  } catch {
    return text
  }
}

const oddTexts = [
  ...[
    '',
    ' ',
    '0',
    '-0',
    '1',
    '+1',
    '01',
    '-1',
    '1.0',
    '1.5',
    '1e2',
    '1E+2',
    '.5',
    '5.',
    '0x10',
    '1_000',
    '1,0',
    ' 1',
    '1 ',
    '1\n',
  ],
  ...[
    'NaN',
    'Infinity',
    '-Infinity',
    '1e999',
    '9007199254740993',
    'true',
    'TRUE',
    'false',
    'null',
    'undefined',
    '[1]',
    '{}',
    '٣',
  ],
]

describe('the contract and zod agree on the parameter', () => {
  test.each(parameters)('$name of $operationId', ({ operationId, name, place, parameter }) => {
    const zod = requestOf(operationId)[places[place]]?.shape[name] as z.ZodType
    const { default: preset, ...schema } = parameter.schema
    const judge = judgeOf(schema)
    const { type } = resolve<Schema>(parameter.schema)
    const random = seededRandom(`${operationId} ${name}`)
    const texts = [...valuesOf({ ...judge, definitions, random }, 30), ...junk]
      .filter((value) => value !== null && typeof value !== 'object')
      .map(String)
    const given = [...oddTexts, ...texts, ['1', '1'], ['a']]

    const found = given.flatMap((text) => compare(judge.accepts, zod, text, meaningOf(text, type)) ?? [])

    expect(found).toEqual([])
    expect(zod.safeParse(undefined)).toEqual(
      parameter.required ? expect.objectContaining({ success: false }) : { success: true, data: preset },
    )
  })
})

/** What the contract may say and does not everywhere, as the generator writes it. */
const sayings: Schema[] = [
  { type: 'string', pattern: '^.{1,2}$' },
  { type: 'string', pattern: '^[^a-z]+$', maxLength: 5 },
  { type: 'string', minLength: 2, maxLength: 3 },
  { type: 'string', nullable: true, maxLength: 3 },
  { type: 'string', format: 'uri', maxLength: 40 },
  { type: 'number', minimum: -1, exclusiveMinimum: true, maximum: 1, exclusiveMaximum: true },
  { type: 'integer', minimum: -5, maximum: 5, nullable: true },
  { type: 'boolean', nullable: true },
  { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: 3, uniqueItems: true },
  {
    type: 'array',
    uniqueItems: true,
    items: { type: 'object', minProperties: 2, additionalProperties: { type: 'number' } },
  },
  { type: 'object', minProperties: 1, maxProperties: 2, additionalProperties: { type: 'integer', nullable: true } },
  {
    type: 'object',
    additionalProperties: false,
    properties: { a: { type: 'string' } },
    required: ['a'],
    nullable: true,
  },
  {
    anyOf: [
      { type: 'string', maxLength: 2 },
      { type: 'number', minimum: 3 },
    ],
  },
]

describe('the contract and zod agree on', () => {
  test.each(sayings.map((schema) => [JSON.stringify(schema), schema] as const))('%s', (name, schema) => {
    const zod = new Function('z', 'text', 'uniqueItems', `return ${zodSource(schema, 'it')}`)(
      z,
      text,
      uniqueItems,
    ) as z.ZodType

    expect(disagreements(schema, zod, name, 60)).toEqual([])
  })

  test('true and false in a query', () => {
    for (const given of oddTexts) expect(toBoolean(given), given).toBe(meaningOf(given, 'boolean'))
  })
})

describe('a discriminator', () => {
  const unions = Object.entries(contract.components.schemas).filter(([, schema]) => schema.discriminator)

  test.each(unions)('of %s leads to the one schema that its value names', (_, schema) => {
    const { propertyName, mapping } = schema.discriminator as { propertyName: string; mapping: Record<string, string> }

    const named = Object.entries(mapping).map(([value, $ref]) => {
      const { required, properties } = resolve<Schema>({ $ref }) as {
        required: string[]
        properties: Record<string, Schema>
      }
      return { value, $ref, isRequired: required.includes(propertyName), enum: properties[propertyName]?.enum }
    })

    expect(named).toEqual(
      Object.entries(mapping).map(([value, $ref]) => ({ value, $ref, isRequired: true, enum: [value] })),
    )
    expect((schema.oneOf as Schema[]).map(({ $ref }) => $ref).sort()).toEqual(Object.values(mapping).sort())
  })
})
