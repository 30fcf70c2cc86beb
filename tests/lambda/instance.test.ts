import type { APIGatewayProxyResult } from 'aws-lambda'
import { describe, expect, test } from 'vitest'
import { createClient } from '../../sdk/index.ts'
import { png, pngChunk } from '../images/inspection/png-bytes.ts'
import { startSmtpServer } from '../mail/smtp-server.ts'
import { lapse, testJob } from '../support/jobs.ts'
import { quietableNetwork } from '../support/quietable-network.ts'
import { eventOf, gateway } from './support/gateway.ts'
import { buildForTests, startLambda } from './support/lambda.ts'
import { document, lambdaWorld, publicUrl, startBuckets } from './support/worlds.ts'

const { bundle, schedule } = await buildForTests()
const endpoint = await startBuckets('reef-lambda')
const world = await lambdaWorld({ bundle, endpoint, bucket: 'reef-lambda' })
const { lambda, sql, environment } = world
const client = async (fetch = world.send) =>
  createClient({ baseUrl: publicUrl, token: await world.person('ADMIN', 'WORKER'), fetch, retries: 0 })
const ask = (path: string, headers: Record<string, string> = {}) => new Request(publicUrl + path, { headers })

/** Ends every connection of the function to its database. */
const endConnections = () => sql`
  select pg_terminate_backend(pid)
  from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()
`

describe('an instance that was frozen', () => {
  test('answers on a new connection where its own was ended meanwhile', async () => {
    const ana = await client()
    await ana.users.me()
    lambda.process.kill('SIGSTOP')
    const ended = await endConnections()
    const asking = ana.users.me()

    lambda.process.kill('SIGCONT')

    expect(ended.length).toBeGreaterThan(0)
    expect(await asking).toHaveProperty('email')
  })

  test('answers on a new connection where its own has gone quiet', async () => {
    const network = await quietableNetwork(world.databaseUrl)
    const instance = await startLambda(bundle, { ...environment, DATABASE_URL: network.url })
    const ana = await client(gateway(document, instance))
    await ana.users.me()
    network.goQuiet()

    expect(await ana.users.me()).toHaveProperty('email')
  })

  test('listens to nobody, and does nothing between requests', async () => {
    await (await client()).users.me()

    const queries = await sql<{ query: string; state: string }[]>`
      select query, state from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
    `
    expect(queries.filter(({ query }) => /listen/i.test(query))).toEqual([])
    expect(lambda.lastEnding()).toMatchObject({ waits: false })
  })
})

describe('an instance that starts', () => {
  test('with the database away says so, and answers as soon as it is there', async () => {
    const closed = await quietableNetwork(world.databaseUrl)
    await closed.close()
    const instance = await startLambda(bundle, { ...environment, DATABASE_URL: closed.url })
    const send = gateway(document, instance)
    const token = await world.person()
    const asking = () => send(ask('/api/users/me', { authorization: `Bearer ${token}` }))

    const refused = await asking()
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('2')
    expect(await refused.json()).toMatchObject({ code: 'service_unavailable' })
    expect((await send(ask('/livez'))).status).toBe(200)

    await quietableNetwork(world.databaseUrl, Number(new URL(closed.url).port))
    expect((await asking()).status).toBe(200)
  })

  test('with nothing configured tells all that is missing', async () => {
    await expect(startLambda(bundle, {})).rejects.toThrow(
      /PUBLIC_URL is missing[\s\S]*DATABASE_URL is missing[\s\S]*S3_BUCKET is missing[\s\S]*JWT_PRIVATE_KEY is missing/,
    )
  })

  test('finds its paths below the base path of a custom domain', async () => {
    const instance = await startLambda(bundle, { ...environment, PUBLIC_URL: `${publicUrl}/fieldstation` })
    const [custom, own] = [gateway(document, instance, { basePath: '/fieldstation' }), gateway(document, instance)]

    expect((await custom(ask('/livez'))).status).toBe(200)
    expect((await own(ask('/livez'))).status).toBe(200)
    expect((await custom(ask('/docs'))).headers.get('content-type')).toContain('text/html')
  })
})

describe('a request past the gateway document', () => {
  test.each([
    ['HEAD', '/livez', 200],
    ['PUT', '/api/jobs', 405],
    ['GET', '/api/nope', 404],
  ])('%s %s is answered as by any server', async (method, path, status) => {
    const event = await eventOf(new Request(publicUrl + path, { method }), { resource: '/{proxy+}' })

    const { statusCode, multiValueHeaders, body } = await lambda.invoke<APIGatewayProxyResult>('handler', event)

    expect(statusCode).toBe(status)
    expect(multiValueHeaders!['content-type']).toEqual([
      status === 200 ? 'application/json' : 'application/problem+json',
    ])
    expect(body === '').toBe(method === 'HEAD')
  })
})

describe('waiting', () => {
  // Each would take longer than the test may, if it waited for as long as it says.
  test('for jobs is cut short', { timeout: 12_000 }, async () => {
    const worker = await client()

    expect(await worker.worker.claim({ jobTypes: ['TEST'], waitSeconds: 20 })).toEqual([])
  })

  test('for a change of a job is cut short', { timeout: 12_000 }, async () => {
    const ana = await client()
    const { jobId } = await ana.jobs.create(testJob())

    const response = await world.send(
      ask(`/api/jobs/${jobId}?waitSeconds=20`, { authorization: `Bearer ${await world.person('ADMIN')}` }),
    )

    expect(await response.json()).toMatchObject({ id: jobId, status: 'PENDING' })
  })
})

describe('streamJobEvents', () => {
  test('hears what another instance does, ends before the function does, and is taken up again', async () => {
    const [ana, other] = [await client(), await startLambda(bundle, environment)]
    const { jobId } = await ana.jobs.create(testJob())
    const token = await world.person('ADMIN')
    const follow = async (lastEventId: number, remainingMs: number) => {
      const headers = { authorization: `Bearer ${token}`, 'last-event-id': String(lastEventId) }
      const response = await gateway(document, lambda, { remainingMs })(ask(`/api/jobs/${jobId}/events`, headers))
      return response.body!.pipeThrough(new TextDecoderStream())
    }

    const first = (await Array.fromAsync(await follow(0, 3000))).join('')
    expect(first).toContain('"status":"PENDING"')
    expect(lambda.lastEnding()).toEqual({ waits: false })

    const second = await follow(1, 30_000)
    await (await client(gateway(document, other))).jobs.cancel(jobId)
    expect((await Array.fromAsync(second)).join('')).toContain('"status":"CANCELLED"')
  })
})

/** An image of at least so many bytes. */
function fileOf(bytes: number): Uint8Array<ArrayBuffer> {
  const words = pngChunk('tEXt', `Comment\0${'x'.repeat(60_000)}`)
  return new Uint8Array(png({ width: 8, before: Array.from({ length: Math.ceil(bytes / 60_000) }, () => words) }))
}

describe('a page that is larger than can be sent at once', () => {
  test('says so', async () => {
    const ana = await client()
    for (const name of ['atoll', 'lagoon']) await ana.regions.put(name, { title: name })
    await sql`update regions set description = repeat('x', 4000000)`

    await expect(ana.regions.list({ limit: 2 })).rejects.toMatchObject({ status: 413, code: 'payload_too_large' })
    expect((await ana.regions.list({ limit: 1 })).items).toHaveLength(1)
  })

  test('is sent bit by bit where the answer is streamed', async () => {
    const ana = await client()
    const ring = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 0],
    ]
    for (let count = 0; count < 2; count++)
      await ana.polygons.create({ polygon: { type: 'Polygon', coordinates: [ring] } })
    await sql`update polygons set properties = jsonb_build_object('notes', repeat('x', 4000000))`

    expect((await ana.polygons.list({ limit: 2 })).items).toHaveLength(2)
  })
})

describe('getImage', () => {
  test('sends a file that is larger than can be sent at once, or a part of it', async () => {
    // The file goes to the bucket, past the service.
    const ana = await client((request) => (request.url.startsWith(publicUrl) ? world.send(request) : fetch(request)))
    const { id } = await ana.images.upload(new File([fileOf(8_000_000)], 'reef.png', { type: 'image/png' }))

    const whole = await ana.images.download(id)
    const part = await ana.images.download(id, { headers: { Range: 'bytes=7000000-7000009' } })

    // Compared at once: `toEqual` looks at each byte for itself.
    expect(Buffer.from(await whole.arrayBuffer()).equals(fileOf(8_000_000))).toBe(true)
    expect([part.status, new Uint8Array(await part.arrayBuffer())]).toEqual([
      206,
      fileOf(8_000_000).slice(7_000_000, 7_000_010),
    ])
  })
})

describe('the schedule', async () => {
  const server = await startSmtpServer()
  const own = await startLambda(schedule.file, { ...environment, SMTP_URL: server.url })
  const event = { 'detail-type': 'Scheduled Event' }

  test('sends the mail that waits', async () => {
    const ana = await client()
    const recipients = Array.from({ length: 12 }, (_, n) => `diver-${n}@reef.example`)
    await ana.email.send({ recipients, subject: 'Boats', text: 'They leave at six.' })
    expect(server.received.filter(({ mail }) => mail.subject === 'Boats')).toEqual([])

    await own.invoke('handler', event)

    expect(server.received.filter(({ mail }) => mail.subject === 'Boats')).toHaveLength(12)
    expect(await ana.admin.audit({ action: 'email_requested' })).toMatchObject({ items: [{ address: '192.0.2.1' }] })
  })

  test('takes back the jobs whose leases have run out', async () => {
    const ana = await client()
    const { jobId } = await ana.jobs.create(testJob())
    await ana.worker.assign({ jobId })
    await lapse(sql, jobId)

    await own.invoke('handler', event)

    expect(await sql`select status from jobs where id = ${jobId}`).toEqual([{ status: 'PENDING' }])
  })

  test('does the rest where a chore fails, and fails in the end', async () => {
    const ana = await client()
    const { jobId } = await ana.jobs.create(testJob())
    await ana.worker.assign({ jobId })
    await lapse(sql, jobId)
    await sql`update sessions set expires_at = now() - interval '1 year'`
    await sql`alter table idempotency_keys rename to idempotency_keys_gone`

    const failure = await own.invoke('handler', event).catch((error: Error) => error.message)
    await sql`alter table idempotency_keys_gone rename to idempotency_keys`

    expect(failure).toContain('Not done: purge idempotency keys')
    expect(await sql`select status from jobs where id = ${jobId}`).toEqual([{ status: 'PENDING' }])
    expect(await sql`select from sessions`).toHaveLength(0)
  })

  test('sweeps at least, however little time there is', async () => {
    const ana = await client()
    const { jobId } = await ana.jobs.create(testJob())
    await ana.worker.assign({ jobId })
    await lapse(sql, jobId)

    await own.invoke('handler', event, { remainingMs: 3000 })

    expect(await sql`select status from jobs where id = ${jobId}`).toEqual([{ status: 'PENDING' }])
  })
})
