import { createHmac, timingSafeEqual } from 'node:crypto'

/** Everything that a URL of the disk store permits. What is not in here is not signed, so it does not exist. */
export type Grant = UploadGrant | DownloadGrant

export interface UploadGrant {
  method: 'PUT'
  key: string
  expiresAtSeconds: number
  contentType: string
  sizeBytes: number
  sha256: string
}

export interface DownloadGrant {
  method: 'GET'
  key: string
  expiresAtSeconds: number
  contentType: string | undefined
  fileName: string | undefined
}

/** The query string that carries the grant, all but its method and key, and the proof that we made it. */
export function signGrant(grant: Grant, secret: string): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, member] of Object.entries(PARAMETERS[grant.method])) {
    const value = grant[member as keyof Grant]
    if (value !== undefined) query.set(name, String(value))
  }
  query.set(SIGNATURE, signatureOf(grant, secret).toString('base64url'))
  return query
}

/** The grant, when the query carries one of ours for exactly this method and key. Whether it expired is not asked here. */
export function readGrant(method: Grant['method'], key: string, query: URLSearchParams, secret: string) {
  const values = new Map(query)
  // A repeated or an unknown parameter is none of ours, and somebody might read it who does not verify it.
  if (values.size !== query.size || [...values.keys()].some((name) => !isParameter(method, name))) return undefined
  const grant = parse(method, key, values)
  const claimed = Buffer.from(values.get(SIGNATURE) ?? '', 'base64url')
  const expected = signatureOf(grant, secret)
  return claimed.length === expected.length && timingSafeEqual(claimed, expected) ? grant : undefined
}

const SIGNATURE = 'signature'

const PARAMETERS = {
  PUT: { expires: 'expiresAtSeconds', type: 'contentType', size: 'sizeBytes', sha256: 'sha256' },
  GET: { expires: 'expiresAtSeconds', type: 'contentType', name: 'fileName' },
} as const

const isParameter = (method: Grant['method'], name: string) =>
  name === SIGNATURE || Object.hasOwn(PARAMETERS[method], name)

function parse(method: Grant['method'], key: string, values: Map<string, string>): Grant {
  const expiresAtSeconds = Number(values.get('expires') ?? Number.NaN)
  const contentType = values.get('type')
  if (method === 'GET') return { method, key, expiresAtSeconds, contentType, fileName: values.get('name') }
  return {
    method,
    key,
    expiresAtSeconds,
    contentType: contentType ?? '',
    sizeBytes: Number(values.get('size') ?? Number.NaN),
    sha256: values.get('sha256') ?? '',
  }
}

/**
 * The canonical form is a JSON array: each member has its place and is quoted, so no two grants look alike, however a
 * file name or a content type is worded. Numbers are written by us, not copied from the query.
 */
function signatureOf(grant: Grant, secret: string): Buffer {
  const { method, key, expiresAtSeconds, contentType } = grant
  const rest = method === 'PUT' ? [grant.sizeBytes, grant.sha256] : [grant.fileName ?? null]
  const canonical = JSON.stringify([
    'fieldstation-object-url-1',
    method,
    key,
    expiresAtSeconds,
    contentType ?? null,
    ...rest,
  ])
  return createHmac('sha256', secret).update(canonical).digest()
}
