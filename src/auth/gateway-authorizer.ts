import { createPublicKey } from 'node:crypto'
import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent, PolicyDocument } from 'aws-lambda'
import { createLocalJWKSet, type JWK, type JWTVerifyGetKey } from 'jose'
import { publicJwk, splitPem, verifyAccessToken } from './access-tokens.ts'
import { readCredential } from './credential.ts'
import { type TrustedIssuers, trustedIssuers } from './trusted-issuers.ts'

/**
 * Looks at credentials at the gateway, before the service is called. It has public keys and no database, so it keeps out what cannot be
 * good: requests without credentials, and tokens that are over, or neither ours nor of an issuer that we trust. It lets pass what only
 * the database knows of: secrets (API keys, the tokens of assignments), and what was revoked. The service verifies everything again.
 */
export const gatewayAuthorizer =
  (keys: JWTVerifyGetKey, issuers: TrustedIssuers = trustedIssuers([])) =>
  async (event: APIGatewayRequestAuthorizerEvent): Promise<APIGatewayAuthorizerResult> => {
    const credential = readCredential(headersOf(event))
    if (!credential) throw unauthorized()
    if (credential.startsWith('fsa_')) return pass(event, 'assignment', { credential: 'assignment' })
    if (credential.startsWith('fs_')) return pass(event, 'apiKey', { credential: 'apiKey' })
    const claims = await verifyAccessToken(credential, keys)
    if (claims) return pass(event, claims.userId, { credential: 'session', sessionId: claims.sessionId })
    const visitor = await issuers.verify(credential)
    if (!visitor) throw unauthorized()
    return pass(event, visitor.subject, { credential: 'visitor', issuer: visitor.issuer })
  }

/**
 * The only message that the gateway answers with 401.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
 */
const unauthorized = () => new Error('Unauthorized')

/** For everything at the stage: the gateway may remember it, and take it for the answer to a request for something else. */
function pass(
  { methodArn }: APIGatewayRequestAuthorizerEvent,
  principalId: string,
  context: Record<string, string>,
): APIGatewayAuthorizerResult {
  const [api, stage] = methodArn.split('/')
  const policyDocument: PolicyDocument = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: `${api}/${stage}/*` }],
  }
  return { principalId, policyDocument, context }
}

/** In whatever case they were sent. */
function headersOf({ headers }: APIGatewayRequestAuthorizerEvent): Headers {
  const credentials = Object.entries(headers ?? {}).filter(([name]) => /^(authorization|x-api-key)$/i.test(name))
  try {
    return new Headers(credentials.map(([name, value]): [string, string] => [name, value ?? '']))
  } catch {
    // No header can hold such characters, and no credential of anybody's does.
    throw unauthorized()
  }
}

/** Keys in PEM, one after another. */
export async function givenKeys(pem: string): Promise<JWTVerifyGetKey> {
  const keys = await Promise.all(splitPem(pem, 'public').map((part) => publicJwk(createPublicKey(part))))
  return createLocalJWKSet({ keys: keys as JWK[] })
}
