import { type Api, data } from './api.ts'
import type { CallOptions } from './options.ts'
import { allItems } from './pages.ts'
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

export function adminCalls(api: Api): AdminCalls {
  const audit: AdminCalls['audit'] = (query, options) =>
    data(api.http.GET('/api/admin/audit', { params: { query }, ...api.with(options) }))

  return {
    audit,
    auditAll: (query, options) => allItems((cursor) => audit({ ...query, cursor }, options), query?.cursor),
  }
}
