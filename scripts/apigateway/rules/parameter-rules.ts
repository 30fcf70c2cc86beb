import { operationsIn, parametersOf, partsIn } from './parts.ts'
import { below, type Json, type Rule, record, repeated } from './rule.ts'

const known = ['name', 'in', 'required', 'schema', 'description', '$ref']
/** Of these OpenAPI takes no notice: they are described elsewhere. */
const describedElsewhere = ['accept', 'content-type', 'authorization']

const parametersIn = (document: Json) => partsIn(document, 'parameter').filter(({ value }) => !('$ref' in value))

export const parameterRules: Rule[] = [
  {
    name: 'parameter-places',
    *find(document) {
      for (const { pointer, value } of parametersIn(document)) {
        if (!['path', 'query', 'header'].includes(String(value.in)))
          yield { pointer, message: `is in ${String(value.in)}: only path, query and header are mapped` }
      }
    },
  },
  {
    name: 'parameter-attributes',
    *find(document) {
      for (const { pointer, value } of parametersIn(document)) {
        for (const attribute of Object.keys(value).filter((key) => !known.includes(key)))
          yield { pointer: below(pointer, attribute), message: 'is ignored' }
        for (const keyword of Object.keys(record(value.schema)).filter((key) => key !== 'type'))
          yield {
            pointer: below(pointer, 'schema', keyword),
            message: 'is ignored: of its schema only the type counts',
          }
      }
    },
  },
  {
    name: 'path-parameters-required',
    *find(document) {
      for (const { pointer, value } of parametersIn(document)) {
        if (value.in === 'path' && value.required !== true)
          yield { pointer, message: 'is in the path and not required' }
      }
    },
  },
  {
    name: 'repeated-parameters',
    *find(document) {
      for (const operation of operationsIn(document)) {
        for (const { in: place, name } of repeated(parametersOf(document, operation), sameParameter))
          yield { pointer: operation.pointer, message: `has the ${String(place)} parameter ${String(name)} twice` }
      }
    },
  },
  {
    name: 'ignored-headers',
    *find(document) {
      for (const { pointer, value } of parametersIn(document)) {
        if (value.in === 'header' && describedElsewhere.includes(String(value.name).toLowerCase()))
          yield { pointer, message: `is the header ${String(value.name)}, which is no parameter` }
      }
    },
  },
]

/** Headers are the same in whatever case. */
const sameParameter = ({ in: place, name }: Json) =>
  `${String(place)} ${place === 'header' ? String(name).toLowerCase() : String(name)}`
