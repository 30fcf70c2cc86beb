/** What a page does with the package, from an origin of its own. The test bundles it, opens it, and calls `tell`. */
import { createClient, etagOf } from '@fieldstation/sdk'
import { moveImages } from './images.js'

const reef = (name) => ({
  name,
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
})

globalThis.tell = async ({ baseUrl, person, admin, startWorker }) => {
  await createClient({ baseUrl }).auth.register(person)
  const client = createClient({ baseUrl, credentials: person, retries: 0 })

  // Nobody works yet, so the first of these fills the quota of one.
  const waiting = await client.jobs.create({ type: 'TEST', inputPayload: { id: 1 } }, { idempotencyKey: 'first' })
  const repeated = await client.jobs.create({ type: 'TEST', inputPayload: { id: 1 } }, { idempotencyKey: 'first' })
  const tooMany = await client.jobs.create({ type: 'TEST', inputPayload: { id: 2 } }).catch((error) => error)
  await client.jobs.cancel(waiting.jobId)

  await globalThis[startWorker]()
  const { jobId } = await client.jobs.create({ type: 'TEST', inputPayload: { id: 3 } })
  const events = []
  for await (const event of client.jobs.events(jobId)) events.push(event.status ?? event.message ?? event.kind)
  const { resultPayload } = await client.jobs.wait(jobId, { throwOnFailure: true })
  const files = []
  for await (const { name, response } of client.jobs.downloadFiles(jobId))
    files.push(`${name}: ${await response.text()}`)

  const drawn = await client.polygons.create(reef('Lagoon'))
  const changed = await client.polygons.replace(drawn.id, reef('Lagoon, north'), { ifMatch: etagOf(drawn) })
  const late = await client.polygons.delete(drawn.id, { ifMatch: etagOf(drawn) }).catch((error) => error)

  const { key } = await client.users.createApiKey({ name: 'page', scopes: ['polygons:read'] })
  const withKey = await createClient({ baseUrl, apiKey: key }).polygons.list()

  const { response } = await client.raw.GET('/api/polygons/{polygonId}', { params: { path: { polygonId: drawn.id } } })
  const header = (name) => response.headers.get(name)

  return {
    isSameJob: repeated.jobId === waiting.jobId,
    tooMany: { code: tooMany.code, isToldWhen: tooMany.retryAfterSeconds > 0 },
    events,
    resultPayload,
    files,
    etags: [etagOf(drawn), etagOf(changed), header('etag')],
    late: late.code,
    withKey: withKey.items.map(({ name }) => name),
    requestId: header('x-request-id'),
    images: await moveImages(client, drawn.id),
    uploaded: await upload(createClient({ baseUrl, credentials: admin })),
  }
}

/** Sends bytes to where a signed URL says, by XMLHttpRequest, which alone tells how far it is. */
async function upload(admin) {
  await admin.regions.put('page-reef', { title: 'Page Reef' })
  const bytes = new TextEncoder().encode('not a raster')
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
  const file = { sizeBytes: bytes.length, sha256, contentType: 'image/tiff' }
  const { version, upload: to } = await admin.regions.createLayerUpload('page-reef', 'depth', file)
  let sent = 0
  await admin.transfers.upload(to, new Blob([bytes]), { onProgress: ({ doneBytes }) => (sent = doneBytes) })
  const { status } = await admin.regions.completeLayer('page-reef', 'depth', version)
  return { sent, status }
}
