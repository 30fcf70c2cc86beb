import type { Caller, Role, Scope } from '../auth/caller.ts'
import { AppError } from '../errors.ts'

/** What the contract says about who may call an operation. */
export interface Access {
  security: readonly Record<string, readonly string[]>[]
  'x-scopes'?: readonly Scope[]
  'x-roles'?: readonly Role[]
}

const schemeOf = { session: 'bearerAuth', apiKey: 'apiKey', assignment: 'assignmentToken' } as const

/** Lets the caller pass, or says why not. Whose resource it is, is for the services to ask. */
export function checkAccess(access: Access, caller: Caller): void {
  const scopes = access['x-scopes']
  const roles = access['x-roles'] ?? []
  if (!access.security.some((scheme) => schemeOf[caller.kind] in scheme)) {
    throw new AppError(
      'forbidden',
      `This needs a person who is signed in, not ${caller.kind === 'apiKey' ? 'an API key' : 'an assignment'}.`,
    )
  }
  if (caller.kind === 'assignment') return
  // Without a word on scopes no key is good enough; an empty list takes any.
  const isOpenToKey = scopes?.length === 0 || scopes?.some((scope) => caller.scopes.includes(scope))
  if (caller.kind === 'apiKey' && !isOpenToKey) {
    throw new AppError('insufficient_scope', `This needs an API key with the scope ${(scopes ?? []).join(' or ')}.`)
  }
  if (roles.length > 0 && !roles.some((role) => caller.roles.includes(role))) {
    throw new AppError('forbidden', `This needs the role ${roles.join(' or ')}.`)
  }
}
