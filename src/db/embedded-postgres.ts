import type { DataDir } from './data-dir.ts'
import { findFreePort } from './free-port.ts'
import { DATABASE, prepareCluster, ROLE } from './postgres-cluster.ts'
import { findPostgresPrograms } from './postgres-programs.ts'
import { keepRunning, type PostgresLog, type PostgresServer, startServer } from './postgres-server.ts'
import { clearTheWay } from './postmaster.ts'

export interface EmbeddedPostgresOptions {
  /** Open, and closed only after `stop`: its lock is what keeps a second postgres away. */
  dataDir: DataDir
  log: PostgresLog
  /** False gives up crash safety for speed; for tests. Default true. */
  durable?: boolean
  /** Server settings by name, over ours: `{ max_connections: '300' }`. */
  settings?: Record<string, string>
}

export interface EmbeddedPostgres {
  /** Valid until `stop`, also across a crash of postgres: it is restarted on the same port. Holds the password. */
  url: string
  /** Fast shutdown: open transactions are rolled back, nothing committed is lost. Returns when postgres has ended. */
  stop(): Promise<void>
}

/** A real PostgreSQL, on 127.0.0.1 only, with its data in the data directory; watched, and restarted should it die. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log, durable = true, settings = {} } = options
  const programs = await findPostgresPrograms(dataDir.path)
  const { directory, password } = await prepareCluster(dataDir, programs, { durable })
  const start = (port: number) => {
    const all = { ...SETTINGS, ...(durable ? {} : NOT_DURABLE), ...settings, port: `${port}` }
    return startServer(programs, directory, all, log)
  }
  const { port, server } = await startOnFreePort(start)
  const restart = async () => {
    await clearTheWay(directory, programs)
    return start(port)
  }
  const stop = keepRunning(server, restart, log)
  return { url: `postgres://${ROLE}:${password}@127.0.0.1:${port}/${DATABASE}`, stop }
}

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '128MB',
  max_connections: '100',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  // Errors go to the client that made them; what they quote (statements, keys) has no place in our log.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
}

const NOT_DURABLE = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }

/** Whoever takes the port between our look and postgres's `bind` only makes us try another. */
async function startOnFreePort(start: (port: number) => PostgresServer) {
  for (let triesLeft = 5; ; triesLeft--) {
    const port = await findFreePort()
    const server = start(port)
    try {
      await server.ready
      return { port, server }
    } catch (error) {
      if (triesLeft === 0 || !(error as Error).message.includes('could not bind')) throw error
    }
  }
}
