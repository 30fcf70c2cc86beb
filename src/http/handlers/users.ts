import type { ApiKeyService } from '../../auth/api-key-service.ts'
import type { UserService } from '../../users/user-service.ts'
import type { Handlers } from '../contract.ts'

type UserOperation = 'getMe' | 'updateMe' | 'listApiKeys' | 'createApiKey' | 'deleteApiKey'

export interface UserHandlerDeps {
  users: UserService
  apiKeys: ApiKeyService
}

export const userHandlers = ({ users, apiKeys }: UserHandlerDeps): Handlers<UserOperation> => ({
  async getMe({ caller }) {
    return { status: 200, body: await users.get(caller.userId) }
  },

  async updateMe({ caller, body }) {
    return { status: 200, body: await users.updateMe(caller.userId, body) }
  },

  async listApiKeys({ caller, query }) {
    return { status: 200, body: await apiKeys.list(caller, query) }
  },

  async createApiKey({ caller, body }) {
    const created = await apiKeys.create(caller, body)
    return { status: 201, body: created, headers: { Location: '/api/users/me/api-keys' } }
  },

  async deleteApiKey({ caller, path }) {
    await apiKeys.revoke(caller, path.apiKeyId)
    return { status: 204 }
  },
})
