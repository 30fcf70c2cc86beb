import { LRUCache } from 'lru-cache'
import { AppError } from '../errors.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { ApiKeyStore } from './api-key-store.ts'
import type { Caller, Role } from './caller.ts'
import { readCredential } from './credential.ts'
import { hashSecret } from './secrets.ts'
import type { SessionStore } from './session-store.ts'

export interface AuthenticatorDeps {
  tokens: AccessTokens
  sessions: SessionStore
  apiKeys: ApiKeyStore
  /** Whose assignment a token opens, ended or not: what is over is told apart by the operation. */
  findAssignment(tokenHash: Buffer): Promise<{ id: string; userId: string } | undefined>
  /** Whom a token of another issuer stands for; `undefined` if we do not trust it. */
  findVisitor(token: string): Promise<{ userId: string; roles: Role[]; expiresAtMs: number } | undefined>
}

interface Found {
  caller: Caller
  /** What the credential stands for: a session, an API key or an assignment. */
  id: string
  expiresAtMs: number
}

/** For so long a process believes what it has looked up. The contract promises it to those who revoke. */
const memoryMs = 30_000

/** Tells who sends a request, by what it carries. Looks each credential up at most every 30 seconds. */
export class Authenticator {
  readonly #deps: AuthenticatorDeps
  #generation = 0
  readonly #known = new LRUCache<string, Found>({ max: 20_000, ttl: memoryMs })

  constructor(deps: AuthenticatorDeps) {
    this.#deps = deps
  }

  /** Throws `unauthenticated`, which says the same whatever is wrong. */
  async authenticate({ headers }: { headers: Headers }): Promise<Caller> {
    const credential = readCredential(headers)
    if (!credential) throw new AppError('unauthenticated', 'Send a token or an API key.')
    const known = this.#known.get(credential)
    if (known) return known.caller
    const generation = this.#generation
    const found = await this.#find(credential)
    if (!found) throw new AppError('unauthenticated', 'The token or API key is not valid, or not any more.')
    const ttl = Math.min(memoryMs, found.expiresAtMs - Date.now())
    // What was looked up before somebody was forgotten may be what was to be forgotten.
    if (ttl > 0 && generation === this.#generation) this.#known.set(credential, found, { ttl })
    return found.caller
  }

  /** Forgets every credential of a session or an API key at once, in this process. */
  forget(id: string): void {
    this.#generation += 1
    for (const [credential, found] of this.#known.entries()) if (found.id === id) this.#known.delete(credential)
  }

  /** The same for everything that a person has, as when they are deleted or their roles change. */
  forgetUser(userId: string): void {
    this.#generation += 1
    for (const [credential, { caller }] of this.#known.entries())
      if (caller.userId === userId) this.#known.delete(credential)
  }

  async #find(credential: string): Promise<Found | undefined> {
    const later = Number.POSITIVE_INFINITY
    if (credential.startsWith('fsa_')) {
      const assignment = await this.#deps.findAssignment(hashSecret(credential))
      if (!assignment) return undefined
      const caller: Caller = {
        kind: 'assignment',
        userId: assignment.userId,
        roles: [],
        scopes: [],
        assignmentId: assignment.id,
      }
      return { caller, id: assignment.id, expiresAtMs: later }
    }
    if (credential.startsWith('fs_')) {
      const key = await this.#deps.apiKeys.findHolder(hashSecret(credential))
      if (!key?.isLive) return undefined
      const caller: Caller = { kind: 'apiKey', userId: key.userId, roles: key.roles, scopes: key.scopes }
      return { caller, id: key.id, expiresAtMs: key.leftMs === null ? later : Date.now() + key.leftMs }
    }
    const claims = await this.#deps.tokens.verify(credential)
    if (!claims) return this.#findVisitor(credential)
    const session = await this.#deps.sessions.find(claims.sessionId, claims.userId)
    if (!session?.isLive) return undefined
    const { userId, roles } = session
    const caller: Caller = { kind: 'session', userId, roles, scopes: [], sessionId: claims.sessionId }
    return { caller, id: claims.sessionId, expiresAtMs: claims.expiresAtMs }
  }

  /** Somebody else keeps the session, so there is none of ours to end: the token is good until it dies. */
  async #findVisitor(token: string): Promise<Found | undefined> {
    const visitor = await this.#deps.findVisitor(token)
    if (!visitor) return undefined
    const { userId, roles, expiresAtMs } = visitor
    return { caller: { kind: 'session', userId, roles, scopes: [] }, id: userId, expiresAtMs }
  }
}
