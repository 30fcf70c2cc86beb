import type { components } from '../../generated/types.ts'

export type Role = components['schemas']['Role']
export type Scope = components['schemas']['Scope']

/** Who is asking, and by what right. */
export interface Caller {
  /** A person with a session, a service or worker with an API key, or code that holds the token of one assignment. */
  kind: 'session' | 'apiKey' | 'assignment'
  userId: string
  /** The person's roles as the database has them (at most 30 seconds old). */
  roles: readonly Role[]
  /** What an API key may be used for. */
  scopes: readonly Scope[]
  sessionId?: string
  assignmentId?: string
}

/** Whether the caller may act on what belongs to others. Never a key: a key has what its scopes name and no more. */
export const isAdmin = (caller: Caller): boolean => caller.kind === 'session' && caller.roles.includes('ADMIN')

/** Whose things the caller may act on: their own alone, or, where this is `undefined`, everybody's. */
export const ownerFor = (caller: Caller): string | undefined => (isAdmin(caller) ? undefined : caller.userId)

/** Whether the caller may look at jobs as a worker does. */
export const isWorker = (caller: Caller): boolean =>
  caller.roles.some((role) => role === 'WORKER' || role === 'ADMIN') &&
  (caller.kind === 'session' || caller.scopes.includes('jobs:work'))
