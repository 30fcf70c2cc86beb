import { createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto'
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  errors,
  exportJWK,
  type JWK,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
} from 'jose'
import type { components } from '../../generated/types.ts'

type Jwks = components['schemas']['Jwks']

export interface AccessClaims {
  userId: string
  sessionId: string
  /** When the token dies, in milliseconds since 1970. */
  expiresAtMs: number
}

export interface AccessTokens {
  /** Seconds that a token is good for. */
  lifetimeSeconds: number
  sign(userId: string, sessionId: string): Promise<string>
  /** The claims of a token of ours; `undefined` for anything else, whatever is wrong with it. */
  verify(token: string): Promise<AccessClaims | undefined>
  jwks: Jwks
  /** A secret that only the holder of the signing key knows. */
  deriveSecret(purpose: string): Buffer
}

const issuer = 'fieldstation'
const audience = 'fieldstation'

/** A new RSA key in PEM, for signing. */
export const generateSigningKey = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/**
 * Signs with the first of the PEM keys and verifies with each of them: to rotate, put a new key in front, and drop the old one once
 * the last token that it signed has died.
 */
export async function accessTokens(pem: string, lifetimeSeconds = 3600): Promise<AccessTokens> {
  const keys = splitPem(pem).map((part) => createPrivateKey(part))
  const [signingKey] = keys
  if (!signingKey) throw new Error('JWT_PRIVATE_KEY holds no private key in PEM format.')
  const published = await Promise.all(keys.map((key) => publicJwk(createPublicKey(key))))
  const keySet = createLocalJWKSet({ keys: published as JWK[] })
  const kid = published[0]!.kid

  return {
    lifetimeSeconds,
    jwks: { keys: published },
    sign: (userId, sessionId) =>
      new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: 'RS256', kid })
        .setSubject(userId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(`${lifetimeSeconds}s`)
        .sign(signingKey),

    verify: (token) => verifyAccessToken(token, keySet),

    deriveSecret: (purpose) => {
      const material = signingKey.export({ type: 'pkcs8', format: 'der' })
      return Buffer.from(hkdfSync('sha256', material, Buffer.alloc(0), `fieldstation ${purpose}`, 32))
    },
  }
}

/** The claims of a token of ours that one of the keys signed and that is alive; `undefined` for anything else. */
export async function verifyAccessToken(token: string, keys: JWTVerifyGetKey): Promise<AccessClaims | undefined> {
  try {
    const options = { issuer, audience, algorithms: ['RS256'], requiredClaims: ['sub', 'sid', 'exp'] }
    const { payload } = await jwtVerify(token, keys, options)
    return { userId: String(payload.sub), sessionId: String(payload.sid), expiresAtMs: payload.exp! * 1000 }
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}

/** A public key as we publish it, under the name that tokens have for it. */
export async function publicJwk(publicKey: KeyObject): Promise<Jwks['keys'][number]> {
  const { n, e } = await exportJWK(publicKey)
  if (!n || !e) throw new Error('The keys of tokens must be RSA keys.')
  const kid = await calculateJwkThumbprint({ kty: 'RSA', n, e })
  return { kty: 'RSA', kid, use: 'sig', alg: 'RS256', n, e }
}

const pemOf = {
  private: /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----/g,
  public: /-----BEGIN PUBLIC KEY-----[\s\S]+?-----END PUBLIC KEY-----/g,
}

/** The keys of one kind in a text, one after another. Variables often carry PEM with its line breaks written as `\n`. */
export const splitPem = (pem: string, kind: keyof typeof pemOf = 'private'): string[] =>
  pem.replaceAll('\\n', '\n').match(pemOf[kind]) ?? []
