import { adminCommands } from './admin-commands.ts'
import { auditLog } from './audit/audit-log.ts'
import { apiKeyService } from './auth/api-key-service.ts'
import { apiKeyStore } from './auth/api-key-store.ts'
import { identityStore } from './auth/identity-store.ts'
import { passwordResets } from './auth/password-resets.ts'
import { signInLimits } from './auth/sign-in-limits.ts'
import type { Sql } from './db/sql.ts'
import { outboxStore } from './mail/outbox-store.ts'
import { accountService } from './users/account-service.ts'
import { userService } from './users/user-service.ts'
import { userStore } from './users/user-store.ts'

/** The commands of operators. A service that runs beside them hears of what they change within 30 seconds. */
export function composeAdmin(sql: Sql, resetUrl: string) {
  const [users, audit, outbox, limits] = [userStore(sql), auditLog(sql), outboxStore(sql), signInLimits(sql)]
  return adminCommands({
    sql,
    users: userService({ sql, users, audit, onAccessChanged: () => {} }),
    accounts: accountService({ sql, users, outbox, audit, limits, isRegistrationOpen: false }),
    apiKeys: apiKeyService({ sql, apiKeys: apiKeyStore(sql), audit, onKeyRevoked: () => {} }),
    resets: passwordResets(sql),
    identities: identityStore(sql),
    audit,
    resetUrl,
  })
}
