import { actorOf } from '../../audit/audit-log.ts'
import type { ApiKeyService } from '../../auth/api-key-service.ts'
import type { PasswordService } from '../../auth/password-service.ts'
import type { RecoveryService } from '../../auth/recovery-service.ts'
import type { SessionService } from '../../auth/session-service.ts'
import type { AccountService } from '../../users/account-service.ts'
import type { UserDeletion } from '../../users/user-deletion.ts'
import type { UserService } from '../../users/user-service.ts'
import type { Handlers } from '../contract.ts'

type MyOperation =
  | 'getMe'
  | 'updateMe'
  | 'deleteMe'
  | 'listApiKeys'
  | 'createApiKey'
  | 'deleteApiKey'
  | 'changePassword'
  | 'listSessions'
  | 'deleteSession'
type PeopleOperation =
  | 'listUsers'
  | 'createUser'
  | 'getUser'
  | 'updateUser'
  | 'deleteUser'
  | 'recoverUserPassword'
  | 'listUserApiKeys'
  | 'deleteUserApiKey'

export interface UserHandlerDeps {
  users: UserService
  accounts: AccountService
  deletion: UserDeletion
  apiKeys: ApiKeyService
  sessions: SessionService
  passwords: PasswordService
  recovery: RecoveryService
}

export const userHandlers = (deps: UserHandlerDeps): Handlers<MyOperation | PeopleOperation> => ({
  ...myHandlers(deps),
  ...peopleHandlers(deps),
})

/** What people do with their own account. */
const myHandlers = (deps: UserHandlerDeps): Handlers<MyOperation> => {
  const { users, deletion, apiKeys, sessions, passwords } = deps

  return {
    async getMe({ caller }) {
      return { status: 200, body: await users.me(caller) }
    },

    async updateMe({ caller, body, origin }) {
      return { status: 200, body: await users.updateMe(caller, body, origin) }
    },

    async deleteMe({ caller, origin }) {
      await deletion.delete(caller.userId, actorOf(caller, origin))
      return { status: 204 }
    },

    async listApiKeys({ caller, query }) {
      return { status: 200, body: await apiKeys.list(caller.userId, query) }
    },

    async createApiKey({ caller, body, origin }) {
      const created = await apiKeys.create(caller, body, actorOf(caller, origin))
      return { status: 201, body: created, headers: { Location: '/api/users/me/api-keys' } }
    },

    async deleteApiKey({ caller, path, origin }) {
      await apiKeys.revoke(caller.userId, path.apiKeyId, actorOf(caller, origin))
      return { status: 204 }
    },

    async changePassword({ caller, body, origin }) {
      await passwords.change(caller, body, origin)
      return { status: 204 }
    },

    async listSessions({ caller, query }) {
      return { status: 200, body: await sessions.list(caller, query) }
    },

    async deleteSession({ caller, path, origin }) {
      await sessions.end(caller, path.sessionId, origin)
      return { status: 204 }
    },
  }
}

/** People by id or email: what admins do with their accounts, and a way back in, for which anybody may ask. */
const peopleHandlers = (deps: UserHandlerDeps): Handlers<PeopleOperation> => {
  const { users, accounts, deletion, apiKeys, recovery } = deps

  return {
    async listUsers({ query }) {
      return { status: 200, body: await users.list(query) }
    },

    async createUser({ caller, body, origin }) {
      const user = await accounts.create(body, actorOf(caller, origin))
      return { status: 201, body: user, headers: { Location: `/api/users/${user.id}` } }
    },

    async getUser({ caller, path }) {
      return { status: 200, body: await users.get(caller, path.userId) }
    },

    async updateUser({ caller, path, body, origin }) {
      return { status: 200, body: await users.update(path.userId, body, actorOf(caller, origin)) }
    },

    async deleteUser({ caller, path, origin }) {
      await deletion.delete(path.userId, actorOf(caller, origin))
      return { status: 204 }
    },

    async recoverUserPassword({ path, origin }) {
      await recovery.request(path.userId, origin)
      return { status: 202 }
    },

    async listUserApiKeys({ path, query }) {
      const { id } = await users.find(path.userId)
      return { status: 200, body: await apiKeys.list(id, query) }
    },

    async deleteUserApiKey({ caller, path, origin }) {
      const { id } = await users.find(path.userId)
      await apiKeys.revoke(id, path.apiKeyId, actorOf(caller, origin))
      return { status: 204 }
    },
  }
}
