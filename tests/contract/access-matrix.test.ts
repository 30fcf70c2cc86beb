import { describe, expect, test } from 'vitest'
import { claimOne, testJob } from '../support/jobs.ts'
import { type Person, startTestService } from '../support/service.ts'
import { operations } from './contract.ts'

/**
 * Who may call what, over the whole contract, with what belongs to one person in particular. The other rules (which scope, which role,
 * which scheme) are derived from the contract and tried for every operation in operations.test.ts; whose a thing is stands nowhere
 * but here and in the services.
 */
const service = await startTestService()

const callers = ['anonymous', 'other', 'owner', 'wrongScope', 'worker', 'admin'] as const
type Caller = (typeof callers)[number]

/** What is asked for: the path with its parameters filled in, and the body. */
interface Asked {
  path: string
  body?: object | undefined
}

/** Makes something that belongs to the owner, and asks for it. */
type Arrange = (owner: Person) => Promise<Asked>

const password = 'quiet-lagoons-hold-rain'
const polygon = {
  name: 'Lagoon',
  polygon: {
    type: 'Polygon',
    coordinates: [
      [
        [145.4, -14.7],
        [145.5, -14.7],
        [145.5, -14.6],
        [145.4, -14.7],
      ],
    ],
  },
} as const
const at = (path: string, body?: object) => async (): Promise<Asked> => ({ path, body })
const example = (id: string) => operations.find(({ operationId }) => operationId === id)!.body!.example as object

const apiKey = (owner: Person) => owner.client.users.createApiKey({ name: 'a key', scopes: ['jobs:read'] })
const job = (owner: Person) => owner.client.jobs.create(testJob())
const polygonPath: Arrange = async (owner) => ({
  path: `/api/polygons/${(await owner.client.polygons.create(polygon as never)).id}`,
})
const jobPath =
  (rest = ''): Arrange =>
  async (owner) => ({ path: `/api/jobs/${(await job(owner)).jobId}${rest}` })

/** A job that is over: following one that is not would last. */
const finishedJobPath =
  (rest: string): Arrange =>
  async (owner) => {
    const { jobId } = await job(owner)
    const { worker } = (await service.worker()).client
    const assignment = await worker.assign({ jobId })
    await worker.reportResult(assignment.id, { status: 'SUCCEEDED', resultPayload: { id: 1 } } as never)
    return { path: `/api/jobs/${jobId}${rest}` }
  }

/** The owner has taken a job: only a WORKER or an ADMIN can. */
const assignmentPath =
  (rest: string, body?: object): Arrange =>
  async (owner) => {
    await job(await service.person())
    const { assignment } = await claimOne(owner.client)
    return { path: `/api/jobs/assignments/${assignment.id}/${rest}`, body }
  }

const region = async () => {
  const name = `region-${Math.random().toString(36).slice(2, 10)}`
  const { client } = await service.person('ADMIN')
  await client.regions.put(name, { title: 'A region' } as never)
  return `/api/regions/${name}`
}
const regionPath =
  (rest = '', body?: object): Arrange =>
  async () => ({ path: `${await region()}${rest}`, body })

const sessionPath: Arrange = async (owner) => {
  const { items } = await owner.client.users.listSessions()
  return { path: `/api/users/me/sessions/${items[0]!.id}` }
}
const userPath =
  (rest = '', body?: object): Arrange =>
  async (owner) => ({ path: `/api/users/${owner.id}${rest}`, body })

type Row = [arrange: Arrange, ...statuses: number[]]

/** In the order of `callers`. */
const matrix: Record<string, Row> = {
  // anonymous other owner wrongScope worker admin
  logout: [at('/api/auth/logout'), 401, 204, 204, 403, 204, 204],
  logoutAll: [at('/api/auth/logout-all'), 401, 204, 204, 403, 204, 204],
  getProfile: [at('/api/auth/profile'), 401, 200, 200, 200, 200, 200],

  getMe: [at('/api/users/me'), 401, 200, 200, 200, 200, 200],
  updateMe: [at('/api/users/me', { name: 'Ana' }), 401, 200, 200, 403, 200, 200],
  deleteMe: [at('/api/users/me'), 401, 204, 204, 403, 204, 204],
  changePassword: [
    at('/api/users/me/password', { currentPassword: 'wrong', newPassword: password }),
    401,
    403,
    403,
    403,
    403,
    403,
  ],
  listSessions: [at('/api/users/me/sessions'), 401, 200, 200, 403, 200, 200],
  deleteSession: [sessionPath, 401, 404, 204, 403, 404, 404],
  listApiKeys: [at('/api/users/me/api-keys'), 401, 200, 200, 403, 200, 200],
  createApiKey: [at('/api/users/me/api-keys', { name: 'k', scopes: ['jobs:read'] }), 401, 201, 201, 403, 201, 201],
  deleteApiKey: [
    async (owner) => ({ path: `/api/users/me/api-keys/${(await apiKey(owner)).id}` }),
    401,
    404,
    204,
    403,
    404,
    404,
  ],
  listUsers: [at('/api/users'), 401, 403, 403, 403, 403, 200],
  createUser: [
    async () => ({ path: '/api/users', body: { email: `${crypto.randomUUID()}@reef.example` } }),
    401,
    403,
    403,
    403,
    403,
    201,
  ],
  getUser: [userPath(), 401, 403, 200, 403, 403, 200],
  updateUser: [userPath('', { name: 'Ana' }), 401, 403, 403, 403, 403, 200],
  deleteUser: [userPath(), 401, 403, 403, 403, 403, 204],
  listUserApiKeys: [userPath('/api-keys'), 401, 403, 403, 403, 403, 200],
  deleteUserApiKey: [
    async (owner) => ({ path: `/api/users/${owner.id}/api-keys/${(await apiKey(owner)).id}` }),
    401,
    403,
    403,
    403,
    403,
    204,
  ],

  listPolygons: [at('/api/polygons'), 401, 200, 200, 403, 200, 200],
  createPolygon: [at('/api/polygons', polygon), 401, 201, 201, 403, 201, 201],
  getPolygon: [polygonPath, 401, 404, 200, 403, 404, 200],
  replacePolygon: [async (owner) => ({ ...(await polygonPath(owner)), body: polygon }), 401, 404, 200, 403, 404, 200],
  deletePolygon: [polygonPath, 401, 404, 204, 403, 404, 204],

  listRegions: [at('/api/regions'), 401, 200, 200, 403, 200, 200],
  getRegion: [regionPath(), 401, 200, 200, 403, 200, 200],
  putRegion: [regionPath('', { title: 'Another title' }), 401, 403, 403, 403, 403, 200],
  deleteRegion: [regionPath(), 401, 403, 403, 403, 403, 204],
  deleteLayer: [regionPath('/layers/depth'), 401, 403, 403, 403, 403, 404],
  createLayerUpload: [regionPath('/layers/depth/uploads', example('createLayerUpload')), 401, 403, 403, 403, 403, 201],
  completeLayer: [regionPath('/layers/depth/complete', example('completeLayer')), 401, 403, 403, 403, 403, 404],

  listJobTypes: [at('/api/job-types'), 401, 200, 200, 403, 200, 200],
  getJobType: [at('/api/job-types/TEST'), 401, 200, 200, 403, 200, 200],
  listJobs: [at('/api/jobs'), 401, 200, 200, 403, 200, 200],
  createJob: [async () => ({ path: '/api/jobs', body: testJob() }), 401, 201, 201, 403, 201, 201],
  listJobRequests: [at('/api/jobs/requests'), 401, 200, 200, 403, 200, 200],
  // A worker looks at what waits for one.
  getJob: [jobPath(), 401, 404, 200, 403, 200, 200],
  cancelJob: [jobPath('/cancel'), 401, 404, 200, 403, 404, 200],
  listJobLogs: [jobPath('/logs'), 401, 404, 200, 403, 404, 200],
  streamJobEvents: [finishedJobPath('/events'), 401, 404, 200, 403, 404, 200],
  downloadJob: [finishedJobPath('/download'), 401, 404, 200, 403, 404, 200],

  pollJobs: [at('/api/jobs/poll'), 401, 403, 403, 403, 200, 200],
  assignJob: [
    async () => ({ path: '/api/jobs/assign', body: { jobId: (await job(await service.person())).jobId } }),
    401,
    403,
    403,
    403,
    200,
    200,
  ],
  claimJobs: [at('/api/jobs/claim', { jobTypes: ['TEST'] }), 401, 403, 403, 403, 200, 200],
  // The owner of an assignment is the worker who holds it; admins may step in.
  heartbeat: [assignmentPath('heartbeat', {}), 401, 403, 200, 403, 404, 200],
  appendLogs: [assignmentPath('logs', { entries: [{ message: 'hello' }] }), 401, 403, 204, 403, 404, 204],
  listInputs: [assignmentPath('inputs'), 401, 403, 200, 403, 404, 200],
  createUploads: [assignmentPath('uploads', example('createUploads')), 401, 403, 200, 403, 404, 200],
  releaseJob: [assignmentPath('release'), 401, 403, 204, 403, 404, 204],
  reportResult: [
    assignmentPath('result', { status: 'FAILED', error: { message: 'no' } }),
    401,
    403,
    200,
    403,
    404,
    200,
  ],

  sendEmail: [at('/api/email', example('sendEmail')), 401, 403, 403, 403, 403, 202],
  listAuditEvents: [at('/api/admin/audit'), 401, 403, 403, 403, 403, 200],
}

const holdsAssignment = (operation: { path: string }) => operation.path.includes('{assignmentId}')

/** Somebody new each time, so that nothing that they do is felt by the next. */
async function headersOf(caller: Caller, owner: Person): Promise<Record<string, string>> {
  if (caller === 'anonymous') return {}
  if (caller === 'wrongScope') {
    const { key } = await owner.client.users.createApiKey({ name: 'another thing', scopes: ['data:read'] })
    return { 'x-api-key': key }
  }
  const roles = { other: [], worker: ['WORKER'], admin: ['ADMIN'] } as const
  const person = caller === 'owner' ? owner : await service.person(...roles[caller])
  return { authorization: `Bearer ${person.token}` }
}

describe('an operation that asks who calls', () => {
  const asking = operations.filter(({ security }) => security.length > 0)

  test('has a row, each of them', () => {
    expect(Object.keys(matrix).sort()).toEqual(asking.map(({ operationId }) => operationId).sort())
  })

  test.each(asking)('$operationId answers each as it should', async (operation) => {
    const [arrange, ...expected] = matrix[operation.operationId]!
    const answered: number[] = []
    for (const caller of callers) {
      const owner = await service.person(...(holdsAssignment(operation) ? (['WORKER'] as const) : []))
      const { path, body } = await arrange(owner)
      const headers = { ...(await headersOf(caller, owner)), ...(body && { 'content-type': 'application/json' }) }
      const response = await service.send(path, {
        method: operation.method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
      })
      await response.body?.cancel()
      answered.push(response.status)
    }

    const by = (statuses: number[]) => Object.fromEntries(callers.map((caller, index) => [caller, statuses[index]]))
    expect(by(answered)).toEqual(by(expected))
  })
})

describe('a list', () => {
  const lists = ['polygons', 'jobs', 'requests', 'apiKeys', 'sessions'] as const
  const listOf = async ({ client }: Person, list: (typeof lists)[number]): Promise<unknown[]> => {
    const page = {
      polygons: () => client.polygons.list(),
      jobs: () => client.jobs.list(),
      requests: () => client.jobs.requests(),
      apiKeys: () => client.users.listApiKeys(),
      sessions: () => client.users.listSessions(),
    }
    return (await page[list]()).items
  }

  test.each(lists)("of %s shows what is the caller's, and nothing of anybody else's", async (list) => {
    const [owner, other] = [await service.person(), await service.person()]
    await owner.client.polygons.create(polygon as never)
    await job(owner)
    await apiKey(owner)

    expect(await listOf(owner, list)).toHaveLength(1)
    expect(await listOf(other, list)).toHaveLength(list === 'sessions' ? 1 : 0)
  })
})
