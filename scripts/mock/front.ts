import { createServer, type IncomingMessage, request as requestHttp, type ServerResponse } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import { UsageError } from '../usage.ts'
import { asDeclared } from './traffic.ts'

export interface FrontOptions {
  host: string
  port: number
  /** Where Prism listens. */
  socketPath: string
  /** Where requests go that Prism must not touch, and which these are. */
  bypass: { upstream: URL; takes: (method: string, path: string) => boolean } | undefined
}

export interface Front {
  url: string
  close(): Promise<void>
}

/** What clients talk to. Hands each request on, byte by byte: to Prism, or past it. */
export async function startFront({ host, port, socketPath, bypass }: FrontOptions): Promise<Front> {
  const server = createServer((request, response) => {
    const [path] = request.url!.split('?', 1) as [string]
    if (bypass?.takes(request.method!, path)) passOn(request, response, bypass.upstream)
    else askPrism(request, response, socketPath)
  })
  await listen()
  const { address, port: actualPort } = server.address() as AddressInfo
  return {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${actualPort}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }

  function listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(new UsageError(`Cannot listen on ${host}:${port}: ${reasons[error.code ?? ''] ?? error.message}`)),
      )
      server.listen(port, host, resolve)
    })
  }
}

const reasons: Record<string, string> = {
  EADDRINUSE: 'something else does already',
  EADDRNOTAVAIL: 'that address is not of this machine',
  EACCES: 'this user may not',
}

function askPrism(request: IncomingMessage, response: ServerResponse, socketPath: string): void {
  // Prism unpacks what is compressed in some ways, and corrupts what is in others.
  const headers = { ...request.headers, 'accept-encoding': 'identity' }
  const { method, url } = request
  // Prism knows what the contract names. Node leaves the body out where it was not asked for.
  forward(request, response, requestHttp({ socketPath, method: asDeclared(method!), path: url, headers }))
}

function passOn(request: IncomingMessage, response: ServerResponse, upstream: URL): void {
  const { method, headers } = request
  const send = upstream.protocol === 'https:' ? requestHttps : requestHttp
  const url = new URL(upstream.pathname.replace(/\/$/, '') + request.url, upstream)
  // Web pages may read it as they may read what comes from Prism.
  if (headers.origin) response.setHeader('access-control-allow-origin', headers.origin)
  forward(request, response, send(url, { method, headers: { ...headers, host: upstream.host } }))
}

function forward(request: IncomingMessage, response: ServerResponse, onward: ReturnType<typeof requestHttp>): void {
  onward.once('response', (answer) => {
    response.writeHead(answer.statusCode!, answer.headers)
    pipeline(answer, response, () => {})
  })
  onward.once('error', (error: NodeJS.ErrnoException) => {
    if (response.headersSent) response.destroy()
    else refuse(response, error)
  })
  // A client that leaves takes its request along: an event stream would go on for nobody.
  response.once('close', () => onward.destroy())
  pipeline(request, onward, () => {})
}

function refuse(response: ServerResponse, { code, message }: NodeJS.ErrnoException): void {
  const problem = {
    type: 'about:blank',
    title: 'No answer',
    status: 502,
    detail: `The service does not answer: ${code ?? message}.`,
  }
  response.writeHead(502, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem))
}
