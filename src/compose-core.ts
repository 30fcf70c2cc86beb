import type { Hono } from 'hono'
import { composeJobs, type JobParts } from './compose-jobs.ts'
import { composePeople, type PeopleParts } from './compose-people.ts'
import type { Config } from './config.ts'
import { isDatabaseDown } from './db/failures.ts'
import { createApp } from './http/app.ts'
import { documentation, type ReadRedoc } from './http/docs.ts'
import { StoreUnavailable } from './store/object-store.ts'

/** What every process of the service is made of, whatever starts it. */
export interface CoreParts
  extends Omit<JobParts, 'sql' | 'signals'>,
    Omit<PeopleParts, 'sql' | 'findAssignment' | 'withdrawWishes'> {
  /** Serves the store's files, where the store has no server of its own. */
  objects?: Hono | undefined
  corsOrigins: string[]
  bodyLimitBytes: number
  trustedProxies: number
  bodyDeadlineMs?: number | undefined
  /** Gives Redoc's script where there is no `node_modules` to take it from. */
  readRedoc?: ReadRedoc | undefined
}

/** What of the configuration every process goes by. */
export const settingsOf = (config: Config) => ({
  isRegistrationOpen: config.ALLOW_REGISTRATION,
  maxActiveJobs: config.MAX_ACTIVE_JOBS,
  jobRetentionDays: config.JOB_RETENTION_DAYS,
  corsOrigins: config.CORS_ORIGINS,
  bodyLimitBytes: config.BODY_LIMIT_BYTES,
  trustedProxies: config.TRUSTED_PROXIES,
  trustedIssuers: config.AUTH_TRUSTED_ISSUERS,
})

/** The one place where parts meet. Asks nobody yet, and starts nothing that would go on by itself. */
export async function composeCore(parts: CoreParts & Pick<JobParts, 'sql' | 'signals'>) {
  const { sql, store, log } = parts
  const shutdown = new AbortController()
  const jobs = composeJobs(parts)
  const people = await composePeople({
    ...parts,
    findAssignment: jobs.findAssignment,
    withdrawWishes: jobs.services.jobs.withdrawForsaken,
  })

  const app = createApp({
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
    shutdown: shutdown.signal,
    log,
  })

  return {
    app,
    sql,
    firstAccounts: people.firstAccounts,
    apiKeys: people.services.apiKeys,
    settlement: jobs.settlement,
    chores: { ...people.chores, ...jobs.chores },
    /** Answers all who wait, so that no request holds up the end. */
    beginShutdown: () => shutdown.abort(),
  }
}

function explainOutage(error: unknown): string | undefined {
  if (error instanceof StoreUnavailable) return 'The object store does not answer.'
  return isDatabaseDown(error) ? 'The database does not answer.' : undefined
}
