import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { startHttpServer } from '../../src/main/http-server.ts'
import { startTestService } from '../support/service.ts'
import { pngOfSize } from './large-png.ts'
import { authorization, formOf, multipart, remains, sha256, somePng, streamOf } from './support.ts'

const limitBytes = 1024 * 1024
const small = await startTestService({ imageLimitBytes: limitBytes })
const server = await startHttpServer({ fetch: small.fetch, host: '127.0.0.1', port: 0 })
const ana = await small.person()
/** The same, of less patience. */
const hasty = await startTestService({
  databaseUrl: small.databaseUrl,
  store: small.store,
  bodyDeadlineMs: 20,
})
const hastyServer = await startHttpServer({ fetch: hasty.fetch, host: '127.0.0.1', port: 0 })
afterAll(() => Promise.all([server.stop(), hastyServer.stop()]))

const post = (body: BodyInit, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/api/images`, {
    method: 'POST',
    body,
    headers: { ...authorization(ana), ...headers },
    duplex: 'half',
  } as RequestInit)

/** A connection on which a request has begun, and what comes back on it. */
function begin(headers: Record<string, string | number>, url = server.url) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const lines = Object.entries({ host: 'reef', connection: 'close', ...authorization(ana), ...headers })
  socket.write(`POST /api/images HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
  let text = ''
  const answered = new Promise<string>((resolve) => {
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
  })
  socket.on('error', () => {})
  return { socket, answered, write: (bytes: Uint8Array | string) => written(socket, bytes) }
}

/** Until the other side has made room for more; false once nobody takes it. */
const written = (socket: Socket, bytes: Uint8Array | string) =>
  new Promise<boolean>((resolve) => {
    if (socket.destroyed) return resolve(false)
    socket.write(bytes, (error) => resolve(!error))
  })

const inChunk = (bytes: Uint8Array) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])

const mebibyte = Buffer.alloc(1024 * 1024)
/** The beginning of a form whose file would be far larger than may be. */
function* endlessForm(boundary: string, mebibytes = 32) {
  yield Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n`)
  yield somePng().subarray(0, 40)
  for (let i = 0; i < mebibytes; i++) yield mebibyte
}

describe('createImage over HTTP', () => {
  test('takes a body in chunks of any size', async () => {
    const bytes = somePng(300)
    const { body, type } = multipart([{ name: 'file', fileName: 'a.png', body: bytes }])
    const pieces = Array.from({ length: body.length }, (_, i) => body.subarray(i, i + 1))

    const response = await post(streamOf(pieces), { 'content-type': type })

    expect(response.status).toBe(201)
    expect(await response.json()).toMatchObject({ sha256: sha256(bytes) })
  })

  test('takes a file of exactly the limit, and none of a byte more', async () => {
    const exact = await post(formOf(pngOfSize(limitBytes)))
    const larger = await post(formOf(pngOfSize(limitBytes + 1)))

    expect(await exact.json()).toMatchObject({ sizeBytes: limitBytes })
    expect(larger.status).toBe(413)
  })

  test('keeps nothing of a body that is cut off', async () => {
    const before = await remains(small)
    const { body, type } = multipart([{ name: 'file', fileName: 'a.png', body: pngOfSize(500_000) }])
    const { socket, write } = begin({ 'content-type': type, 'content-length': body.length })

    await write(body.subarray(0, 300_000))
    await expect.poll(() => remains(small)).toMatchObject({ rows: before.rows + 1 })
    socket.destroy()

    await expect.poll(() => remains(small)).toEqual(before)
  })

  test.each([
    ['in the file', -300],
    ['in the last boundary', -3],
  ])('refuses a body that ends %s', async (_, end) => {
    const before = await remains(small)
    const { body, type } = multipart([{ name: 'file', fileName: 'a.png', body: pngOfSize(5000) }])

    const response = await post(body.subarray(0, end), { 'content-type': type })

    expect(await response.json()).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(await remains(small)).toEqual(before)
  })

  test.each([
    ['before its file', 20],
    ['in its file', 300_000],
    ['in its last boundary', -3],
  ])('tells a client that falls silent %s, and keeps nothing of its form', async (_, end) => {
    const before = await remains(small)
    const { body, type } = multipart([{ name: 'file', fileName: 'a.png', body: pngOfSize(500_000) }])
    const { answered, write } = begin(
      { connection: 'keep-alive', 'content-type': type, 'content-length': body.length },
      hastyServer.url,
    )

    await write(body.subarray(0, end))

    expect(await answered).toMatch(/^HTTP\/1.1 408 .*\r\nconnection: close\r\n.*"code":"request_timeout"/is)
    expect(await remains(small)).toEqual(before)
  })

  test('tells at once of a file that is announced too large, before it comes', async () => {
    const { answered } = begin({
      'content-type': 'multipart/form-data; boundary=x',
      'content-length': 32 * limitBytes,
    })

    expect(await answered).toMatch(/^HTTP\/1.1 413 .*payload_too_large.*}$/s)
  })

  test.each([
    ['announced', true],
    ['in chunks', false],
  ])('tells a client that sends first and reads then of a file that is too large, %s', async (_, isAnnounced) => {
    const before = await remains(small)
    const boundary = randomUUID()
    const form = Buffer.concat([...endlessForm(boundary, 4)])
    const { answered, write } = begin({
      'content-type': `multipart/form-data; boundary=${boundary}`,
      ...(isAnnounced ? { 'content-length': form.length } : { 'transfer-encoding': 'chunked' }),
    })

    for (let at = 0; at < form.length; at += 65_536) {
      const piece = form.subarray(at, at + 65_536)
      if (!(await write(isAnnounced ? piece : inChunk(piece)))) break
    }

    expect(await answered).toMatch(/^HTTP\/1.1 413 .*payload_too_large/s)
    expect(await remains(small)).toEqual(before)
  })

  test.each([
    ['announced', () => Buffer.concat([...endlessForm('x')])],
    ['flowing', () => streamOf(endlessForm('x'))],
  ])('tells fetch of a file that is too large, %s', async (_, body) => {
    const before = await remains(small)

    const response = await post(body(), { 'content-type': 'multipart/form-data; boundary=x' })

    expect(await response.json()).toMatchObject({ status: 413, code: 'payload_too_large' })
    expect(await remains(small)).toEqual(before)
  })

  test('tells fetch of what is no image, while most of it is still to come', async () => {
    const { body, type } = multipart([{ name: 'file', fileName: 'a.png', body: Buffer.alloc(900_000, 'text ') }])

    const response = await post(streamOf([body.subarray(0, 200_000), body.subarray(200_000)]), {
      'content-type': type,
    })

    expect(await response.json()).toMatchObject({ status: 415, code: 'unsupported_media_type' })
  })
})
