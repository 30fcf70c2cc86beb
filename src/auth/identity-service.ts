import { v7 as uuid } from 'uuid'
import { EmailSchema, PersonNameSchema } from '../../generated/schemas.ts'
import type { Actor, AuditLog } from '../audit/audit-log.ts'
import type { Sql, Tx } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import type { Log } from '../log.ts'
import { areSameRoles } from '../users/roles.ts'
import type { Role } from './caller.ts'
import type { IdentityRow, IdentityStore } from './identity-store.ts'
import type { Visitor } from './trusted-issuers.ts'

export interface IdentityServiceDeps {
  sql: Sql
  identities: IdentityStore
  /** Makes an account without a password; `undefined` if the email is taken. */
  createUser(user: { id: string; email: string; name: string | undefined; roles: Role[] }, tx: Tx): Promise<unknown>
  /** Gives the roles as they are then; throws `last_admin`. */
  changeRoles(userId: string, roles: Role[], actor: Actor): Promise<Role[]>
  audit: AuditLog
  log: Log
}

const system: Actor = { kind: 'system' }

export const identityService = ({ sql, identities, createUser, changeRoles, audit, log }: IdentityServiceDeps) => {
  /** The account that belongs to an identity: as it is, or made on a first visit if the issuer may. */
  async function arrive(visitor: Visitor): Promise<{ userId: string; roles: Role[] } | undefined> {
    const known = await identities.find(visitor.issuer, visitor.subject)
    if (!known) return admit(visitor)
    return known.isLive ? { userId: known.userId, roles: await rolesOf(known, visitor) } : undefined
  }

  /**
   * Roles follow the groups of an issuer that has a say in them, except that the last admin stays one. A token from before the last that
   * spoke of them gives nothing that has been taken away since.
   */
  async function rolesOf({ userId, roles }: IdentityRow, visitor: Visitor): Promise<Role[]> {
    const { issuer, subject, roles: wanted, issuedAt } = visitor
    if (!wanted || !issuedAt) return roles
    if (!(await identities.takeWordOnRoles(issuer, subject, issuedAt)))
      return roles.filter((role) => wanted.includes(role))
    if (areSameRoles(roles, wanted)) return roles
    try {
      return await changeRoles(userId, wanted, system)
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'last_admin') throw error
      log.warn('issuer takes the last admin away: kept', { userId })
      return roles
    }
  }

  /** Never by an email: whoever can choose an email at an issuer would choose somebody else's account. */
  async function admit(visitor: Visitor): Promise<{ userId: string; roles: Role[] } | undefined> {
    const { issuer, subject, email, name, roles = ['USER'], createsAccount } = visitor
    if (!createsAccount) throw notLinked('This identity has no account here.')
    if (!email || !EmailSchema.safeParse(email).success)
      throw notLinked('The token names no email that the issuer vouches for.')
    const userId = uuid()
    const outcome = await sql
      .begin(async (tx) => {
        if (!(await createUser({ id: userId, email, name: fitting(name), roles }, tx))) return 'taken'
        // Somebody else's first visit at the same instant: theirs counts, and our account is taken back.
        if (!(await identities.insert(issuer, subject, userId, tx))) throw new Elsewhere()
        await audit.record({ action: 'identity_linked', actor: system, userId, details: { issuer } }, tx)
        return 'made'
      })
      .catch((error: unknown) => {
        if (error instanceof Elsewhere) return 'elsewhere'
        throw error
      })
    if (outcome === 'made') return { userId, roles }
    const arrived = await identities.find(issuer, subject)
    if (!arrived) throw notLinked('An account with this email exists.')
    return arrived.isLive ? arrived : undefined
  }

  return { arrive }
}

/** A name that is none by our rules is left out: nobody needs one. */
const fitting = (name: string | undefined) => (PersonNameSchema.safeParse(name).success ? name : undefined)

class Elsewhere extends Error {
  override name = 'Elsewhere'
}

const notLinked = (why: string) =>
  new AppError('identity_not_linked', `${why} Ask an administrator to link it to your account.`)
