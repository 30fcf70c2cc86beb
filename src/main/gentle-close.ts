import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/** How long whoever has been answered may go on sending, and how much. */
const lingerMs = 2000
const lingerBytes = 64 * 1024 * 1024

/**
 * Takes what a client still sends after its answer (RFC 9112, section 9.6). Where it asked for `Connection: close`, Node would close at
 * once, and an answer such as 413 would be lost in the reset that follows.
 */
export function closeGently(server: Server): void {
  const latest = new WeakMap<Socket, IncomingMessage>()
  server.prependListener('request', (request) => latest.set(request.socket, request))
  server.on('connection', (socket: Socket) => {
    const destroySoon = socket.destroySoon.bind(socket)
    socket.destroySoon = () => {
      const request = latest.get(socket)
      if (!request || request.complete || socket.destroyed) destroySoon()
      else linger(request, socket, destroySoon)
    }
  })
}

function linger(request: IncomingMessage, socket: Socket, end: () => void): void {
  const limit = socket.bytesRead + lingerBytes
  const patience = setTimeout(end, lingerMs)
  socket.once('close', () => clearTimeout(patience))
  request.on('data', () => socket.bytesRead > limit && end())
  request.once('end', end)
  // Says that nothing more comes from here, once all of the answer has gone.
  socket.end()
  request.resume()
}
