import type { Role } from '../auth/caller.ts'

const inOrder: readonly Role[] = ['USER', 'WORKER', 'ADMIN']

/** The roles in their order, with the one that is everyone's. */
export const withUser = (roles: readonly Role[]): Role[] =>
  inOrder.filter((role) => role === 'USER' || roles.includes(role))

/** Whether they give the same rights, in whatever order. */
export const areSameRoles = (some: readonly Role[], others: readonly Role[]): boolean =>
  some.length === others.length && some.every((role) => others.includes(role))
