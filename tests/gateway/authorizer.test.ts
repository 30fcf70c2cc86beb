import { createPublicKey } from 'node:crypto'
import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda'
import { SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { type AccessTokens, accessTokens, generateSigningKey, splitPem } from '../../src/auth/access-tokens.ts'
import { gatewayAuthorizer, givenKeys } from '../../src/auth/gateway-authorizer.ts'
import { KeysUnavailable, publishedKeys } from '../../src/auth/published-keys.ts'
import { trustedIssuers } from '../../src/auth/trusted-issuers.ts'
import { readAuthorizerConfig } from '../../src/config.ts'
import { startHttpServer } from '../../src/main/http-server.ts'

const signingKey = generateSigningKey()
const tokens = await accessTokens(signingKey)
const publicPem = (pem: string) =>
  splitPem(pem)
    .map((part) => createPublicKey(part).export({ type: 'spki', format: 'pem' }).toString())
    .join('')

const stage = 'arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod'
const asked = (headers: Record<string, string> | null) =>
  ({ type: 'REQUEST', methodArn: `${stage}/GET/api/jobs`, headers }) as unknown as APIGatewayRequestAuthorizerEvent
const bearer = (token: string) => asked({ Authorization: `Bearer ${token}` })

const authorize = gatewayAuthorizer(await givenKeys(publicPem(signingKey)))
/** The gateway answers 401 to this very message, and 500 to any other. */
const unauthorized = new Error('Unauthorized')

describe('the authorizer', () => {
  test('lets a token of ours pass, to everything at the stage', async () => {
    const answer = await authorize(bearer(await tokens.sign('ana', 'session-1')))

    expect(answer).toEqual({
      principalId: 'ana',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: `${stage}/*` }],
      },
      context: { credential: 'session', sessionId: 'session-1' },
    })
  })

  test('lets the token of a trusted issuer pass, and no other of its name', async () => {
    const secret = 'a-secret-that-labcas-and-we-share-alone'
    const trusted = JSON.stringify([{ issuer: 'LabCAS', audience: 'LabCAS', secret }])
    const { AUTH_TRUSTED_ISSUERS } = readAuthorizerConfig({
      JWKS_URL: 'https://api.reef.example/jwks.json',
      AUTH_TRUSTED_ISSUERS: trusted,
    })
    const withTrust = gatewayAuthorizer(await givenKeys(publicPem(signingKey)), trustedIssuers(AUTH_TRUSTED_ISSUERS))
    const sign = (key: string) =>
      new SignJWT({ sub: 'ana' })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer('LabCAS')
        .setAudience('LabCAS')
        .setExpirationTime('1h')
        .sign(new TextEncoder().encode(key))

    expect(await withTrust(bearer(await sign(secret)))).toMatchObject({ principalId: 'ana' })
    await expect(withTrust(bearer(await sign(`${secret}!`)))).rejects.toEqual(unauthorized)
    await expect(authorize(bearer(await sign(secret)))).rejects.toEqual(unauthorized)
  })

  test('refuses what no header can hold', async () => {
    await expect(authorize(bearer('ü😀'))).rejects.toEqual(unauthorized)
  })

  test('says the same whatever was asked for, since it may be remembered', async () => {
    const token = await tokens.sign('ana', 'session-1')
    const event = { ...bearer(token), methodArn: `${stage}/DELETE/api/polygons/019a8f00` }

    expect(await authorize(event)).toEqual(await authorize(bearer(token)))
  })

  test('finds credentials in whatever case a header was sent', async () => {
    const token = await tokens.sign('ana', 'session-1')

    expect(await authorize(asked({ AUTHORIZATION: `bearer ${token}` }))).toMatchObject({ principalId: 'ana' })
    expect(await authorize(asked({ 'x-api-key': 'fs_secret' }))).toMatchObject({ principalId: 'apiKey' })
  })

  test.each([
    ['an API key', { 'X-API-Key': 'fs_secret' }, 'apiKey'],
    ['an API key as a token', { Authorization: 'Bearer fs_secret' }, 'apiKey'],
    ['the token of an assignment', { Authorization: 'Bearer fsa_secret' }, 'assignment'],
  ])('leaves %s to the service, and repeats it nowhere', async (_, headers, kind) => {
    const answer = await authorize(asked(headers))

    expect(answer).toMatchObject({ principalId: kind, context: { credential: kind } })
    expect(JSON.stringify(answer)).not.toContain('secret')
  })

  test.each<[string, Record<string, string> | null]>([
    ['no headers', null],
    ['no credentials', { Accept: 'application/json' }],
    ['an empty token', { Authorization: 'Bearer ' }],
    ['another scheme', { Authorization: 'Basic YW5hOmFuYQ==' }],
    ['a key that is none of ours', { 'X-API-Key': 'reef' }],
    ['no token at all', { Authorization: 'Bearer reef' }],
    ['a secret after no key of ours', { 'X-API-Key': 'reef', Authorization: 'Bearer fs_secret' }],
  ])('keeps out %s', async (_, headers) => {
    await expect(authorize(asked(headers))).rejects.toEqual(unauthorized)
  })

  test.each<[string, () => Promise<string> | string]>([
    ['that is over', async () => (await accessTokens(signingKey, -1)).sign('ana', 'session-1')],
    ['of another key', async () => (await accessTokens(generateSigningKey())).sign('ana', 'session-1')],
    ['without a signature', () => unsigned({ sid: 'session-1' })],
    ['signed with our public key as a secret', () => forged(tokens)],
    ['that was changed', async () => changed(await tokens.sign('ana', 'session-1'))],
  ])('keeps out a token %s', async (_, make) => {
    await expect(authorize(bearer(await make()))).rejects.toEqual(unauthorized)
  })

  test('takes tokens of either key while they change', async () => {
    const [next, old] = [generateSigningKey(), signingKey]
    const both = gatewayAuthorizer(await givenKeys(publicPem(next + old).replaceAll('\n', '\\n')))

    for (const key of [next, old])
      expect(await both(bearer(await (await accessTokens(key)).sign('ana', 's')))).toMatchObject({ principalId: 'ana' })
  })
})

const jwks = () => Response.json(tokens.jwks)
let answer: () => Response = jwks
const server = await startHttpServer({ host: '127.0.0.1', port: 0, fetch: () => answer() })
afterAll(() => server.stop())

describe('published keys', () => {
  test('are read from where the service has them', async () => {
    answer = jwks
    const fetching = gatewayAuthorizer(publishedKeys(server.url))

    expect(await fetching(bearer(await tokens.sign('ana', 's')))).toMatchObject({ principalId: 'ana' })
    const other = await (await accessTokens(generateSigningKey())).sign('ana', 's')
    await expect(fetching(bearer(other))).rejects.toEqual(unauthorized)
  })

  test.each<[string, () => Response]>([
    ['fails', () => new Response('no', { status: 503 })],
    ['has something else there', () => Response.json({ keys: 'none' })],
  ])('say nothing against a token while the service %s', async (_, other) => {
    answer = other
    const fetching = gatewayAuthorizer(publishedKeys(server.url))

    await expect(fetching(bearer(await tokens.sign('ana', 's')))).rejects.toBeInstanceOf(KeysUnavailable)
  })
})

describe('readAuthorizerConfig', () => {
  const [JWKS_URL, JWT_PUBLIC_KEY] = ['https://api.reef.example/.well-known/jwks.json', publicPem(signingKey)]

  test('needs either a URL or a key', () => {
    expect(readAuthorizerConfig({ JWKS_URL })).toMatchObject({ JWKS_URL })
    expect(readAuthorizerConfig({ JWT_PUBLIC_KEY })).toMatchObject({ JWT_PUBLIC_KEY })
  })

  test.each([
    ['nothing', {}, 'one of JWKS_URL and JWT_PUBLIC_KEY is needed'],
    ['both', { JWKS_URL, JWT_PUBLIC_KEY }, 'and not both'],
    ['no URL', { JWKS_URL: 'reef' }, 'JWKS_URL is wrong'],
    ['no key', { JWT_PUBLIC_KEY: 'reef' }, 'no RSA public key in PEM'],
    ['a private key, which has no place there', { JWT_PUBLIC_KEY: signingKey }, 'no RSA public key in PEM'],
  ])('refuses %s', (_, environment, reason) => {
    expect(() => readAuthorizerConfig(environment)).toThrow(reason)
  })
})

test('the function is configured by its environment', async () => {
  vi.stubEnv('JWT_PUBLIC_KEY', publicPem(signingKey))

  const { handler } = await import('../../src/main/lambda-authorizer.ts')

  expect(await handler(bearer(await tokens.sign('ana', 's')))).toMatchObject({ principalId: 'ana' })
  vi.unstubAllEnvs()
})

const claims = { issuer: 'fieldstation', audience: 'fieldstation' }

const unsigned = (payload: { sid: string }) =>
  new UnsecuredJWT(payload)
    .setSubject('ana')
    .setIssuer(claims.issuer)
    .setAudience(claims.audience)
    .setExpirationTime('1h')
    .encode()

/** What a careless verifier takes for ours: it knows the key, and not what the key is for. */
const forged = ({ jwks }: AccessTokens) =>
  new SignJWT({ sid: 'session-1' })
    .setProtectedHeader({ alg: 'HS256', kid: jwks.keys[0]!.kid })
    .setSubject('ana')
    .setIssuer(claims.issuer)
    .setAudience(claims.audience)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(publicPem(signingKey)))

function changed(token: string): string {
  const [header, payload, signature] = token.split('.')
  const body = JSON.parse(Buffer.from(payload!, 'base64url').toString())
  return [header, Buffer.from(JSON.stringify({ ...body, sub: 'ben' })).toString('base64url'), signature].join('.')
}
