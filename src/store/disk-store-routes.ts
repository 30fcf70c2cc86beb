import { Readable } from 'node:stream'
import { type Context, Hono } from 'hono'
import { discard, piecesOf, usualSilenceMs } from '../arriving-body.ts'
import { attachment } from './content-disposition.ts'
import type { DiskStore } from './disk-store.ts'
import { downloadHead } from './download-head.ts'
import { type ObjectInfo, ObjectMismatch, StoreUnavailable } from './object-store.ts'
import type { DownloadGrant, UploadGrant } from './signed-url.ts'
import { StoreProblem } from './store-problem.ts'

type Store = Pick<DiskStore, 'readUrl' | 'receive' | 'open'>

/**
 * Serves the disk store's signed URLs, at the place that its `baseUrl` names. Every refusal is a problem. An upload may be silent for so
 * long.
 */
export function diskStoreRoutes(store: Store, silenceMs = usualSilenceMs): Hono {
  const routes = new Hono()
  routes.onError((error, c) => asProblem(error).respond(c))
  routes.put('/:key{.+}', (c) => upload(c, store, silenceMs))
  routes.get('/:key{.+}', (c) => download(c, store))
  routes.all('*', () => {
    throw new StoreProblem('method_not_allowed', 'Files are read with GET or HEAD and written with PUT.')
  })
  return routes
}

function asProblem(error: Error): StoreProblem {
  if (error instanceof StoreProblem) return error
  if (error instanceof StoreUnavailable) return new StoreProblem('service_unavailable', 'Files cannot be reached now.')
  if (error instanceof ObjectMismatch) {
    return new StoreProblem(error.mismatch === 'too_large' ? 'too_large' : 'upload_mismatch', error.message)
  }
  throw error
}

async function upload(c: Context, store: Store, silenceMs: number): Promise<Response> {
  const grant = readUrl(c, store, 'PUT') as UploadGrant
  assertAnnounced(c, grant)
  const body = c.req.raw.body?.getReader()
  const pieces = body ? Readable.from(piecesOf(body, silenceMs, stalled)) : new Uint8Array()
  const outcome = await store.receive(grant, pieces).catch((error) => {
    if (body) void discard(body)
    // Who left reads no answer, and it is no bug of ours.
    throw c.req.raw.signal.aborted ? new StoreProblem('upload_mismatch', 'The upload ended early.') : error
  })
  if (outcome === 'exists') throw new StoreProblem('object_exists', 'There is another file under this name already.')
  return c.body(null, outcome === 'created' ? 201 : 200, { etag: `"${grant.sha256}"` })
}

function stalled(): never {
  throw new StoreProblem('request_timeout', 'The file stopped arriving before its end.')
}

/** Before a byte is read. What the body then really is, is the store's to check. */
function assertAnnounced(c: Context, { contentType, sizeBytes }: UploadGrant): void {
  const announced = c.req.header('content-length')
  if (c.req.header('content-type') !== contentType) {
    throw new StoreProblem('upload_mismatch', `The URL was made for the content type ${contentType}.`)
  }
  if (announced === undefined && c.req.header('transfer-encoding') !== undefined) {
    throw new StoreProblem('length_required', 'Send the file with its Content-Length, not in chunks.')
  }
  if (Number(announced ?? sizeBytes) > sizeBytes) {
    throw new StoreProblem('too_large', `The URL was made for a file of ${sizeBytes} bytes.`)
  }
  if (Number(announced ?? sizeBytes) !== sizeBytes) {
    throw new StoreProblem('upload_mismatch', `The URL was made for a file of ${sizeBytes} bytes.`)
  }
}

async function download(c: Context, store: Store): Promise<Response> {
  const grant = readUrl(c, store, 'GET') as DownloadGrant
  const object = await store.open(grant.key)
  if (!object) throw new StoreProblem('object_not_found', 'There is no such file.')
  try {
    const head = downloadHead(conditionsOf(c), object.info)
    if (head.status === 412) throw new StoreProblem('precondition_failed', 'The file is another than was asked for.')
    if (head.status === 416)
      throw new StoreProblem('range_not_satisfiable', `The file has ${object.info.sizeBytes} bytes.`, head.headers)
    const { status, range } = head
    const headers = { ...head.headers, ...(range && describe(grant, object.info)) }
    // Hono answers HEAD with this handler too and drops the body unread, which would leave the file open.
    if (range && c.req.method !== 'HEAD') return new Response(object.read(range), { status, headers })
    await object.close()
    return new Response(null, { status, headers })
  } catch (error) {
    await object.close()
    throw error
  }
}

const conditionsOf = ({ req }: Context) => ({
  // Ranges are for GET alone (RFC 9110, section 14.2).
  range: req.method === 'HEAD' ? undefined : req.header('range'),
  ifRange: req.header('if-range'),
  ifNoneMatch: req.header('if-none-match'),
  ifModifiedSince: req.header('if-modified-since'),
  ifMatch: req.header('if-match'),
  ifUnmodifiedSince: req.header('if-unmodified-since'),
})

/** Files come from people, and are served from the origin of the API. */
const describe = ({ contentType, fileName }: DownloadGrant, info: ObjectInfo) => ({
  'content-type': contentType ?? info.contentType,
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  ...(fileName !== undefined && { 'content-disposition': attachment(fileName) }),
})

function readUrl(c: Context, store: Store, method: 'GET' | 'PUT') {
  const key = c.req.param('key') ?? ''
  const grant = store.readUrl(method, key, new URL(c.req.url).searchParams)
  if (grant === 'expired') throw new StoreProblem('url_expired', 'This URL has expired. Ask for a new one.')
  if (grant === 'invalid') throw new StoreProblem('signature_invalid', 'This URL was not made by us for this request.')
  return grant
}
