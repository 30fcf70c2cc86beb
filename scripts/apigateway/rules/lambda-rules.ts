import { lambdaUris } from './lambda-uri.ts'
import { integrationKey, operationsIn } from './parts.ts'
import { below, type Json, type Rule, record } from './rule.ts'

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html */
const types = ['http', 'http_proxy', 'aws', 'aws_proxy', 'mock']
const shortestMs = 50
const longestMs = { whole: 29_000, stream: 15 * 60_000 }

const integrationsIn = (document: Json) =>
  operationsIn(document)
    .filter(({ value }) => integrationKey in value)
    .map(({ pointer, value }) => ({
      pointer: below(pointer, integrationKey),
      integration: record(value[integrationKey]),
    }))

const lambdasIn = (document: Json) =>
  integrationsIn(document).filter(
    ({ integration }) => integration.type === 'aws_proxy' || String(integration.uri).includes(':lambda:path/'),
  )

const isStreamed = (integration: Json) => integration.responseTransferMode === 'STREAM'

export const lambdaRules: Rule[] = [
  {
    name: 'integrations',
    *find(document) {
      for (const { pointer, value } of operationsIn(document)) {
        if (!(integrationKey in value)) yield { pointer, message: 'has no integration, and nothing answers it' }
      }
      for (const { pointer, integration } of integrationsIn(document)) {
        if (!types.includes(String(integration.type)))
          yield {
            pointer: below(pointer, 'type'),
            message: `is ${String(integration.type)}, not one of ${types.join(', ')}`,
          }
      }
    },
  },
  {
    name: 'passthrough',
    *find(document) {
      for (const { pointer, integration } of integrationsIn(document)) {
        const known = ['when_no_match', 'when_no_templates', 'never', undefined]
        if (!known.includes(integration.passthroughBehavior as string | undefined))
          yield { pointer: below(pointer, 'passthroughBehavior'), message: 'is none of those there are' }
      }
    },
  },
  {
    name: 'lambda-post',
    *find(document) {
      for (const { pointer, integration } of lambdasIn(document)) {
        if (integration.httpMethod !== 'POST')
          yield { pointer: below(pointer, 'httpMethod'), message: 'is not POST, by which functions are called' }
      }
    },
  },
  {
    name: 'lambda-uri',
    *find(document) {
      for (const { pointer, integration } of lambdasIn(document)) {
        if (!Object.values(lambdaUris).some((form) => isOfForm(integration.uri, form)))
          yield { pointer: below(pointer, 'uri'), message: 'is not how a Lambda function is called' }
      }
    },
  },
  {
    name: 'timeouts',
    *find(document) {
      for (const { pointer, integration } of integrationsIn(document)) {
        const ms = integration.timeoutInMillis
        const most = isStreamed(integration) ? longestMs.stream : longestMs.whole
        if (ms !== undefined && !(Number.isInteger(ms) && Number(ms) >= shortestMs && Number(ms) <= most))
          yield { pointer: below(pointer, 'timeoutInMillis'), message: `is not from ${shortestMs} to ${most}` }
      }
    },
  },
  {
    name: 'transfer-mode',
    *find(document) {
      for (const { pointer, integration } of integrationsIn(document)) {
        const mode = integration.responseTransferMode
        const at = below(pointer, 'responseTransferMode')
        if (!['STREAM', 'BUFFERED', undefined].includes(mode as string | undefined))
          yield { pointer: at, message: 'is neither STREAM nor BUFFERED' }
        if (isStreamed(integration) && !['aws_proxy', 'http_proxy'].includes(String(integration.type)))
          yield { pointer: at, message: 'is for proxies alone' }
      }
    },
  },
  {
    name: 'transfer-uri',
    *find(document) {
      for (const { pointer, integration } of lambdasIn(document)) {
        const other = isStreamed(integration) ? 'whole' : 'stream'
        if (isOfForm(integration.uri, lambdaUris[other]))
          yield { pointer: below(pointer, 'uri'), message: `calls for a ${other} answer, unlike responseTransferMode` }
      }
    },
  },
]

/** What is no text is CloudFormation's, which the import does not know. */
const isOfForm = (uri: unknown, form: RegExp) => typeof uri === 'string' && form.test(uri)
