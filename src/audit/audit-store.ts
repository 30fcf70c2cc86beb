import { dayMs, firstIdAt } from '../db/id-time.ts'
import type { Sql } from '../db/sql.ts'
import type { Actor, AuditAction } from './audit-log.ts'

export interface AuditEventRow {
  id: string
  action: AuditAction
  occurredAt: Date
  actorKind: Actor['kind']
  actorId: string | null
  userId: string | null
  address: string | null
  requestId: string | null
  details: Record<string, unknown> | null
}

export interface AuditFilter {
  action?: AuditAction | undefined
  actorId?: string | undefined
  userId?: string | undefined
  after?: Date | undefined
  before?: Date | undefined
  beforeId?: string | undefined
  limit: number
}

/** Reading what `auditLog` has written. */
export const auditStore = (sql: Sql) => ({
  /**
   * Newest first. Instants are compared as they are shown, to the millisecond. Where they are given, the ids, which tell the time by the
   * clocks of the processes, keep the search near them: a day leaves room for clocks that are wrong.
   */
  async page({ action, actorId, userId, after, before, beforeId, limit }: AuditFilter): Promise<AuditEventRow[]> {
    const since = after ? firstIdAt(after.getTime() - dayMs) : undefined
    const until = before ? firstIdAt(before.getTime() + dayMs) : undefined
    return sql<AuditEventRow[]>`
      select id, action, occurred_at, actor_kind, actor_id, user_id, address, request_id, details
      from audit_events
      where ${action ? sql`action = ${action}` : sql`true`}
        and ${actorId ? sql`actor_id = ${actorId}` : sql`true`}
        and ${userId ? sql`user_id = ${userId}` : sql`true`}
        and ${after && since ? sql`id > ${since} and date_trunc('milliseconds', occurred_at) > ${after}` : sql`true`}
        and ${before && until ? sql`id < ${until} and date_trunc('milliseconds', occurred_at) < ${before}` : sql`true`}
        and ${beforeId ? sql`id < ${beforeId}` : sql`true`}
      order by id desc
      limit ${limit}
    `
  },
})

export type AuditStore = ReturnType<typeof auditStore>
