import type { Hono } from 'hono'
import type { JobParts } from './compose-jobs.ts'
import { composeServices, type ServiceParts } from './compose-services.ts'
import { isDatabaseDown } from './db/failures.ts'
import { createApp } from './http/app.ts'
import { documentation, type ReadRedoc } from './http/docs.ts'
import { StoreUnavailable } from './store/object-store.ts'

/** What every process of the service is made of, whatever starts it. */
export interface CoreParts extends ServiceParts {
  /** Serves the store's files, where the store has no server of its own. */
  objects?: Hono | undefined
  corsOrigins: string[]
  bodyLimitBytes: number
  trustedProxies: number
  bodyDeadlineMs?: number | undefined
  /** Gives Redoc's script where there is no `node_modules` to take it from. */
  readRedoc?: ReadRedoc | undefined
}

/** The one place where parts meet. Asks nobody yet, and starts nothing that would go on by itself. */
export async function composeCore(parts: CoreParts & Pick<JobParts, 'sql' | 'signals'>) {
  const { sql, store, log } = parts
  const shutdown = new AbortController()
  const { places, jobs, people, settlement, chores } = await composeServices(parts)

  const app = createApp({
    ...places.services,
    ...jobs.services,
    ...people.services,
    authenticate: people.authenticate,
    explainOutage,
    checks: { database: () => sql`select 1`, store: () => store.check() },
    docs: documentation(parts.readRedoc),
    objects: parts.objects,
    corsOrigins: parts.corsOrigins,
    bodyLimitBytes: parts.bodyLimitBytes,
    trustedProxies: parts.trustedProxies,
    bodyDeadlineMs: parts.bodyDeadlineMs,
    fileLimitBytes: parts.imageLimitBytes,
    shutdown: shutdown.signal,
    log,
  })

  return {
    app,
    sql,
    firstAccounts: people.firstAccounts,
    apiKeys: people.services.apiKeys,
    settlement,
    chores,
    /** Answers all who wait, so that no request holds up the end. */
    beginShutdown: () => shutdown.abort(),
  }
}

function explainOutage(error: unknown): string | undefined {
  if (error instanceof StoreUnavailable) return 'The object store does not answer.'
  return isDatabaseDown(error) ? 'The database does not answer.' : undefined
}
