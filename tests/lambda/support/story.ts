import { createHash } from 'node:crypto'
import type { components } from '../../../generated/types.ts'
import { picture } from '../../contract/form.ts'
import { type Exchange, exchangeOf } from './exchange.ts'
import { publicUrl, type World } from './worlds.ts'

interface Asked {
  token?: string | undefined
  /** JSON. */
  body?: unknown
  form?: FormData
  headers?: Record<string, string>
}

type Upload = Pick<components['schemas']['SignedUpload'], 'url' | 'method' | 'headers'>

const email = 'ana@reef.example'
const password = 'slow-tides-carry-sand'
const lagoon = {
  type: 'Polygon',
  coordinates: [
    [
      [145.442, -14.668],
      [145.461, -14.668],
      [145.461, -14.651],
      [145.442, -14.668],
    ],
  ],
}
const sites = Buffer.from('{"type":"FeatureCollection","features":[]}')
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A day of the service, from the first person to the last download. Gives every answer, by what was asked. */
export async function tellStory(world: World): Promise<Record<string, Exchange>> {
  const exchanges: Record<string, Exchange> = {}

  /** Asks, and gives the body as it came. */
  async function ask<Body = Record<string, string>>(
    what: string,
    method: string,
    target: string,
    { token, body, form, headers }: Asked = {},
  ): Promise<Body> {
    const request = new Request(publicUrl + target, {
      method,
      headers: {
        'x-request-id': 'story',
        'accept-encoding': 'identity',
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json; charset=utf-8' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(form && { body: form }),
    })
    const response = await world.send(request)
    const text = response.clone()
    exchanges[what] = await exchangeOf(request, response)
    const isJson = response.headers.get('content-type')?.includes('json') && method !== 'HEAD'
    return (isJson ? await text.json() : {}) as Body
  }

  async function upload(what: string, { url, method, headers }: Upload, bytes: Uint8Array) {
    const { status } = await fetch(url, { method, headers, body: new Uint8Array(bytes) })
    if (status !== 200) throw new Error(`${what}: the store answered ${status}.`)
  }

  await ask('register', 'POST', '/api/auth/register', { body: { email, password, name: 'Ana Mañana 珊瑚' } })
  await ask('log in wrongly', 'POST', '/api/auth/login', { body: { email, password: 'not this one' } })
  const { token, refreshToken } = await ask('log in', 'POST', '/api/auth/login', { body: { email, password } })
  await ask('refresh', 'POST', '/api/auth/token', { body: { refreshToken } })
  await ask('profile', 'GET', '/api/auth/profile', { token })
  const newKey = { name: 'reads jobs', scopes: ['jobs:read'] }
  const { key, id: keyId } = await ask('make a key', 'POST', '/api/users/me/api-keys', { token, body: newKey })
  const byKey = { headers: { 'X-API-Key': key! } }
  await ask('with the key', 'GET', '/api/jobs', byKey)
  await ask('beyond the key', 'GET', '/api/polygons', byKey)
  await ask('revoke the key', 'DELETE', `/api/users/me/api-keys/${keyId}`, { token })
  await ask('with the revoked key', 'GET', '/api/jobs', byKey)

  const named = { name: 'Lagune “Süd”', polygon: lagoon }
  const { id: polygonId } = await ask('draw', 'POST', '/api/polygons', { token, body: named })
  await ask('draw another', 'POST', '/api/polygons', { token, body: { polygon: lagoon } })
  const path = `/api/polygons/${polygonId}`
  await ask('redraw', 'PUT', path, { token, body: named, headers: { 'If-Match': '"1"' } })
  await ask('redraw what has changed', 'PUT', path, { token, body: named, headers: { 'If-Match': '"1"' } })
  await ask('look', 'GET', path, { token })
  const { nextCursor } = await ask('page', 'GET', '/api/polygons?limit=1', { token })
  await ask('next page', 'GET', `/api/polygons?limit=1&cursor=${encodeURIComponent(nextCursor!)}`, { token })
  const asFeatures = { token, headers: { accept: 'application/geo+json' } }
  await ask('as features', 'GET', '/api/polygons', asFeatures)
  await ask('as a feature', 'GET', path, asFeatures)
  const features = [{ type: 'Feature', properties: { titel: 'Außenriff' }, geometry: lagoon }]
  const collection = { token, body: { type: 'FeatureCollection', features } }
  await ask('import', 'POST', '/api/polygons/import?nameProperty=titel', collection)

  const { id: noteId } = await ask('note', 'POST', '/api/notes', { token, body: { polygonId, content: 'Gebleicht ☹' } })
  const better = { token, body: { content: 'Erholt ☺' }, headers: { 'If-Match': '"1"' } }
  await ask('correct it', 'PUT', `/api/notes/${noteId}`, better)
  await ask('correct what has changed', 'PUT', `/api/notes/${noteId}`, better)
  await ask('notes', 'GET', `/api/notes?polygonId=${polygonId}`, { token })
  await ask('notes of the polygon', 'GET', `${path}/notes`, { token })

  const photograph = (about: Record<string, string>, bytes = picture) => {
    const form = new FormData()
    for (const [name, value] of Object.entries(about)) form.set(name, value)
    form.set('file', new File([bytes], 'récif "ouest".png'))
    return { token, form }
  }
  const { id: imageId, sha256: checksum } = await ask('image', 'POST', '/api/images', photograph({ noteId: noteId! }))
  const image = `/api/images/${imageId}`
  const conditionally = (headers: Record<string, string>) => ({ token, headers })
  await ask('no image', 'POST', '/api/images', photograph({}, new Uint8Array([1, 2, 3])))
  await ask('half an image', 'POST', '/api/images', photograph({}, picture.slice(0, 40)))
  await ask('an image of nothing', 'POST', '/api/images', photograph({ polygonId: noteId! }))
  await ask('its bytes', 'GET', image, { token })
  await ask('some of them', 'GET', image, conditionally({ Range: 'bytes=2-9' }))
  await ask(
    'some, if it is still that',
    'GET',
    image,
    conditionally({ Range: 'bytes=-3', 'If-Range': `"${checksum}"` }),
  )
  await ask('some beyond its end', 'GET', image, conditionally({ Range: 'bytes=1000000-' }))
  await ask('if it were another', 'GET', image, conditionally({ 'If-None-Match': `"${checksum}"` }))
  await ask('what it would be', 'HEAD', image, { token })
  await ask('what some would be, of which HEAD knows nothing', 'HEAD', image, conditionally({ Range: 'bytes=2-9' }))
  await ask('what nobody may see', 'HEAD', image, {})
  await ask('about it', 'GET', `${image}/metadata`, { token })
  await ask('call it otherwise', 'PATCH', image, { token, body: { name: '珊瑚.png', polygonId } })
  await ask('images', 'GET', `/api/images?polygonId=${polygonId}`, { token })
  const coming = { name: 'a.png', contentType: 'image/png', sizeBytes: picture.length, sha256: sha256(picture) }
  type Started = components['schemas']['ImageUploadCreated']
  const started = await ask<Started>('a large image', 'POST', '/api/images/uploads', { token, body: coming })
  const completion = `/api/images/${started.imageId}/complete`
  await ask('too early', 'POST', completion, { token })
  await upload('image', started.upload, picture)
  await ask('now', 'POST', completion, { token })
  await ask('now again', 'POST', completion, { token })
  await ask('remove the image', 'DELETE', image, { token })
  await ask('its bytes again', 'GET', image, { token })
  await ask('erase the note', 'DELETE', `/api/notes/${noteId}`, { token })

  await ask('erase', 'DELETE', path, { token })
  await ask('look again', 'GET', path, { token })

  const admin = await world.person('ADMIN', 'WORKER')
  const region = '/api/regions/lizard-island'
  await ask('add a region', 'PUT', region, { token: admin, body: { title: 'Lizard Island' } })
  await ask('change it', 'PUT', region, { token: admin, body: { title: 'Lizard Island', description: 'North' } })
  const raster = { sizeBytes: sites.length, sha256: sha256(sites) }
  const layerPath = `${region}/layers/depth`
  const layer = await ask<{ upload: Upload }>('send a layer', 'POST', `${layerPath}/uploads`, {
    token: admin,
    body: raster,
  })
  await ask('complete it too early', 'POST', `${layerPath}/complete`, { token: admin, body: { version: 1 } })
  await upload('layer', layer.upload, sites)
  await ask('complete it', 'POST', `${layerPath}/complete`, { token: admin, body: { version: 1 } })
  await ask('regions', 'GET', '/api/regions', { token })

  const wish = { type: 'TEST', inputPayload: { id: 42 } }
  const once = { token, body: wish, headers: { 'Idempotency-Key': 'a wish' } }
  const { jobId } = await ask('wish', 'POST', '/api/jobs', once)
  await ask('wish again', 'POST', '/api/jobs', once)
  await ask('wish otherwise', 'POST', '/api/jobs', { ...once, body: { ...wish, priority: 'LOW' } })
  await ask('wish the same', 'POST', '/api/jobs', { token, body: wish })
  await ask('jobs', 'GET', '/api/jobs?status=PENDING&type=TEST&limit=5', { token })
  await ask('poll', 'GET', '/api/jobs/poll?jobType=TEST', { token: admin })
  type Claims = components['schemas']['Claims']
  const work = { token: admin, body: { jobTypes: ['TEST'] } }
  const { claims } = await ask<Claims>('claim', 'POST', '/api/jobs/claim', work)
  const { id, token: held } = claims[0]!.assignment
  const assignment = `/api/jobs/assignments/${id}`
  await ask('claim nothing', 'POST', '/api/jobs/claim', { token: admin, body: { jobTypes: ['TEST'], waitSeconds: 1 } })
  await ask('heartbeat', 'POST', `${assignment}/heartbeat`, { token: held, body: { progress: 0.5 } })
  await ask('log', 'POST', `${assignment}/logs`, {
    token: held,
    body: { entries: [{ level: 'INFO', message: 'Tiefe 12 m ≈ 39 ft' }] },
  })
  await ask('inputs', 'GET', `${assignment}/inputs`, { token: held })
  const file = { name: 'sites.geojson', contentType: 'application/geo+json', ...raster }
  const declaration = { token: held, body: { files: [file] } }
  const { items } = await ask<{ items: Upload[] }>('declare', 'POST', `${assignment}/uploads`, declaration)
  const result = { status: 'SUCCEEDED', resultPayload: { id: 42 } }
  await ask('report too early', 'POST', `${assignment}/result`, { token: held, body: result })
  await upload('result', items[0]!, sites)
  await ask('report', 'POST', `${assignment}/result`, { token: held, body: result })
  await ask('report again', 'POST', `${assignment}/result`, { token: held, body: result })
  await ask('report otherwise', 'POST', `${assignment}/result`, { token: held, body: { status: 'FAILED' } })
  await ask('job', 'GET', `/api/jobs/${jobId}?waitSeconds=1`, { token })
  await ask('events', 'GET', `/api/jobs/${jobId}/events`, { token })
  await ask('later events', 'GET', `/api/jobs/${jobId}/events`, { token, headers: { 'Last-Event-ID': '3' } })
  await ask('no more events', 'GET', `/api/jobs/${jobId}/events`, { token, headers: { 'Last-Event-ID': '99' } })
  await ask('logs', 'GET', `/api/jobs/${jobId}/logs`, { token })
  type Links = components['schemas']['JobDownload']
  const { files } = await ask<Links>('download', 'GET', `/api/jobs/${jobId}/download`, { token })
  const downloaded = await fetch(files['sites.geojson']!)
  if (!Buffer.from(await downloaded.arrayBuffer()).equals(sites)) throw new Error('The file is not what was uploaded.')
  await ask('cancel', 'POST', `/api/jobs/${jobId}/cancel`, { token })
  await ask('requests', 'GET', '/api/jobs/requests', { token })
  await ask('log out', 'POST', '/api/auth/logout', { token })
  await ask('after that', 'GET', '/api/auth/profile', { token })
  return exchanges
}
