import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import type { Caller } from '../auth/caller.ts'
import type { Sql, Tx } from '../db/sql.ts'

export type AuditAction = components['schemas']['AuditAction']
type ActorKind = components['schemas']['AuditEvent']['actorKind']

/** Where a request came from. */
export interface Origin {
  /** The client's network address, where it is known. */
  address?: string | undefined
  userAgent?: string | undefined
  requestId?: string | undefined
}

/** Who did something, and from where. */
export interface Actor extends Origin {
  kind: ActorKind
  userId?: string | undefined
}

export interface AuditEntry {
  action: AuditAction
  actor: Actor
  /** The person to whom it was done. */
  userId?: string | undefined
  /** What else there is to know. Never a secret, nor what a stranger typed. */
  details?: Record<string, unknown> | undefined
}

export const anonymous = (origin: Origin): Actor => ({ kind: 'anonymous', ...origin })

export const actorOf = (caller: Caller, origin: Origin): Actor => ({
  kind: caller.kind === 'apiKey' ? 'apiKey' : 'session',
  userId: caller.userId,
  ...origin,
})

/** The record of what was done to accounts. Rows are only ever added; the database sees to it. */
export const auditLog = (sql: Sql) => ({
  /** In the transaction of what it records, so that neither is there without the other. */
  async record({ action, actor, userId, details }: AuditEntry, tx: Tx = sql): Promise<void> {
    await tx`
      insert into audit_events (id, action, actor_kind, actor_id, user_id, address, request_id, details)
      values (
        ${uuid()}, ${action}, ${actor.kind}, ${actor.userId ?? null}, ${userId ?? null},
        ${actor.address ?? null}, ${actor.requestId ?? null}, ${details ? sql.json(details as never) : null}
      )
    `
  },
})

export type AuditLog = ReturnType<typeof auditLog>
