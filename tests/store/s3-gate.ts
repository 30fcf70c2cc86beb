import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/**
 * Stands before fauxqs, which believes everything, and enforces of presigned URLs what S3 does: the signature over the
 * headers really sent, the checksum, and If-None-Match. Requests signed in the header pass.
 */
export async function startS3Gate(backend: string, secretAccessKey: string) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', backend)
    const body = await buffer(request)
    const method = request.method ?? 'GET'
    const refusal = url.searchParams.has('X-Amz-Signature')
      ? await refuse(method, url, request.headers, body, secretAccessKey)
      : undefined
    if (refusal) return response.writeHead(refusal.status).end(`<Error><Code>${refusal.code}</Code></Error>`)
    const { host, connection, 'transfer-encoding': _, expect, ...headers } = request.headers as Record<string, string>
    const answer = await fetch(url, { method, headers, ...(body.length > 0 && { body }) })
    const { 'content-encoding': __, ...answered } = Object.fromEntries(answer.headers)
    response
      .writeHead(answer.status, answered)
      .end(method === 'HEAD' ? undefined : Buffer.from(await answer.arrayBuffer()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function refuse(method: string, url: URL, headers: IncomingHttpHeaders, body: Buffer, secretAccessKey: string) {
  if (url.searchParams.get('X-Amz-Signature') !== signature(method, url, headers, secretAccessKey)) {
    return { status: 403, code: 'SignatureDoesNotMatch' }
  }
  const checksum = headers['x-amz-checksum-sha256']
  if (checksum && checksum !== createHash('sha256').update(body).digest('base64'))
    return { status: 400, code: 'BadDigest' }
  if (headers['if-none-match'] === '*' && method === 'PUT') {
    const existing = await fetch(new URL(url.pathname, url), { method: 'HEAD' })
    if (existing.ok) return { status: 412, code: 'PreconditionFailed' }
  }
  return undefined
}

/** AWS Signature Version 4, of the query. */
function signature(method: string, url: URL, headers: IncomingHttpHeaders, secretAccessKey: string): string {
  const parameter = (name: string) => url.searchParams.get(name) ?? ''
  const signed = parameter('X-Amz-SignedHeaders')
  const query = url.search
    .slice(1)
    .split('&')
    .filter((pair) => !pair.startsWith('X-Amz-Signature='))
    .sort()
  const canonical = [
    method,
    url.pathname,
    query.join('&'),
    ...signed.split(';').map((name) => `${name}:${headers[name] ?? ''}`),
    '',
    signed,
    'UNSIGNED-PAYLOAD',
  ].join('\n')
  const [, ...scope] = parameter('X-Amz-Credential').split('/')
  const hash = createHash('sha256').update(canonical).digest('hex')
  const toSign = [parameter('X-Amz-Algorithm'), parameter('X-Amz-Date'), scope.join('/'), hash].join('\n')
  const key = scope.reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secretAccessKey}`)
  return hmac(key, toSign).toString('hex')
}

const hmac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value).digest()
