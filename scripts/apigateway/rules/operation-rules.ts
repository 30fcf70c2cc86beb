import { methods, operationsIn, partsIn } from './parts.ts'
import { below, type Rule, record, repeated } from './rule.ts'

const besideMethods = ['parameters', 'summary', 'description', 'servers', '$ref']

export const operationRules: Rule[] = [
  {
    name: 'methods',
    *find({ paths }) {
      for (const [path, item] of Object.entries(record(paths))) {
        for (const key of Object.keys(record(item))) {
          const isKnown = methods.includes(key) || besideMethods.includes(key) || key.startsWith('x-')
          if (!isKnown) yield { pointer: below('/paths', path, key), message: 'is no method of API Gateway' }
        }
      }
    },
  },
  {
    name: 'operation-ids',
    *find(document) {
      const named = operationsIn(document).filter(({ value }) => value.operationId !== undefined)
      for (const { pointer, value } of repeated(named, (operation) => String(operation.value.operationId)))
        yield { pointer, message: `is a second ${String(value.operationId)}` }
    },
  },
  {
    name: 'responses',
    *find(document) {
      for (const { pointer, value } of operationsIn(document)) {
        if (Object.keys(record(value.responses)).length === 0) yield { pointer, message: 'has no response' }
      }
    },
  },
  {
    name: 'response-statuses',
    *find(document) {
      for (const { pointer, value } of operationsIn(document)) {
        for (const status of Object.keys(record(value.responses)).filter((status) => !/^[1-5]\d\d$/.test(status)))
          yield { pointer: below(pointer, 'responses', status), message: 'is not one status' }
      }
    },
  },
  {
    name: 'response-refs',
    *find(document) {
      for (const { pointer, value } of operationsIn(document)) {
        for (const [status, response] of Object.entries(record(value.responses))) {
          if ('$ref' in record(response))
            yield { pointer: below(pointer, 'responses', status), message: 'refers to a response: write it out' }
        }
      }
    },
  },
  {
    name: 'response-headers',
    *find(document) {
      for (const { pointer, value } of partsIn(document, 'response')) {
        const names = Object.keys(record(value.headers))
        for (const name of repeated(names, (header) => header.toLowerCase()))
          yield { pointer: below(pointer, 'headers', name), message: 'is there twice' }
      }
    },
  },
  {
    name: 'primitive-responses',
    *find(document) {
      const media = partsIn(document, 'response').flatMap(({ pointer, value }) =>
        Object.entries(record(value.content)).map(([type, content]) => ({
          pointer: below(pointer, 'content', type, 'schema'),
          type: record(record(content).schema).type,
        })),
      )
      for (const { pointer, type } of media) {
        if (['string', 'number', 'integer', 'boolean'].includes(String(type)))
          yield { pointer, message: `is a ${String(type)}: responses are described as objects alone` }
      }
    },
  },
]
