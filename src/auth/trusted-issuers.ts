import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { AppError } from '../errors.ts'
import { withUser } from '../users/roles.ts'
import type { Role } from './caller.ts'
import { KeysUnavailable, publishedKeys } from './published-keys.ts'

/** Somebody whose tokens we take: Cognito, another OpenID provider, or a program that shares a secret with us. */
export interface TrustedIssuer {
  /** The `iss` of its tokens, to the letter. */
  issuer: string
  /** Whom its tokens must be for. */
  audience: string[]
  /** Where that stands: in `aud`, or, as in Cognito's access tokens, in `client_id`. */
  audienceClaim: 'aud' | 'client_id'
  /** Where its public keys are. Exclusive with `secret`. */
  jwksUrl?: string | undefined
  /** What it signs with by HS256. Good for its tokens alone. */
  secret?: string | undefined
  algorithms: string[]
  /** The `token_use` that tokens must have, where the issuer makes several kinds (Cognito: `id`, `access`). */
  tokenUse?: string | undefined
  subjectClaim: string
  /** Whether the subject is an LDAP distinguished name, of which the first component's value counts. */
  isDistinguishedName: boolean
  emailClaim: string
  /** Makes an email of the subject where a token has none. */
  emailDomain?: string | undefined
  nameClaim: string
  groupsClaim: string
  /** Which group gives which role. With it the issuer decides on roles; without it our admins do. */
  roles?: Record<string, Role> | undefined
  /** Whether a first visit makes an account. */
  createsAccounts: boolean
}

/** Somebody as an issuer knows them. */
export interface Visitor {
  issuer: string
  subject: string
  email: string | undefined
  name: string | undefined
  /** The roles that their groups give; `undefined` where the issuer has no say in it. */
  roles: Role[] | undefined
  createsAccount: boolean
  /** When the token was made, where the issuer has a say in roles. */
  issuedAt: Date | undefined
  expiresAtMs: number
}

/** What an index of PostgreSQL holds, and more than anybody's. */
export const maxSubjectLength = 255

export interface TrustedIssuers {
  /** Who sends this token; `undefined` if it is not a valid one of an issuer that we trust. */
  verify(token: string): Promise<Visitor | undefined>
}

/** What RFC 8725 asks for: the issuer chooses the key and the algorithms, never the token. */
export function trustedIssuers(issuers: readonly TrustedIssuer[]): TrustedIssuers {
  const known = new Map(issuers.map((issuer) => [issuer.issuer, { issuer, key: keyOf(issuer) }]))

  return {
    async verify(token) {
      const { issuer, key } = known.get(issuerOf(token) ?? '') ?? {}
      if (!issuer || !key) return undefined
      try {
        const { payload } = await jwtVerify(token, key, {
          issuer: issuer.issuer,
          algorithms: issuer.algorithms,
          // Of two tokens with other groups the later one counts.
          requiredClaims: ['exp', issuer.subjectClaim, ...(issuer.roles ? ['iat'] : [])],
          ...(issuer.audienceClaim === 'aud' && { audience: issuer.audience }),
        })
        return visitorOf(payload, issuer)
      } catch (error) {
        if (error instanceof KeysUnavailable)
          throw new AppError('service_unavailable', "The keys of the token's issuer cannot be fetched just now.", {
            cause: error,
            retryAfterSeconds: 5,
          })
        if (error instanceof errors.JOSEError) return undefined
        throw error
      }
    },
  }
}

function keyOf({ jwksUrl, secret }: TrustedIssuer): JWTVerifyGetKey {
  if (jwksUrl) return publishedKeys(jwksUrl)
  const key = new TextEncoder().encode(secret)
  return () => key
}

/** Who claims to have made the token. Only good for finding out by whose key it has to be verified. */
function issuerOf(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token)
    return typeof iss === 'string' ? iss : undefined
  } catch {
    return undefined
  }
}

function visitorOf(payload: JWTPayload, issuer: TrustedIssuer): Visitor | undefined {
  if (issuer.audienceClaim === 'client_id' && !issuer.audience.includes(String(payload.client_id))) return undefined
  if (issuer.tokenUse !== undefined && payload.token_use !== issuer.tokenUse) return undefined
  const claimed = textOf(payload[issuer.subjectClaim])
  const subject = issuer.isDistinguishedName ? firstComponentOf(claimed) : claimed
  if (!subject || subject.length > maxSubjectLength || /\p{Cc}/u.test(subject)) return undefined
  const isVerified = [undefined, true, 'true'].includes(payload.email_verified as never)
  const email = isVerified ? textOf(payload[issuer.emailClaim]) : undefined
  return {
    issuer: issuer.issuer,
    subject,
    email: email ?? (issuer.emailDomain && `${subject}@${issuer.emailDomain}`),
    name: textOf(payload[issuer.nameClaim]),
    roles: issuer.roles && rolesOf(payload[issuer.groupsClaim], issuer.roles),
    createsAccount: issuer.createsAccounts,
    issuedAt: payload.iat === undefined ? undefined : new Date(payload.iat * 1000),
    expiresAtMs: payload.exp! * 1000,
  }
}

const textOf = (claim: unknown): string | undefined => (typeof claim === 'string' && claim !== '' ? claim : undefined)

/** `uid=ana,ou=people,dc=reef` → `ana` (RFC 4514). What belongs to the value is escaped, by itself or by its bytes. */
function firstComponentOf(name: string | undefined): string | undefined {
  const [, value] = name?.match(/^[\w.-]+ *= *((?:\\.|[^\\,+"<>;])+?) *(?:[,;]|$)/) ?? []
  return value?.replaceAll(/((?:\\[\da-f]{2})+)|\\(.)/gi, (_, bytes?: string, character?: string) =>
    bytes ? Buffer.from(bytes.replaceAll('\\', ''), 'hex').toString() : character!,
  )
}

function rolesOf(claim: unknown, roles: Record<string, Role>): Role[] {
  const groups = Array.isArray(claim) ? claim : (textOf(claim)?.split(/[\s,]+/) ?? [])
  const given = groups.flatMap((group) => (Object.hasOwn(roles, String(group)) ? [roles[String(group)]!] : []))
  return withUser(given)
}
