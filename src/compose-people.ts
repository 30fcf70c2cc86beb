import { auditLog } from './audit/audit-log.ts'
import { auditService } from './audit/audit-service.ts'
import { auditStore } from './audit/audit-store.ts'
import { accessTokens } from './auth/access-tokens.ts'
import { apiKeyService } from './auth/api-key-service.ts'
import { apiKeyStore } from './auth/api-key-store.ts'
import { authService } from './auth/auth-service.ts'
import { Authenticator, type AuthenticatorDeps } from './auth/authenticator.ts'
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
import type { Sql } from './db/sql.ts'
import type { Log } from './log.ts'
import { mailService } from './mail/mail-service.ts'
import { outboxStore } from './mail/outbox-store.ts'
import { accountService } from './users/account-service.ts'
import { firstAccounts } from './users/first-accounts.ts'
import { type UserDeletionDeps, userDeletion } from './users/user-deletion.ts'
import { userService } from './users/user-service.ts'
import { userStore } from './users/user-store.ts'

export interface PeopleParts
  extends Pick<AuthenticatorDeps, 'findAssignment'>,
    Pick<UserDeletionDeps, 'withdrawWishes'> {
  sql: Sql
  signingKey: string
  trustedIssuers: readonly TrustedIssuer[]
  isRegistrationOpen: boolean
  log: Log
}

/** People: how they come to an account, sign in, and are told; and who they are to the rest of the service. */
export async function composePeople(parts: PeopleParts) {
  const { sql, isRegistrationOpen, findAssignment, withdrawWishes, log } = parts
  const [users, sessions, apiKeyRows] = [userStore(sql), sessionStore(sql), apiKeyStore(sql)]
  const [resets, limits, outbox, audit] = [passwordResets(sql), signInLimits(sql), outboxStore(sql), auditLog(sql)]
  const [tokens, issuers] = [await accessTokens(parts.signingKey), trustedIssuers(parts.trustedIssuers)]
  const gate = signInGate({ sql, limits, audit })

  const authenticator = new Authenticator({
    tokens,
    sessions,
    apiKeys: apiKeyRows,
    findAssignment,
    // Identities come last: they change roles, of which the authenticator has to hear.
    findVisitor: async (token) => {
      const visitor = await issuers.verify(token)
      const account = visitor && (await identities.arrive(visitor))
      return account && { ...account, expiresAtMs: visitor.expiresAtMs }
    },
  })
  const forget = (id: string) => authenticator.forget(id)
  const onAccessChanged = (userId: string) => authenticator.forgetUser(userId)

  const people = userService({ sql, users, audit, onAccessChanged })
  const apiKeys = apiKeyService({ sql, apiKeys: apiKeyRows, audit, onKeyRevoked: forget })
  const deletion = userDeletion({
    sql,
    users,
    sessions,
    apiKeys: apiKeyRows,
    resets,
    audit,
    log,
    withdrawWishes,
    onAccessChanged,
  })
  const identities = identityService({
    sql,
    identities: identityStore(sql),
    createUser: users.insert,
    changeRoles: people.changeRoles,
    audit,
    log,
  })

  return {
    services: {
      tokens,
      auth: authService({ sql, users, sessions, tokens, gate, audit, log, onSessionEnded: forget }),
      sessions: sessionService({ sql, sessions, audit, onSessionEnded: forget, onAccessChanged }),
      passwords: passwordService({ sql, users, sessions, resets, limits, gate, outbox, audit, onAccessChanged }),
      recovery: recoveryService({ sql, users, resets, limits, outbox, audit }),
      accounts: accountService({ sql, users, outbox, audit, limits, isRegistrationOpen }),
      users: people,
      deletion,
      apiKeys,
      auditEvents: auditService(auditStore(sql)),
      mail: mailService({ sql, outbox, users, audit }),
    },
    authenticate: (request: { headers: Headers }) => authenticator.authenticate(request),
    firstAccounts: firstAccounts({ sql, users, audit }),
    chores: {
      'purge sessions': sessions.purge,
      'purge sign-in failures': limits.purge,
      'purge password resets': resets.purge,
      'purge mails': outbox.purge,
    },
  }
}
