import { z } from '@hono/zod-openapi'

const claim = (name: string) => z.string().min(1).default(name)
const isLoopback = (url: string) => /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(url)

/** Whose tokens we take, beside our own. The issuer's keys and algorithms stand here, and nothing in a token changes them (RFC 8725). */
const trustedIssuer = z
  .strictObject({
    issuer: z.string().min(1),
    audience: z.union([
      z
        .string()
        .min(1)
        .transform((one) => [one]),
      z.array(z.string().min(1)).min(1),
    ]),
    audienceClaim: z.enum(['aud', 'client_id']).default('aud'),
    jwksUrl: z
      .url()
      .refine((url) => url.startsWith('https://') || isLoopback(url), 'must be https')
      .optional(),
    secret: z.string().min(32).optional(),
    algorithms: z
      .array(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']))
      .min(1)
      .optional(),
    tokenUse: z.string().min(1).optional(),
    subjectClaim: claim('sub'),
    isDistinguishedName: z.boolean().default(false),
    emailClaim: claim('email'),
    emailDomain: z.hostname().optional(),
    nameClaim: claim('name'),
    groupsClaim: claim('groups'),
    roles: z.record(z.string(), z.enum(['USER', 'WORKER', 'ADMIN'])).optional(),
    createsAccounts: z.boolean().default(false),
  })
  .refine(({ jwksUrl, secret }) => Boolean(jwksUrl) !== Boolean(secret), 'needs either jwksUrl or secret')
  .refine(({ secret, algorithms }) => !secret || !algorithms, 'algorithms go with jwksUrl: a secret means HS256')
  .refine(({ issuer }) => issuer !== 'fieldstation', 'is our own issuer')
  .transform((issuer) => ({
    ...issuer,
    algorithms: issuer.secret ? ['HS256'] : (issuer.algorithms ?? ['RS256', 'PS256', 'ES256']),
  }))

/** `AUTH_TRUSTED_ISSUERS`: a list of them as JSON, none twice. */
export const trustedIssuersVariable = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      context.addIssue('is no JSON')
      return z.NEVER
    }
  })
  .pipe(z.array(trustedIssuer))
  .refine((issuers) => new Set(issuers.map(({ issuer }) => issuer)).size === issuers.length, 'names an issuer twice')
