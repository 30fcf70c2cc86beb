import { describe, expect, test } from 'vitest'
import { components } from '../../generated/schemas.ts'
import { startTestService } from '../support/service.ts'
import { contract, resolve } from './contract.ts'

const service = await startTestService()

/** The document that the application makes of its own routes and schemas. */
function documentOfApp() {
  const { app } = service
  for (const [name, schema] of Object.entries(components)) app.openAPIRegistry.register(name, schema as never)
  return app.getOpenAPIDocument({ openapi: contract.openapi, info: contract.info as never })
}

type Node = Record<string, unknown>

/**
 * The two documents say the same in slightly different words:
 * - The application has no shared responses, headers and parameters: references to them are followed.
 * - A parameter says `required: false`, where the contract says nothing. Parameters come in another order.
 * - An object that takes any further member says `additionalProperties: {nullable: true}` (and, where none is named,
 *   `properties: {}`), where the contract says `true`, or nothing.
 * - Code samples are for readers, and the application makes no use of them.
 */
function normal(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => normal(item))
    return key === 'parameters' ? items.sort((a, b) => placeOf(a).localeCompare(placeOf(b))) : items
  }
  if (!value || typeof value !== 'object') return value
  const { $ref } = value as { $ref?: unknown }
  if (typeof $ref === 'string' && !$ref.startsWith('#/components/schemas/')) return normal(resolve({ $ref }))
  const members = Object.entries(value as Node)
    .filter(([name, member]) => !(name === 'required' && member === false))
    .filter(([name]) => name !== 'x-codeSamples')
    .filter(([name, member]) => !(name === 'additionalProperties' && takesAnything(member)))
    .filter(([name, member]) => !(name === 'properties' && isEmpty(member)))
  // What an example says is no schema.
  return Object.fromEntries(members.map(([name, member]) => [name, isSaid(name) ? member : normal(member, name)]))
}

const placeOf = (parameter: unknown) => {
  const { in: place, name } = parameter as Node
  return `${place} ${name}`
}
const isSaid = (name: string) => name === 'example' || name === 'examples'
const isEmpty = (value: unknown) => JSON.stringify(value) === '{}'
const takesAnything = (value: unknown) => value === true || JSON.stringify(value) === '{"nullable":true}'

describe('the document of the application', () => {
  const made = documentOfApp()

  test('has the operations of the contract', () => {
    const paths = made.paths as Record<string, object>
    expect(Object.keys(paths).sort()).toEqual(Object.keys(contract.paths).sort())
  })

  test.each(Object.keys(contract.paths))('says the same of %s', (path) => {
    expect(normal(made.paths[path])).toEqual(normal(contract.paths[path]))
  })

  test('has the schemas of the contract', () => {
    expect(Object.keys(made.components?.schemas ?? {}).sort()).toEqual(Object.keys(contract.components.schemas).sort())
  })

  test.each(Object.keys(contract.components.schemas))('says the same of %s', (name) => {
    expect(normal(made.components?.schemas?.[name])).toEqual(normal(contract.components.schemas[name]))
  })
})

describe('getContract', () => {
  test('answers the contract', async () => {
    const response = await service.send('/openapi.json')

    expect(response.status).toBe(200)
    expect(await response.json()).toEqual(contract)
  })
})
