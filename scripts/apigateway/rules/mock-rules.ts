import { integrationKey, operationsIn } from './parts.ts'
import { below, type Json, list, type Rule, record } from './rule.ts'

const headerMapping = /^method\.response\.header\.(.+)$/

const mocksIn = (document: Json) =>
  operationsIn(document)
    .filter(({ value }) => record(value[integrationKey]).type === 'mock')
    .map(({ pointer, value }) => ({
      pointer: below(pointer, integrationKey),
      integration: record(value[integrationKey]),
      responses: record(value.responses),
    }))

/** Each answer of each mock: those of an integration are named by a pattern, or `default`. */
const answersIn = (document: Json) =>
  mocksIn(document).flatMap(({ pointer, integration, responses }) =>
    Object.entries(record(integration.responses)).map(([pattern, answer]) => ({
      pointer: below(pointer, 'responses', pattern),
      answer: record(answer),
      declared: record(responses[String(record(answer).statusCode)]),
      isDeclared: String(record(answer).statusCode) in responses,
    })),
  )

export const mockRules: Rule[] = [
  {
    name: 'mock-template',
    *find(document) {
      for (const { pointer, integration } of mocksIn(document)) {
        const template = record(integration.requestTemplates)['application/json']
        if (typeof template !== 'string' || !/"?statusCode"?\s*:\s*\d{3}/.test(template))
          yield { pointer: below(pointer, 'requestTemplates'), message: 'does not say with which status to answer' }
      }
    },
  },
  {
    name: 'mock-default',
    *find(document) {
      for (const { pointer, integration } of mocksIn(document)) {
        if (!('default' in record(integration.responses)))
          yield { pointer: below(pointer, 'responses'), message: 'has no default, and nothing is answered' }
      }
    },
  },
  {
    name: 'mock-status',
    *find(document) {
      for (const { pointer, isDeclared } of answersIn(document)) {
        if (!isDeclared)
          yield { pointer: below(pointer, 'statusCode'), message: 'is not among the responses of the operation' }
      }
    },
  },
  {
    name: 'mock-headers',
    *find(document) {
      for (const { pointer, answer, declared } of answersIn(document)) {
        for (const [key, value] of Object.entries(record(answer.responseParameters))) {
          const at = below(pointer, 'responseParameters', key)
          const name = headerMapping.exec(key)?.[1]
          if (!name || !(name in record(declared.headers)))
            yield { pointer: at, message: 'maps to a header that the response does not declare' }
          if (!isMapped(value)) yield { pointer: at, message: 'is neither a text in single quotes nor a mapping' }
        }
      }
    },
  },
  {
    name: 'mock-binary',
    *find(document) {
      const types = list(document['x-amazon-apigateway-binary-media-types'])
      for (const { pointer, integration } of mocksIn(document)) {
        if (types.includes('*/*') && integration.contentHandling !== 'CONVERT_TO_TEXT')
          yield {
            pointer: below(pointer, 'contentHandling'),
            message: 'is not CONVERT_TO_TEXT: with the binary type */* the template would be taken for binary',
          }
      }
    },
  },
]

/** A text in single quotes, or where else it comes from. */
const isMapped = (value: unknown) =>
  /^'[^']*'$|^(integration\.response|method\.request|context|stageVariables)\./.test(String(value))
