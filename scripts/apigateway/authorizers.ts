import type { Operation } from '../generate/document.ts'
import type { SecurityScheme } from './gateway-document.ts'
import { type Functions, lambdaUri } from './integrations.ts'

/** Who looks at credentials before the service does. It looks at them in any case. */
export type Authorizer =
  | { kind: 'none' }
  | { kind: 'cognito'; userPoolArn: string }
  /** With `cacheSeconds`, answers are remembered by `Authorization`, and keys have to be sent there too. */
  | { kind: 'lambda'; cacheSeconds: number }

/**
 * A scheme that is `X-API-Key` and has no authorizer would make API Gateway ask for a key of its own: ours stays out of the document,
 * and so do all schemes where the service alone verifies.
 */
export function securitySchemes(authorizer: Authorizer, functions: Functions): Record<string, SecurityScheme> {
  if (authorizer.kind === 'cognito') return { userPool: userPool(authorizer.userPoolArn) }
  if (authorizer.kind === 'lambda') return { lambdaAuthorizer: lambdaAuthorizer(authorizer.cacheSeconds, functions) }
  return {}
}

/** What the gateway demands for an operation. Each credential that the contract takes must get through. */
export function securityOf(operation: Operation, authorizer: Authorizer): Record<string, string[]>[] | undefined {
  const schemes = operation.security.flatMap((requirement) => Object.keys(requirement))
  if (schemes.length === 0 || authorizer.kind === 'none') return undefined
  if (authorizer.kind === 'lambda') return [{ lambdaAuthorizer: [] }]
  // A user pool knows its own tokens alone: it would refuse our API keys and the tokens of assignments.
  return schemes.every((scheme) => scheme === 'bearerAuth') ? [{ userPool: [] }] : undefined
}

function userPool(arn: string): SecurityScheme {
  return {
    type: 'apiKey',
    name: 'Authorization',
    in: 'header',
    'x-amazon-apigateway-authtype': 'cognito_user_pools',
    'x-amazon-apigateway-authorizer': { type: 'cognito_user_pools', providerARNs: [arn] },
  }
}

/**
 * Of type `request`, since a credential comes in either of two headers. What is remembered is remembered by headers that all must be
 * there (else the gateway answers 401 by itself), so nothing is unless one of the two is enough.
 */
function lambdaAuthorizer(cacheSeconds: number, functions: Functions): SecurityScheme {
  const isCached = cacheSeconds > 0
  return {
    type: 'apiKey',
    name: isCached ? 'Authorization' : 'Unused',
    in: 'header',
    'x-amazon-apigateway-authtype': 'custom',
    'x-amazon-apigateway-authorizer': {
      type: 'request',
      authorizerUri: lambdaUri(functions, functions.authorizer, 'whole'),
      authorizerResultTtlInSeconds: cacheSeconds,
      ...(isCached && { identitySource: 'method.request.header.Authorization' }),
    },
  }
}
