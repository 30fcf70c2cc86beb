import type { components } from '../../generated/types.ts'
import { storableInstant } from '../db/instants.ts'
import { type PageQuery, pageOf, startOf } from '../page.ts'
import type { AuditEventRow, AuditFilter, AuditStore } from './audit-store.ts'

type Schemas = components['schemas']
type AuditQuery = PageQuery &
  Pick<AuditFilter, 'action' | 'actorId' | 'userId'> & { after?: string | undefined; before?: string | undefined }

export const auditService = (events: AuditStore) => ({
  async list(query: AuditQuery): Promise<Schemas['AuditEventPage']> {
    const { limit, action, actorId, userId, after, before } = query
    const filter = { action, actorId, userId, after: storableInstant(after), before: storableInstant(before) }
    return pageOf(await events.page({ ...filter, beforeId: startOf(query), limit: limit + 1 }), limit, toAuditEvent)
  },
})

export type AuditService = ReturnType<typeof auditService>

const toAuditEvent = (row: AuditEventRow): Schemas['AuditEvent'] => ({
  id: row.id,
  action: row.action,
  occurredAt: row.occurredAt.toISOString(),
  actorKind: row.actorKind,
  ...(row.actorId !== null && { actorId: row.actorId }),
  ...(row.userId !== null && { userId: row.userId }),
  ...(row.address !== null && { address: row.address }),
  ...(row.requestId !== null && { requestId: row.requestId }),
  ...(row.details !== null && { details: row.details }),
})
