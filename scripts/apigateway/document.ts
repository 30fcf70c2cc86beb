import { type ContractDocument, dereference, type Operation, operationsOf } from '../generate/document.ts'
import { type Authorizer, securityOf, securitySchemes } from './authorizers.ts'
import type { GatewayDocument, GatewayOperation, GatewayParameter } from './gateway-document.ts'
import { gatewayResponses } from './gateway-responses.ts'
import { binaryMediaTypes, defaultFunctions, type Functions, isStreamed, lambdaIntegration } from './integrations.ts'
import { preflight } from './preflight.ts'

export interface GatewayOptions {
  authorizer: Authorizer
  /** Pages that may call from a browser: `*`, or one or more origins. */
  corsOrigins: string[]
  functions: Functions
}

export const defaultOptions: GatewayOptions = {
  authorizer: { kind: 'none' },
  corsOrigins: ['*'],
  functions: defaultFunctions,
}

/** As the service does it: shorter answers come no sooner compressed. */
const worthCompressing = 1400

/**
 * The contract as API Gateway imports it into a REST API: every operation with the function that answers it, a preflight for every path,
 * and no schemas, since the import refuses or drops most of their vocabulary and the service checks what arrives.
 */
export function gatewayDocument(contract: ContractDocument, options: GatewayOptions = defaultOptions): GatewayDocument {
  const operations = operationsOf(contract)
  const paths: GatewayDocument['paths'] = {}
  for (const { path, method, operation } of operations) {
    paths[path] ??= {}
    const answered = gatewayOperation(contract, operation, options)
    paths[path][method] = answered
    // The service answers HEAD wherever it answers GET, but a gateway only what it is told of. Those who fetch in ranges ask it first.
    if (method === 'get' && '206' in operation.responses)
      paths[path].head = { ...answered, operationId: `${operation.operationId}Head` }
  }
  for (const [path, item] of Object.entries(paths)) item.options = preflightOf(path, item, options.corsOrigins)

  const binary = binaryMediaTypes(
    contract,
    operations.map(({ operation }) => operation),
  )
  const { title, version } = contract.info as { title: string; version: string }
  return {
    openapi: '3.0.1',
    info: { title, version, description: 'Made from the contract by `npm run export:apigateway`. Do not edit.' },
    paths,
    components: { securitySchemes: securitySchemes(options.authorizer, options.functions) },
    ...(binary.length > 0 && { 'x-amazon-apigateway-binary-media-types': binary }),
    'x-amazon-apigateway-minimum-compression-size': worthCompressing,
    'x-amazon-apigateway-gateway-responses': gatewayResponses(options.corsOrigins),
  }
}

function gatewayOperation(
  contract: ContractDocument,
  operation: Operation,
  { authorizer, functions }: GatewayOptions,
): GatewayOperation {
  const parameters = parametersOf(contract, operation)
  const security = securityOf(operation, authorizer)
  return {
    operationId: operation.operationId,
    ...(parameters.length > 0 && { parameters }),
    responses: responsesOf(contract, operation),
    ...(security && { security }),
    'x-amazon-apigateway-integration': lambdaIntegration(functions, isStreamed(contract, operation)),
  }
}

/** The import knows no more of a parameter than this. What it may be is for the service to check. */
function parametersOf(contract: ContractDocument, operation: Operation): GatewayParameter[] {
  return (operation.parameters ?? []).map((parameter) => {
    const { name, in: place, required = false } = dereference(contract, parameter)
    return { name, in: place, required, schema: { type: 'string' } }
  })
}

/** Written out, and without ranges such as `4XX`, of which the import knows nothing. A proxy passes on whatever status there is. */
function responsesOf(contract: ContractDocument, operation: Operation): GatewayOperation['responses'] {
  const named = Object.entries(operation.responses).filter(([status]) => /^\d{3}$/.test(status))
  return Object.fromEntries(
    named.map(([status, response]) => [status, { description: dereference(contract, response).description ?? '' }]),
  )
}

function preflightOf(path: string, item: Record<string, GatewayOperation>, origins: string[]): GatewayOperation {
  const headers = Object.values(item)
    .flatMap(({ parameters }) => parameters ?? [])
    .filter((parameter) => parameter.in === 'header')
    .map(({ name }) => name)
  return preflight({ path, methods: Object.keys(item), headers, origins })
}
