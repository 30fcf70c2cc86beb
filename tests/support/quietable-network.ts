import { connect, createServer, type Socket } from 'node:net'
import { atEnd } from './at-end.ts'

/** A network between us and the database that can go quiet: connections stay open and nothing arrives any more. */
export async function quietableNetwork(databaseUrl: string, port = 0) {
  const far = new URL(databaseUrl)
  const pairs = new Set<[Socket, Socket]>()
  let isNextBreaking = false
  const server = createServer((near) => {
    const there = connect(Number(far.port), far.hostname)
    pairs.add([near, there])
    if (isNextBreaking) breakOnceOpen(near, there)
    isNextBreaking = false
    near.pipe(there).pipe(near)
    for (const socket of [near, there]) socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = async () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  atEnd(close)
  const through = new URL(databaseUrl)
  through.host = `127.0.0.1:${(server.address() as { port: number }).port}`
  return {
    url: through.href,
    /** Nobody listens there any more. */
    close,
    /** How many connections there have been. */
    count: () => pairs.size,
    /** What is open now breaks with an error; new connections work. */
    reset() {
      for (const [near] of pairs) near.resetAndDestroy()
    },
    /** The next connection breaks at the first word after the database has said that it is ready. */
    breakNextOnceOpen() {
      isNextBreaking = true
    },
    /** What is open now goes quiet; new connections work. */
    goQuiet() {
      for (const [near, there] of pairs) {
        near.unpipe(there)
        there.unpipe(near)
        near.pause()
        there.pause()
      }
    },
  }
}

/** ReadyForQuery, outside of a transaction. */
const ready = Buffer.from('Z\0\0\0\x05I')

function breakOnceOpen(near: Socket, there: Socket): void {
  there.on('data', (bytes: Buffer) => bytes.includes(ready) && near.once('data', () => near.resetAndDestroy()))
}
