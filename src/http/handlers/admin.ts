import type { AuditService } from '../../audit/audit-service.ts'
import type { Handlers } from '../contract.ts'

type AdminOperation = 'listAuditEvents'

export const adminHandlers = ({ auditEvents }: { auditEvents: AuditService }): Handlers<AdminOperation> => ({
  async listAuditEvents({ query }) {
    return { status: 200, body: await auditEvents.list(query) }
  },
})
