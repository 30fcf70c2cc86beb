import { stripTypeScriptTypes } from 'node:module'
import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { components } from '../../generated/schemas.ts'
import type { ContractDocument } from '../../scripts/generate/document.ts'
import { schemasSource } from '../../scripts/generate/zod-schemas.ts'
import { withoutWords } from '../../scripts/lambda/without-words.ts'
import { text, uniqueItems } from '../../src/formats.ts'
import { contract } from '../contract/contract.ts'
import { definitions, judgeOf } from '../contract/judge.ts'
import { seededRandom, valuesOf } from '../contract/values.ts'

const lean = withoutWords(contract)

/** The schemas that a function is bundled with. */
function schemasOf(document: ContractDocument): Record<string, z.ZodType> {
  const source = stripTypeScriptTypes(schemasSource(document))
    .replaceAll(/^import .*$/gm, '')
    .replaceAll('export ', '')
  return new Function('z', 'text', 'uniqueItems', `${source}; return components`)(z, text, uniqueItems)
}

describe('the contract without words', () => {
  test('leaves out what is said to people, and nothing of the same name that people say', () => {
    const said = { title: 'Reefs', description: 'All of them.', example: {}, tags: ['Reefs'], 'x-roles': ['ADMIN'] }
    const properties = { title: { type: 'string', description: 'Its name.' }, tags: { enum: ['title'] } }
    const document = {
      components: { schemas: { description: { ...said, type: 'object', properties, required: ['title'] } } },
    }

    expect(withoutWords(document as never)).toEqual({
      components: {
        schemas: {
          description: {
            'x-roles': ['ADMIN'],
            type: 'object',
            properties: { title: { type: 'string' }, tags: { enum: ['title'] } },
            required: ['title'],
          },
        },
      },
    })
  })

  test('is much smaller', () => {
    expect(JSON.stringify(lean).length).toBeLessThan(JSON.stringify(contract).length / 2)
  })

  const bundled = schemasOf(lean)

  test.each(Object.entries(components))('judges %s alike', (name, schema) => {
    const values = valuesOf(
      { ...judgeOf({ $ref: `#/components/schemas/${name}` }), definitions, random: seededRandom(name) },
      40,
    )

    for (const value of values) expect(bundled[name]!.safeParse(value)).toEqual(schema.safeParse(value))
  })
})
