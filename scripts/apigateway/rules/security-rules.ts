import { lambdaUris } from './lambda-uri.ts'
import { operationsIn } from './parts.ts'
import { below, type Fault, type Json, list, type Rule, record } from './rule.ts'

const authorizerKey = 'x-amazon-apigateway-authorizer'
/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html */
const mostAuthorizers = 10
const longestCacheSeconds = 3600
/** For so long answers are remembered where nothing is said. */
const defaultCacheSeconds = 300

const schemesOf = (document: Json) =>
  Object.entries(record(record(document.components).securitySchemes)).map(([name, scheme]) => ({
    name,
    pointer: below('/components/securitySchemes', name),
    scheme: record(scheme),
  }))

const authorizersOf = (document: Json) =>
  schemesOf(document)
    .filter(({ scheme }) => authorizerKey in scheme)
    .map(({ name, pointer, scheme }) => ({
      name,
      pointer: below(pointer, authorizerKey),
      authorizer: record(scheme[authorizerKey]),
    }))

/** Each scheme that an operation names. */
const demandsOf = (document: Json) =>
  operationsIn(document).map(({ pointer, value }) => ({
    pointer: below(pointer, 'security'),
    names: list(value.security).flatMap((requirement) => Object.keys(record(requirement))),
  }))

export const securityRules: Rule[] = [
  {
    name: 'root-security',
    *find(document) {
      if ('security' in document) yield { pointer: '/security', message: 'is ignored: repeat it for each operation' }
    },
  },
  {
    name: 'scheme-types',
    *find(document) {
      for (const { pointer, scheme } of schemesOf(document)) {
        if (scheme.type !== 'apiKey') yield { pointer, message: `is of type ${String(scheme.type)}, not apiKey` }
        if (scheme.in !== 'header' && scheme.in !== 'query')
          yield { pointer, message: 'is in neither header nor query' }
      }
    },
  },
  {
    name: 'gateway-api-keys',
    *find(document) {
      for (const { pointer, scheme } of schemesOf(document)) {
        if (String(scheme.name).toLowerCase() === 'x-api-key' && !(authorizerKey in scheme))
          yield { pointer, message: 'has no authorizer: API Gateway would ask for a key of its own usage plans' }
      }
    },
  },
  {
    name: 'known-schemes',
    *find(document) {
      const known = schemesOf(document).map(({ name }) => name)
      for (const { pointer, names } of demandsOf(document)) {
        for (const name of names.filter((name) => !known.includes(name)))
          yield { pointer, message: `names ${name}, which is no security scheme` }
      }
    },
  },
  {
    name: 'one-authorizer',
    *find(document) {
      const authorizers = authorizersOf(document).map(({ name }) => name)
      for (const { pointer, names } of demandsOf(document)) {
        const named = new Set(names.filter((name) => authorizers.includes(name)))
        if (named.size > 1) yield { pointer, message: `names ${[...named].join(' and ')}: a method has one authorizer` }
      }
    },
  },
  {
    name: 'authorizers',
    *find(document) {
      const authorizers = authorizersOf(document)
      if (authorizers.length > mostAuthorizers)
        yield {
          pointer: '/components/securitySchemes',
          message: `has ${authorizers.length} authorizers, and an API has ${mostAuthorizers}`,
        }
      for (const { pointer, authorizer } of authorizers) yield* authorizerFaults(pointer, authorizer)
    },
  },
]

function* authorizerFaults(pointer: string, authorizer: Json): Generator<Fault> {
  const { type, authorizerUri, providerARNs, identitySource } = authorizer
  const cacheSeconds = Number(authorizer.authorizerResultTtlInSeconds ?? defaultCacheSeconds)
  if (!Number.isInteger(cacheSeconds) || cacheSeconds < 0 || cacheSeconds > longestCacheSeconds)
    yield {
      pointer: below(pointer, 'authorizerResultTtlInSeconds'),
      message: `is a number from 0 to ${longestCacheSeconds}`,
    }
  if (type === 'token' || type === 'request') {
    if (!lambdaUris.whole.test(String(authorizerUri)))
      yield { pointer: below(pointer, 'authorizerUri'), message: 'is not how a Lambda function is called' }
  } else if (type !== 'cognito_user_pools') {
    yield {
      pointer: below(pointer, 'type'),
      message: `is ${String(type)}: neither token, request nor cognito_user_pools`,
    }
  }
  if (type === 'request' && cacheSeconds > 0 && !identitySource)
    yield { pointer: below(pointer, 'identitySource'), message: 'is missing, and answers are remembered by it' }
  if (type === 'cognito_user_pools' && list(providerARNs).length === 0)
    yield { pointer: below(pointer, 'providerARNs'), message: 'names no user pool' }
}
