import { Agent, get } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, describe, expect, test } from 'vitest'
import { type HttpServerOptions, startHttpServer } from '../../src/main/http-server.ts'

const start = (options: Partial<HttpServerOptions>) =>
  startHttpServer({ host: '127.0.0.1', port: 0, fetch: () => new Response('here'), ...options })

/** A client that keeps its connections. */
const agent = new Agent({ keepAlive: true })
afterAll(() => agent.destroy())

/** Far longer than a test may take: what waits for it fails the test. */
const never = 600_000

describe('stop', () => {
  test('does not wait for a client that keeps its connection, whether it is answered before or while stopping', async () => {
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    const fetch = async () => {
      asked.resolve()
      await answer.promise
      return new Response('late')
    }
    const server = await start({ fetch, drainMs: never })
    const answered = ask(server.url)
    await asked.promise

    const stopped = server.stop()
    answer.resolve()

    expect(await answered).toEqual({ body: 'late', connection: 'close' })
    await stopped
  })

  test('closes a connection whose answer had begun before, once it is at its end', async () => {
    const begun = Promise.withResolvers<void>()
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const server = await start({ fetch: () => new Response(readable), drainMs: never })
    const answered = ask(server.url, begun.resolve)
    const writer = writable.getWriter()
    await writer.write(Buffer.from('a part'))
    await begun.promise

    const stopped = server.stop()
    await writer.close()

    expect(await answered).toMatchObject({ body: 'a part' })
    await stopped
  })

  test('gives up on an answer that does not come', async () => {
    const asked = Promise.withResolvers<void>()
    const fetch = () => {
      asked.resolve()
      return new Promise<Response>(() => {})
    }
    const server = await start({ fetch, drainMs: 1 })
    const answered = ask(server.url).catch((error: NodeJS.ErrnoException) => error.code)
    await asked.promise

    await server.stop()

    expect(await answered).toBe('ECONNRESET')
  })
})

describe('a client that has gone quiet', () => {
  test.each([
    ['before its request', ''],
    ['in the headers', 'POST / HTTP/1.1\r\nhost: '],
    ['in the body', 'POST / HTTP/1.1\r\nhost: reef.example\r\ncontent-length: 10\r\n\r\nhalf'],
  ])('%s is dropped', async (_, sent) => {
    const fetch = async (request: Request) => new Response(await request.text())
    const server = await start({ fetch, silenceMs: 50 })

    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write(sent)
    await new Promise((resolve) =>
      socket
        .on('error', () => {})
        .resume()
        .once('close', resolve),
    )

    await server.stop()
  })
})

describe('a client that asks for the end of its connection', () => {
  /** Sends 8 MB, all of it before it reads a word, and gives what it then reads. */
  async function sendFirst(url: string, headers: string): Promise<string> {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port) })
    socket.pause()
    const piece = Buffer.alloc(1_000_000)
    socket.write(`POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n${headers}\r\n\r\n`)
    for (let n = 0; n < 8; n++)
      await new Promise<void>((resolve, reject) => socket.write(piece, (error) => (error ? reject(error) : resolve())))
    return text(socket)
  }

  test.each([8_000_000, 9_000_000])('reads its answer though it came before %d bytes were there', async (length) => {
    const server = await start({ fetch: () => new Response('too much', { status: 413 }) })

    const answer = await sendFirst(server.url, `content-length: ${length}`)

    expect(answer).toMatch(/^HTTP\/1.1 413 .*too much$/s)
    await server.stop()
  })
})

describe('startHttpServer', () => {
  test('names an address that can be reached where it listens on all', async () => {
    const server = await start({ host: '0.0.0.0' })

    expect(server).toMatchObject({ isOnAllAddresses: true, url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) })
    await server.stop()
  })

  test('says so when the port is taken', async () => {
    const first = await start({})

    await expect(start({ port: Number(new URL(first.url).port) })).rejects.toThrow(/port \d+: something else listens/)
    await first.stop()
  })
})

function ask(url: string, onBegun = () => {}): Promise<{ body: string; connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, async (response) => {
      response.once('readable', onBegun)
      resolve({ body: await text(response), connection: response.headers.connection })
    }).on('error', reject)
  })
}
