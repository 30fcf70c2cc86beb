import { below, type Json, type Rule, record, repeated } from './rule.ts'

/** https://docs.aws.amazon.com/apigateway/latest/api/API_GatewayResponse.html */
const types = [
  'ACCESS_DENIED',
  'API_CONFIGURATION_ERROR',
  'AUTHORIZER_CONFIGURATION_ERROR',
  'AUTHORIZER_FAILURE',
  'BAD_REQUEST_BODY',
  'BAD_REQUEST_PARAMETERS',
  'DEFAULT_4XX',
  'DEFAULT_5XX',
  'EXPIRED_TOKEN',
  'INTEGRATION_FAILURE',
  'INTEGRATION_TIMEOUT',
  'INVALID_API_KEY',
  'INVALID_SIGNATURE',
  'MISSING_AUTHENTICATION_TOKEN',
  'QUOTA_EXCEEDED',
  'REQUEST_TOO_LARGE',
  'RESOURCE_NOT_FOUND',
  'THROTTLED',
  'UNAUTHORIZED',
  'UNSUPPORTED_MEDIA_TYPE',
  'WAF_FILTERED',
]

const root = '/x-amazon-apigateway-gateway-responses'
const headerMapping = /^gatewayresponse\.header\.[\w-]+$/
const headerValue = /^'[^']*'$|^(method\.(request|input)|context|stageVariables)\./

const responsesIn = (document: Json) =>
  Object.entries(record(document['x-amazon-apigateway-gateway-responses'])).map(([type, response]) => ({
    type,
    pointer: below(root, type),
    response: record(response),
  }))

export const gatewayResponseRules: Rule[] = [
  {
    name: 'gateway-response-types',
    *find(document) {
      for (const { type, pointer } of responsesIn(document)) {
        if (!types.includes(type)) yield { pointer, message: 'is no answer of the gateway' }
      }
    },
  },
  {
    name: 'gateway-response-statuses',
    *find(document) {
      for (const { pointer, response } of responsesIn(document)) {
        if (response.statusCode !== undefined && !/^[1-5]\d\d$/.test(String(response.statusCode)))
          yield { pointer: below(pointer, 'statusCode'), message: 'is not one status' }
      }
    },
  },
  {
    name: 'gateway-response-headers',
    *find(document) {
      for (const { pointer, response } of responsesIn(document)) {
        const parameters = Object.entries(record(response.responseParameters))
        for (const [key, value] of parameters) {
          const at = below(pointer, 'responseParameters', key)
          if (!headerMapping.test(key)) yield { pointer: at, message: 'is no gatewayresponse.header.…' }
          if (!headerValue.test(String(value)))
            yield { pointer: at, message: 'is neither a text in single quotes nor a mapping' }
        }
        for (const [key] of repeated(parameters, ([name]) => name.toLowerCase()))
          yield { pointer: below(pointer, 'responseParameters', key), message: 'is there twice' }
      }
    },
  },
  {
    name: 'gateway-response-templates',
    *find(document) {
      for (const { pointer, response } of responsesIn(document)) {
        for (const [type, template] of Object.entries(record(response.responseTemplates))) {
          if (/json$/.test(type) && !isJson(filledIn(String(template))))
            yield { pointer: below(pointer, 'responseTemplates', type), message: 'makes no JSON' }
        }
      }
    },
  },
]

/** Variables are put in as they are, except that `messageString` brings its quotes along. */
const filledIn = (template: string) =>
  template
    .replaceAll('$context.error.messageString', '"message"')
    .replaceAll(/\$(context|stageVariables)[\w.]+/g, 'value')

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
