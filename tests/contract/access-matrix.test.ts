import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { claimOne, testJob } from '../support/jobs.ts'
import { type Person, startTestService } from '../support/service.ts'
import { operations } from './contract.ts'
import { picture } from './form.ts'

/**
 * Who may call what, over the whole contract, with what belongs to one person in particular. The other rules (which scope, which role,
 * which scheme) are derived from the contract and tried for every operation in operations.test.ts; whose a thing is stands nowhere
 * but here and in the services.
 */
const service = await startTestService()

const callers = ['anonymous', 'other', 'owner', 'wrongScope', 'worker', 'admin'] as const
type Caller = (typeof callers)[number]

/** What is asked for: the path with its parameters filled in, and the body, JSON or a form. */
interface Asked {
  path: string
  body?: object | FormData | undefined
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

const collection = {
  type: 'FeatureCollection',
  features: [{ type: 'Feature', properties: {}, geometry: polygon.polygon }],
}
const polygonId = async (owner: Person) => (await owner.client.polygons.create(polygon as never)).id
const notePath =
  (body?: object): Arrange =>
  async (owner) => {
    const { id } = await owner.client.notes.create({ polygonId: await polygonId(owner), content: 'Bleached' })
    return { path: `/api/notes/${id}`, body }
  }

const form = () => {
  const body = new FormData()
  body.set('file', new File([picture], 'reef.png'))
  return body
}
const imagePath =
  (rest = '', body?: object): Arrange =>
  async (owner) => ({ path: `/api/images/${(await owner.client.images.create(new Blob([picture]))).id}${rest}`, body })

/** An upload whose file has arrived, and that nobody has completed. */
const uploadPath: Arrange = async (owner) => {
  const sha256 = createHash('sha256').update(picture).digest('hex')
  const { imageId, upload } = await owner.client.images.createUpload({
    name: 'reef.png',
    contentType: 'image/png',
    sizeBytes: picture.length,
    sha256,
  })
  const { status } = await service.fetch(
    new Request(upload.url, { method: upload.method, headers: upload.headers, body: picture }),
  )
  if (status >= 300) throw new Error(`The store answered ${status}.`)
  return { path: `/api/images/${imageId}/complete` }
}

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

  importPolygons: [at('/api/polygons/import', collection), 401, 201, 201, 403, 201, 201],

  listNotes: [at('/api/notes'), 401, 200, 200, 403, 200, 200],
  createNote: [
    async (owner) => ({ path: '/api/notes', body: { polygonId: await polygonId(owner), content: 'Bleached' } }),
    401,
    404,
    201,
    403,
    404,
    201,
  ],
  getNote: [notePath(), 401, 404, 200, 403, 404, 200],
  replaceNote: [notePath({ content: 'Recovering' }), 401, 404, 200, 403, 404, 200],
  deleteNote: [notePath(), 401, 404, 204, 403, 404, 204],
  listPolygonNotes: [
    async (owner) => ({ path: `/api/polygons/${await polygonId(owner)}/notes` }),
    401,
    404,
    200,
    403,
    404,
    200,
  ],

  listImages: [at('/api/images'), 401, 200, 200, 403, 200, 200],
  createImage: [async () => ({ path: '/api/images', body: form() }), 401, 201, 201, 403, 201, 201],
  createImageUpload: [
    at('/api/images/uploads', { ...example('createImageUpload'), polygonId: undefined }),
    401,
    201,
    201,
    403,
    201,
    201,
  ],
  // Whoever began an upload ends it, and knows of it alone.
  completeImageUpload: [uploadPath, 401, 404, 200, 403, 404, 404],
  getImage: [imagePath(), 401, 404, 200, 403, 404, 200],
  getImageMetadata: [imagePath('/metadata'), 401, 404, 200, 403, 404, 200],
  updateImage: [imagePath('', { name: 'bommie.png' }), 401, 404, 200, 403, 404, 200],
  deleteImage: [imagePath(), 401, 404, 204, 403, 404, 204],

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

/** A form says by itself what it is. */
function send({ method }: { method: string }, { path, body }: Asked, headers: Record<string, string>) {
  if (!body || body instanceof FormData) return service.send(path, { method, headers, ...(body && { body }) })
  const json = { 'content-type': 'application/json' }
  return service.send(path, { method, headers: { ...headers, ...json }, body: JSON.stringify(body) })
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
      const response = await send(operation, { path, body }, await headersOf(caller, owner))
      await response.body?.cancel()
      answered.push(response.status)
    }

    const by = (statuses: number[]) => Object.fromEntries(callers.map((caller, index) => [caller, statuses[index]]))
    expect(by(answered)).toEqual(by(expected))
  })
})

describe('a list', () => {
  const lists = ['polygons', 'notes', 'images', 'jobs', 'requests', 'apiKeys', 'sessions'] as const
  const listOf = async ({ client }: Person, list: (typeof lists)[number]): Promise<unknown[]> => {
    const page = {
      polygons: () => client.polygons.list(),
      notes: () => client.notes.list(),
      images: () => client.images.list(),
      jobs: () => client.jobs.list(),
      requests: () => client.jobs.requests(),
      apiKeys: () => client.users.listApiKeys(),
      sessions: () => client.users.listSessions(),
    }
    return (await page[list]()).items
  }

  test.each(lists)("of %s shows what is the caller's, and nothing of anybody else's", async (list) => {
    const [owner, other] = [await service.person(), await service.person()]
    await notePath()(owner)
    await imagePath()(owner)
    await job(owner)
    await apiKey(owner)

    expect(await listOf(owner, list)).toHaveLength(1)
    expect(await listOf(other, list)).toHaveLength(list === 'sessions' ? 1 : 0)
  })
})

/** What stands on a polygon belongs to who put it there, and is open to whose polygon it is. A key can do what its owner can, but for an admin's. */
describe('what another has put on a polygon', () => {
  const visitors = ['author', 'owner', 'other', 'admin', 'authorsKey', 'ownersKey', 'adminsKey'] as const
  type Visitor = (typeof visitors)[number]
  type Thing = 'a note' | 'an image' | 'an image of a note'

  /** Somebody who may write on another's polygon is an admin; then the role goes, and what they wrote stays theirs. */
  async function placed(thing: Thing, owner: Person): Promise<{ author: Person; id: string }> {
    const author = await service.person('ADMIN')
    const { notes, images } = author.client
    const about = { polygonId: await polygonId(owner) }
    const note = async () => (await notes.create({ ...about, content: 'Bleached' })).id
    const image = (on: object) => images.create(new Blob([picture]), on)
    const id =
      thing === 'a note' ? await note() : (await image(thing === 'an image' ? about : { noteId: await note() })).id
    await (await service.person('ADMIN')).client.users.update(author.id, { roles: ['USER'] })
    return { author, id }
  }

  async function credentialsOf(
    visitor: Visitor,
    { owner, author, scopes }: { owner: Person; author: Person; scopes: string[] },
  ): Promise<Record<string, string>> {
    const others = { other: [], admin: ['ADMIN'], adminsKey: ['ADMIN'] } as const
    const people = { author, authorsKey: author, owner, ownersKey: owner }
    const person = visitor in people ? people[visitor as keyof typeof people] : undefined
    const { token, client } = person ?? (await service.person(...others[visitor as keyof typeof others]))
    if (!visitor.endsWith('Key')) return { authorization: `Bearer ${token}` }
    return { 'x-api-key': (await client.users.createApiKey({ name: 'one thing', scopes: scopes as never })).key }
  }

  const images = (name: string, body?: object) => ({ name, body, things: ['an image', 'an image of a note'] as const })
  const notes = (name: string, body?: object) => ({ name, body, things: ['a note'] as const })
  const open = [200, 200, 404, 200, 200, 200, 404]
  const readOnly = (done: number) => [done, 403, 404, done, done, 403, 404]
  const rows: { name: string; body: object | undefined; things: readonly Thing[]; expected: number[] }[] = [
    // author owner other admin authorsKey ownersKey adminsKey
    { ...notes('getNote'), expected: open },
    { ...notes('replaceNote', { content: 'Recovering' }), expected: readOnly(200) },
    { ...notes('deleteNote'), expected: readOnly(204) },
    { ...images('getImage'), expected: open },
    { ...images('getImageMetadata'), expected: open },
    { ...images('updateImage', { name: 'bommie.png' }), expected: readOnly(200) },
    { ...images('deleteImage'), expected: readOnly(204) },
  ]
  const cases = rows.flatMap(({ things, ...row }) => things.map((thing) => ({ ...row, thing })))

  test('is all that asks for it by its id', () => {
    const byId = operations
      .filter(({ path }) => /\{(noteId|imageId)\}/.test(path))
      .map(({ operationId }) => operationId)

    // Before it is complete, an image is nobody's but the uploader's.
    expect(rows.map(({ name }) => name).sort()).toEqual(byId.filter((id) => id !== 'completeImageUpload').sort())
  })

  test.each(cases)('$thing answers $name as it should', async ({ name, thing, body, expected }) => {
    const { method, path, 'x-scopes': scopes } = operations.find(({ operationId }) => operationId === name)!
    const answered: number[] = []
    for (const visitor of visitors) {
      const owner = await service.person()
      const { author, id } = await placed(thing, owner)
      const headers = await credentialsOf(visitor, { owner, author, scopes: scopes as string[] })
      const response = await send({ method }, { path: path.replace(/\{\w+\}/, id), body }, headers)
      await response.body?.cancel()
      answered.push(response.status)
    }

    const by = (statuses: number[]) => Object.fromEntries(visitors.map((visitor, index) => [visitor, statuses[index]]))
    expect(by(answered)).toEqual(by(expected))
  })

  test('is listed for its author, and to whoever asks for what is on a polygon of theirs', async () => {
    const owner = await service.person()
    const [note, image] = [await placed('a note', owner), await placed('an image', owner)]
    const found = async ({ client }: Person, polygon: string) => ({
      notes: (await client.notes.list({ polygonId: polygon })).items.length,
      ofPolygon: await client.notes.listByPolygon(polygon).then(
        ({ items }) => items.length,
        ({ code }) => code,
      ),
      images: (await client.images.list({ polygonId: polygon })).items.length,
    })
    const { polygonId: ofNote } = await owner.client.notes.get(note.id)
    const { polygonId: ofImage } = await owner.client.images.get(image.id)
    const other = await service.person()

    expect(await found(note.author, ofNote)).toEqual({ notes: 1, ofPolygon: 'polygon_not_found', images: 0 })
    expect(await found(owner, ofNote)).toEqual({ notes: 0, ofPolygon: 1, images: 0 })
    expect(await found(other, ofNote)).toEqual({ notes: 0, ofPolygon: 'polygon_not_found', images: 0 })
    expect(await found(image.author, ofImage!)).toMatchObject({ images: 1 })
    expect(await found(owner, ofImage!)).toMatchObject({ images: 1 })
    expect(await found(other, ofImage!)).toMatchObject({ images: 0 })
  })
})
