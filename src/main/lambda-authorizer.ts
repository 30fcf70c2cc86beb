/** The Lambda authorizer: a function of its own, which API Gateway asks before it calls the service. See scripts/apigateway/README.md. */
import { gatewayAuthorizer, givenKeys, publishedKeys } from '../auth/gateway-authorizer.ts'
import { readAuthorizerConfig } from '../config.ts'

const { JWKS_URL, JWT_PUBLIC_KEY } = readAuthorizerConfig(process.env)

export const handler = gatewayAuthorizer(JWKS_URL ? publishedKeys(JWKS_URL) : await givenKeys(JWT_PUBLIC_KEY!))
