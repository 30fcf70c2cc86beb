/** The Lambda authorizer: a function of its own, which API Gateway asks before it calls the service. See scripts/apigateway/README.md. */
import { gatewayAuthorizer, givenKeys } from '../auth/gateway-authorizer.ts'
import { publishedKeys } from '../auth/published-keys.ts'
import { trustedIssuers } from '../auth/trusted-issuers.ts'
import { readAuthorizerConfig } from '../config.ts'

const { JWKS_URL, JWT_PUBLIC_KEY, AUTH_TRUSTED_ISSUERS } = readAuthorizerConfig(process.env)

export const handler = gatewayAuthorizer(
  JWKS_URL ? publishedKeys(JWKS_URL) : await givenKeys(JWT_PUBLIC_KEY!),
  trustedIssuers(AUTH_TRUSTED_ISSUERS),
)
