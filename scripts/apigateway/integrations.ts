import { type ContractDocument, dereference, type Operation } from '../generate/document.ts'
import type { LambdaIntegration } from './gateway-document.ts'

/** The Lambda functions behind the gateway. */
export interface Functions {
  /** Answers whole. A name, with `:alias` where there is one. */
  api: string
  /** Answers bit by bit. The same code behind another handler: what streams cannot be called for a whole answer. */
  stream: string
  authorizer: string
  partition: string
  region: string
  account: string
}

const filledIn = (variable: string) => `\${${variable}}`

/**
 * The import fills in what begins with `AWS::`, a stage its variables. So one document serves every account and stage.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/import-api-aws-variables.html
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/aws-api-gateway-stage-variables-reference.html
 */
export const defaultFunctions: Functions = {
  api: filledIn('stageVariables.apiFunction'),
  stream: filledIn('stageVariables.streamFunction'),
  // That list names no authorizer among the places for stage variables.
  authorizer: 'fieldstation-authorizer',
  partition: filledIn('AWS::Partition'),
  region: filledIn('AWS::Region'),
  account: filledIn('AWS::AccountId'),
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html */
const invocations = {
  whole: { version: '2015-03-31', action: 'invocations' },
  stream: { version: '2021-11-15', action: 'response-streaming-invocations' },
}

/** How API Gateway calls a function. */
export function lambdaUri(functions: Functions, name: string, mode: keyof typeof invocations): string {
  const { partition, region, account } = functions
  const { version, action } = invocations[mode]
  const arn = `arn:${partition}:lambda:${region}:${account}:function:${name}`
  return `arn:${partition}:apigateway:${region}:lambda:path/${version}/functions/${arn}/${action}`
}

/** No quota is asked for beyond what every account has. */
const wholeMs = 29_000
const streamMs = 15 * 60_000

export function lambdaIntegration(functions: Functions, isStreamed: boolean): LambdaIntegration {
  return {
    type: 'aws_proxy',
    httpMethod: 'POST',
    uri: isStreamed ? lambdaUri(functions, functions.stream, 'stream') : lambdaUri(functions, functions.api, 'whole'),
    passthroughBehavior: 'when_no_match',
    timeoutInMillis: isStreamed ? streamMs : wholeMs,
    ...(isStreamed && { responseTransferMode: 'STREAM' as const }),
  }
}

/** JSON that is large for what it is: it grows with the contract, and compressed by the service it is a tenth. */
const largeAnswers = new Set(['getContract'])

/**
 * Events, pages, GeoJSON and files are streamed: they may take long, be larger than the 6 MB of a whole answer, or be binary, which
 * a stream passes on as it is. Everything else is JSON and answered whole.
 */
export function isStreamed(contract: ContractDocument, operation: Operation): boolean {
  if (largeAnswers.has(operation.operationId)) return true
  return Object.entries(operation.responses)
    .filter(([status]) => status.startsWith('2'))
    .flatMap(([, response]) => Object.keys(dereference(contract, response).content ?? {}))
    .some((type) => type !== 'application/json')
}

/**
 * Request bodies that are no text: API Gateway hands them on in base64, and would break them otherwise. They are named one by one, since
 * a wildcard has it take JSON and preflights for binary too. Answers need none: those that are binary are streamed.
 */
export function binaryMediaTypes(contract: ContractDocument, operations: Operation[]): string[] {
  const types = operations.flatMap(({ requestBody }) =>
    requestBody ? Object.keys(dereference(contract, requestBody).content ?? {}) : [],
  )
  return [...new Set(types.filter((type) => !isText(type)))].sort()
}

const isText = (type: string) =>
  /^text\/|^application\/([\w.-]+\+)?(json|xml|yaml)$|^application\/x-www-form-urlencoded$/.test(type)
