import { createHash } from 'node:crypto'
import type { components } from '../../../generated/types.ts'
import { type Exchange, exchangeOf } from './exchange.ts'
import { publicUrl, type World } from './worlds.ts'

interface Asked {
  token?: string | undefined
  body?: unknown
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
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** A day of the service, from the first person to the last download. Gives every answer, by what was asked. */
export async function tellStory(world: World): Promise<Record<string, Exchange>> {
  const exchanges: Record<string, Exchange> = {}

  /** Asks, and gives the body as it came. */
  async function ask<Body = Record<string, string>>(
    what: string,
    method: string,
    target: string,
    { token, body, headers }: Asked = {},
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
    })
    const response = await world.send(request)
    const text = response.clone()
    exchanges[what] = await exchangeOf(request, response)
    const isJson = response.headers.get('content-type')?.includes('json')
    return (isJson ? await text.json() : {}) as Body
  }

  async function upload(what: string, { url, method, headers }: Upload, bytes: Buffer) {
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
