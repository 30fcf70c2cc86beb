import type { Api } from './api.ts'
import type { CallOptions } from './options.ts'
import type { AuditEvent, Page, Query } from './types.ts'

/** What the people who run the service look at. */
export interface AdminCalls {
  /**
   * List what was done to accounts.
   *
   * Who did what to whom, when and from where: signing in and failing to, passwords, roles, keys, accounts. Newest
   * first; nothing is ever changed or taken away.
   */
  audit(query?: Query<'listAuditEvents'>, options?: CallOptions): Promise<Page<AuditEvent>>
  /** All that was done to accounts, newest first. `limit` is the size of a page. */
  auditAll(query?: Query<'listAuditEvents'>, options?: CallOptions): AsyncGenerator<AuditEvent, void, undefined>
}

export const adminCalls = ({ operation, items }: Api): AdminCalls => ({
  audit: operation('get', '/api/admin/audit', 'query'),
  auditAll: items('/api/admin/audit'),
})
