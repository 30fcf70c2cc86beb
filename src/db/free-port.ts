import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port on 127.0.0.1 that nobody listens on now; whoever wants it must still be ready to lose it.
 *
 * It lies below the range from which systems take ports for outgoing connections and for "any port". From within that
 * range a port may be gone when its owner restarts; a client that keeps trying to reach it may even connect to itself.
 */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await isFree(port)) return port
  }
  throw new Error('Found no free port on 127.0.0.1 between 20000 and 32000.')
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    await new Promise((closed) => server.close(closed))
  }
}
