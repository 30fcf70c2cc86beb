import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { continueWhenRead } from './continue-when-read.ts'
import { closeGently } from './gentle-close.ts'

export interface HttpServerOptions {
  fetch: (request: Request) => Response | Promise<Response>
  host: string
  port: number
  /** A connection on which no byte moves for so long is dropped, whatever it has left half done. */
  silenceMs?: number
  /** When stopping: how long answers may take that are under way. */
  drainMs?: number
}

export interface HttpServer {
  /** Where this machine reaches it. */
  url: string
  /** Whether it listens on all addresses, so that nobody can tell from here which one clients know. */
  isOnAllAddresses: boolean
  /** Takes nothing new, finishes what is under way, and lets go of every connection. */
  stop(): Promise<void>
}

/** The address cannot be listened on. The message says why. */
export class AddressUnavailable extends Error {
  override name = 'AddressUnavailable'
}

/** No body takes longer to arrive: the largest file at a slow pace. Silence ends a stalled one far earlier. */
const bodyMs = 6 * 60 * 60_000
/** While stopping: how soon a connection is let go of after its last answer. */
const idleCheckMs = 50

export async function startHttpServer({
  fetch,
  host,
  port,
  // Long-polls are answered within 20 s, event streams say something each 15 s, and a transfer moves bytes all the time.
  silenceMs = 60_000,
  drainMs = 10_000,
}: HttpServerOptions): Promise<HttpServer> {
  const server = createAdaptorServer({ fetch }) as Server
  server.timeout = silenceMs
  server.requestTimeout = bodyMs
  server.headersTimeout = 20_000
  server.keepAliveTimeout = 65_000
  closeGently(server)
  continueWhenRead(server)
  const underWay = new Set<ServerResponse>()
  let isStopping = false
  server.prependListener('request', (_, response) => {
    if (isStopping) response.setHeader('connection', 'close')
    underWay.add(response)
    response.once('close', () => underWay.delete(response))
  })
  await listen(server, host, port)
  const { address, port: actualPort } = server.address() as AddressInfo
  const isOnAllAddresses = address === '0.0.0.0' || address === '::'
  const name = isOnAllAddresses ? '127.0.0.1' : address.includes(':') ? `[${address}]` : address

  return {
    url: `http://${name}:${actualPort}`,
    isOnAllAddresses,
    async stop() {
      isStopping = true
      // Who is answered now must not ask again on the same connection.
      for (const response of underWay) if (!response.headersSent) response.setHeader('connection', 'close')
      await drain(server, drainMs)
    },
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'something else listens there' : cause.message
      reject(new AddressUnavailable(`Cannot listen on ${host}, port ${port}: ${reason}. See HOST and PORT.`, { cause }))
    })
    server.listen(port, host, resolve)
  })
}

/** A connection kept alive after its answer would hold up the end: those are closed as they become idle, not only at first. */
async function drain(server: Server, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const idle = setInterval(() => server.closeIdleConnections(), idleCheckMs)
  const patience = setTimeout(() => server.closeAllConnections(), drainMs)
  server.closeIdleConnections()
  await closed
  clearInterval(idle)
  clearTimeout(patience)
}
