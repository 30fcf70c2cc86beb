import type { Hono } from 'hono'
import { auditLog } from './audit/audit-log.ts'
import { auditService } from './audit/audit-service.ts'
import { auditStore } from './audit/audit-store.ts'
import { accessTokens } from './auth/access-tokens.ts'
import { apiKeyService } from './auth/api-key-service.ts'
import { apiKeyStore } from './auth/api-key-store.ts'
import { authService } from './auth/auth-service.ts'
import { Authenticator } from './auth/authenticator.ts'
import { identityService } from './auth/identity-service.ts'
import { identityStore } from './auth/identity-store.ts'
import { passwordResets } from './auth/password-resets.ts'
import { passwordService } from './auth/password-service.ts'
import { recoveryService } from './auth/recovery-service.ts'
import { sessionService } from './auth/session-service.ts'
import { sessionStore } from './auth/session-store.ts'
import { signInGate } from './auth/sign-in-gate.ts'
import { signInLimits } from './auth/sign-in-limits.ts'
import { type TrustedIssuer, trustedIssuers } from './auth/trusted-issuers.ts'
import type { Config } from './config.ts'
import { isDatabaseDown } from './db/failures.ts'
import type { Signals } from './db/signals.ts'
import type { Sql } from './db/sql.ts'
import { createApp } from './http/app.ts'
import { documentation, type ReadRedoc } from './http/docs.ts'
import { assignmentService } from './jobs/assignment-service.ts'
import { assignmentStore } from './jobs/assignment-store.ts'
import { claimService } from './jobs/claim-service.ts'
import { claimStore } from './jobs/claim-store.ts'
import { eventStore } from './jobs/event-store.ts'
import { purgeIdempotencyKeys } from './jobs/idempotency.ts'
import { JobChanges } from './jobs/job-changes.ts'
import { jobEvents } from './jobs/job-events.ts'
import { jobService } from './jobs/job-service.ts'
import { jobSettlement } from './jobs/job-settlement.ts'
import { jobStore } from './jobs/job-store.ts'
import { ReadyJobs } from './jobs/ready-jobs.ts'
import { purgeJobs } from './jobs/retention.ts'
import type { Log } from './log.ts'
import { mailService } from './mail/mail-service.ts'
import { outboxStore } from './mail/outbox-store.ts'
import { polygonService } from './polygons/polygon-service.ts'
import { polygonStore } from './polygons/polygon-store.ts'
import { assessmentInputs } from './regions/assessment-inputs.ts'
import { applyInspection, layerService } from './regions/layer-service.ts'
import { layerStore } from './regions/layer-store.ts'
import { regionService } from './regions/region-service.ts'
import { regionStore } from './regions/region-store.ts'
import { type ObjectStore, StoreUnavailable } from './store/object-store.ts'
import { accountService } from './users/account-service.ts'
import { firstAccounts } from './users/first-accounts.ts'
import { userDeletion } from './users/user-deletion.ts'
import { userService } from './users/user-service.ts'
import { userStore } from './users/user-store.ts'

/** What every process of the service is made of, whatever starts it. */
export interface CoreParts {
  store: ObjectStore
  /** Serves the store's files, where the store has no server of its own. */
  objects?: Hono | undefined
  signingKey: string
  /** Whose tokens are taken beside our own. */
  trustedIssuers: readonly TrustedIssuer[]
  isRegistrationOpen: boolean
  maxActiveJobs: number
  jobRetentionDays: number
  corsOrigins: string[]
  bodyLimitBytes: number
  trustedProxies: number
  bodyDeadlineMs?: number | undefined
  /** Gives Redoc's script where there is no `node_modules` to take it from. */
  readRedoc?: ReadRedoc | undefined
  /** How requests wait, where that is otherwise than usual. */
  waiting?: { longestSeconds: number; lookMs: number }
  log: Log
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
export async function composeCore(parts: CoreParts & { sql: Sql; signals: Signals }) {
  const { sql, signals, store, waiting, log } = parts
  const shutdown = new AbortController()

  const [users, sessions, apiKeyRows] = [userStore(sql), sessionStore(sql), apiKeyStore(sql)]
  const [polygonRows, regions, layerRows] = [polygonStore(sql), regionStore(sql), layerStore(sql)]
  const [jobRows, assignmentRows, events] = [jobStore(sql), assignmentStore(sql), eventStore(sql)]

  const audit = auditLog(sql)
  const outbox = outboxStore(sql)

  const tokens = await accessTokens(parts.signingKey)
  const issuers = trustedIssuers(parts.trustedIssuers)
  const authenticator = new Authenticator({
    tokens,
    sessions,
    apiKeys: apiKeyRows,
    findAssignment: assignmentRows.findByToken,
    findVisitor: async (token) => {
      const visitor = await issuers.verify(token)
      const account = visitor && (await identities.arrive(visitor))
      return account && { ...account, expiresAtMs: visitor.expiresAtMs }
    },
  })
  const forget = (id: string) => authenticator.forget(id)
  const onAccessChanged = (userId: string) => authenticator.forgetUser(userId)
  const [limits, resets] = [signInLimits(sql), passwordResets(sql)]
  const gate = signInGate({ sql, limits, audit })
  const auth = authService({ sql, users, sessions, tokens, gate, audit, log, onSessionEnded: forget })
  const passwords = passwordService({ sql, users, sessions, resets, limits, gate, outbox, audit, onAccessChanged })
  const apiKeys = apiKeyService({ sql, apiKeys: apiKeyRows, audit, onKeyRevoked: forget })
  const people = userService({ sql, users, audit, onAccessChanged })
  const identities = identityService({
    sql,
    identities: identityStore(sql),
    createUser: users.insert,
    changeRoles: people.changeRoles,
    audit,
    log,
  })
  const { isRegistrationOpen } = parts
  const polygons = polygonService(polygonRows)

  const ready = new ReadyJobs({ signals, log, findDueTypes: jobRows.findDueTypes, pollMs: waiting?.lookMs })
  const changes = new JobChanges(signals, waiting?.lookMs)
  const reactions = { RASTER_INSPECTION: applyInspection(layerRows, jobRows) }
  const settlement = jobSettlement({ sql, assignments: assignmentRows, ready, changes, reactions, log })
  const resolvers = assessmentInputs({ regions, layers: layerRows, polygons })
  const { maxActiveJobs } = parts
  const longestWaitSeconds = waiting?.longestSeconds
  const jobs = jobService({
    sql,
    jobs: jobRows,
    store,
    settlement,
    ready,
    changes,
    resolvers,
    maxActiveJobs,
    longestWaitSeconds,
  })
  const assignments = assignmentService({ sql, assignments: assignmentRows, store, settlement, changes })
  const claims = claimService({
    jobs: jobRows,
    claims: claimStore(sql),
    assignments: assignmentRows,
    settlement,
    ready,
    changes,
    longestWaitSeconds,
  })
  const layers = layerService({ sql, layers: layerRows, store, jobs })

  const deletion = userDeletion({
    sql,
    users,
    sessions,
    apiKeys: apiKeyRows,
    resets,
    audit,
    log,
    withdrawWishes: jobs.withdrawForsaken,
    onAccessChanged,
  })

  const app = createApp({
    auth,
    tokens,
    accounts: accountService({ sql, users, outbox, audit, isRegistrationOpen }),
    sessions: sessionService({ sql, sessions, audit, onSessionEnded: forget, onAccessChanged }),
    passwords,
    recovery: recoveryService({ sql, users, resets, limits, outbox, audit }),
    users: people,
    deletion,
    apiKeys,
    polygons,
    regions: regionService({ regions, layers: layerRows }),
    layers,
    jobs,
    events: jobEvents({ jobs, events, changes }),
    claims,
    assignments,
    auditEvents: auditService(auditStore(sql)),
    mail: mailService({ sql, outbox, users, audit }),
    authenticate: (request) => authenticator.authenticate(request),
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

  const chores = {
    'purge idempotency keys': () => purgeIdempotencyKeys(sql),
    'purge sessions': sessions.purge,
    'purge sign-in failures': limits.purge,
    'purge password resets': resets.purge,
    'withdraw wishes of the deleted': () => jobs.withdrawForsaken(),
    'purge layers': layers.purge,
    'purge mails': outbox.purge,
    'purge jobs': () => purgeJobs({ jobs: jobRows, store, retentionDays: parts.jobRetentionDays }),
  }

  return {
    app,
    users: people,
    firstAccounts: firstAccounts({ sql, users, audit }),
    apiKeys,
    sql,
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
