import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/**
 * Asks for a body (`Expect: 100-continue`; RFC 9110, section 10.1.1) when somebody first reads it. Whoever is refused by the headers alone
 * need not send it. Then Node ends the connection: nobody could tell whether what comes next is that body or another request.
 */
export function continueWhenRead(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const read = request._read
    request._read = (size) => {
      request._read = read
      // What is read after the answer is thrown away.
      if (!response.headersSent) response.writeContinue()
      read.call(request, size)
    }
    server.emit('request', request, response)
  })
}
