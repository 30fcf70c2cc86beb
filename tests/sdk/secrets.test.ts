import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type ClientOptions, createClient, type LogLine } from '../../sdk/index.ts'
import { createWorker } from '../../sdk/node.ts'
import { png } from '../images/inspection/png-bytes.ts'
import { memoryLog, startTestService } from '../support/service.ts'

const serviceLog = memoryLog()
const service = await startTestService({ log: serviceLog })

/** All that went over the wire and nobody else must see, by kind. */
const secrets = new Map<string, Set<string>>()
const keep = (kind: string, secret: string | null | undefined) => {
  if (secret) secrets.set(kind, (secrets.get(kind) ?? new Set()).add(secret))
}

/** What the hooks and logs of client and worker were told. */
const told: unknown[] = []

async function listening(request: Request): Promise<Response> {
  keep('bearer token', request.headers.get('authorization')?.replace('Bearer ', ''))
  keep('API key', request.headers.get('x-api-key'))
  keepMembers(await request.clone().text())
  const url = new URL(request.url)
  if (url.pathname.startsWith('/objects')) for (const value of url.searchParams.values()) keepIfLong(value)
  const response = await service.fetch(request)
  if (response.headers.get('content-type')?.includes('json')) keepMembers(await response.clone().text())
  return response
}

const members = { password: 'password', token: 'bearer token', refreshToken: 'refresh token', key: 'API key' } as const

/** Secrets in a JSON body, wherever they stand in it. */
function keepMembers(text: string): void {
  if (!text.startsWith('{')) return
  JSON.parse(text, (name, value) => {
    if (name in members && typeof value === 'string') keep(members[name as keyof typeof members], value)
    if (typeof value === 'string' && value.includes('/objects/'))
      for (const signature of new URL(value).searchParams.values()) keepIfLong(signature)
    return value
  })
}

/** Of a signed URL's parameters, those that nobody could guess; the rest are such things as instants. */
const keepIfLong = (value: string) => value.length >= 32 && keep('signature of a URL', value)

const watched = (options: Partial<ClientOptions>) =>
  createClient({
    baseUrl: service.baseUrl,
    fetch: listening,
    onRequest: (info) => told.push(info),
    onResponse: (info) => told.push(info),
    onRetry: (info) => told.push(info),
    log: (line) => told.push(line),
    ...options,
  })

describe('hooks and logs', () => {
  test('are told no secret in a whole story, however it goes', async () => {
    const credentials = { email: 'ana@reef.example', password: 'slow-tides-carry-sand' }
    const owner = await service.person('WORKER')
    const admin = watched({ token: (await service.person('ADMIN')).token })

    // Signing in, wrongly and rightly, and refreshing.
    const ana = watched({ credentials })
    await ana.auth.register(credentials)
    await ana.auth.login({ ...credentials, password: 'fast-tides-carry-mud' }).catch(() => {})
    const { refreshToken } = await ana.auth.login(credentials)
    await ana.auth.refresh(refreshToken)
    await watched({ refreshToken: 'not-a-refresh-token-at-all' })
      .users.me()
      .catch(() => {})

    // A worker with a key of its own, whose handler says too much and fails once.
    const { key } = await watched({ token: owner.token }).users.createApiKey({ name: 'boat', scopes: ['jobs:work'] })
    const worker = createWorker({
      client: watched({ apiKey: key }),
      log: (line: LogLine) => told.push(line),
      handlers: {
        TEST: async ({ input }, { log, token, uploadFiles }) => {
          log(`My token is ${token}, my key ${key}`)
          await uploadFiles([{ name: 'sand.txt', bytes: 'sand', contentType: 'text/plain' }])
          if (input.fail) throw new Error(`I failed with ${token} and ${key}`)
          return { id: input.id }
        },
      },
    })
    worker.start()
    const { jobId } = await ana.jobs.create({ type: 'TEST', inputPayload: { id: 1 } })
    const failing = await ana.jobs.create({ type: 'TEST', inputPayload: { id: 2, fail: true } })
    for await (const event of ana.jobs.events(jobId)) told.push(event)
    await ana.jobs.wait(jobId, { throwOnFailure: true })
    told.push(await ana.jobs.wait(failing.jobId))
    await worker.stop()

    // Files, there and back.
    for await (const { response } of ana.jobs.downloadFiles(jobId)) expect(await response.text()).toBe('sand')
    await admin.regions.put('reef', { title: 'Reef' })
    const sand = new TextEncoder().encode('sand')
    const sha256 = createHash('sha256').update(sand).digest('hex')
    const file = { sizeBytes: sand.length, sha256, contentType: 'image/tiff' }
    const { upload } = await admin.regions.createLayerUpload('reef', 'depth', file)
    await admin.transfers.upload(upload, sand)
    const bytes = Uint8Array.from(png())
    const picture = new File([bytes], 'reef.png', { type: 'image/png' })
    const { id: imageId } = await ana.images.create(picture)
    await ana.images.upload(picture, {}, { onProgress: (progress) => told.push(progress) })
    expect(await (await ana.images.download(imageId)).bytes()).toEqual(await picture.bytes())
    told.push(await ana.images.upload(new Blob([bytes], { type: 'image/gif' })).catch(String))
    const { files } = await ana.jobs.download(jobId)
    const forbidding = { fetch: () => new Response('SignatureDoesNotMatch', { status: 403 }) }
    told.push(await ana.transfers.download(files['sand.txt']!, forbidding).catch(String))
    told.push(await admin.transfers.upload(upload, sand, forbidding).catch(String))

    // A service that is away: repetitions, and the errors that end them.
    const away = watched({
      apiKey: key,
      retries: 1,
      fetch: () => Response.json({}, { status: 503, headers: { 'retry-after': '0' } }),
    })
    told.push(await away.jobs.list().catch(String))
    const gone = watched({ credentials, retries: 0, fetch: () => Promise.reject(new TypeError('fetch failed')) })
    told.push(await gone.jobs.list().catch(String))
    await ana.auth.logout()

    const kinds = ['API key', 'bearer token', 'password', 'refresh token', 'signature of a URL']
    expect([...secrets.keys()].sort()).toEqual(kinds)
    const messages = told.flatMap((line) => (line as LogLine).message ?? [])
    const paths = told.flatMap((line) => (line as { path?: string }).path ?? [])
    expect(paths).toEqual(expect.arrayContaining(['/api/images', '/api/images/uploads', `/api/images/${imageId}`]))
    expect(messages).toEqual(expect.arrayContaining(['request answered', 'request repeated', 'worker started']))
    // Its assignments' tokens are among them.
    expect([...secrets.get('bearer token')!].filter((token) => token.startsWith('fsa_'))).toHaveLength(2)
    expect({ client: leaksIn(told), service: leaksIn(serviceLog.lines) }).toEqual({ client: [], service: [] })
  })
})

/** What kinds of secret stand in this. */
const leaksIn = (lines: unknown[]) =>
  [...secrets]
    .filter(([, found]) => [...found].some((secret) => JSON.stringify(lines).includes(secret)))
    .map(([kind]) => kind)
