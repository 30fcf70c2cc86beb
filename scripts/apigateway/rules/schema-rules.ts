import { dereferenced, partsIn } from './parts.ts'
import { below, type Rule, record } from './rule.ts'

/** Models are JSON schema of draft 4, and not all of it. */
const unsupported = [
  'nullable',
  'discriminator',
  'default',
  'exclusiveMinimum',
  'readOnly',
  'writeOnly',
  'oneOf',
  'anyOf',
  'additionalProperties',
]
/** Nowhere, be it in schemas, bodies, parameters or operations. */
const unsupportedAnywhere = ['example', 'examples', 'deprecated']

export const schemaRules: Rule[] = [
  ...unsupported.map((keyword): Rule => withoutKeyword(keyword, 'schema')),
  ...unsupportedAnywhere.map((keyword): Rule => withoutKeyword(keyword)),
  {
    name: 'number-formats',
    *find(document) {
      for (const { pointer, value } of partsIn(document, 'schema')) {
        if (['int32', 'int64', 'decimal'].includes(String(value.format)))
          yield { pointer: below(pointer, 'format'), message: `is ${String(value.format)}, which models do not know` }
      }
    },
  },
  {
    name: 'model-names',
    *find(document) {
      for (const name of Object.keys(record(record(document.components).schemas))) {
        if (!/^[A-Za-z0-9]+$/.test(name))
          yield { pointer: below('/components/schemas', name), message: 'is a name of more than letters and digits' }
      }
    },
  },
  {
    name: 'external-refs',
    *find(document) {
      for (const { pointer, value } of partsIn(document)) {
        if (value.$ref !== undefined && !String(value.$ref).startsWith('#/'))
          yield { pointer: below(pointer, '$ref'), message: `refers to another file: ${String(value.$ref)}` }
      }
    },
  },
  {
    name: 'dangling-refs',
    *find(document) {
      for (const { pointer, value } of partsIn(document)) {
        if (String(value.$ref).startsWith('#/') && dereferenced(document, String(value.$ref)) === undefined)
          yield { pointer: below(pointer, '$ref'), message: `refers to nothing: ${String(value.$ref)}` }
      }
    },
  },
]

function withoutKeyword(keyword: string, kind?: 'schema'): Rule {
  return {
    name: `no-${keyword}`,
    *find(document) {
      for (const { pointer, value } of partsIn(document, kind)) {
        if (keyword in value) yield { pointer: below(pointer, keyword), message: 'is not supported' }
      }
    },
  }
}
