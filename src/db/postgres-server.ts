import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { PostgresPrograms } from './postgres-programs.ts'

export interface PostgresLog {
  info(message: string, fields?: object): void
  warn(message: string, fields?: object): void
  error(message: string, fields?: object): void
}

export interface PostgresServer {
  /** Resolves when it accepts connections; rejects with its last words when it ended instead. */
  ready: Promise<void>
  /** Never rejects. */
  ended: Promise<void>
  /** Fast shutdown: nobody is waited for, nothing committed is lost. */
  shutDown(): void
}

export function startServer(
  programs: PostgresPrograms,
  directory: string,
  settings: Record<string, string>,
  log: PostgresLog,
): PostgresServer {
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = programs.spawn('postgres', ['-D', directory, ...flags])
  const lastWords: string[] = []
  const ready = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  ready.promise.catch(() => {}) // who wants to know awaits it; nobody may
  child.stdin.end()
  child.stdout.resume()
  createInterface({ input: child.stderr }).on('line', (line) => {
    writeLog(log, line)
    if (line.includes('database system is ready to accept connections')) ready.resolve()
    lastWords.splice(0, lastWords.length - 9)
    lastWords.push(line)
  })
  child.on('error', ready.reject)
  child.on('close', (code, signal) => {
    ready.reject(new Error(`postgres ended (${signal ?? `exit code ${code}`}): ${lastWords.join('; ')}`))
    ended.resolve()
  })
  return {
    ready: ready.promise,
    ended: ended.promise,
    shutDown() {
      child.kill('SIGINT')
    },
  }
}

function writeLog(log: PostgresLog, line: string): void {
  const [, severity = 'LOG', text = line] = /^([A-Z]+): {2}(.*)/.exec(line) ?? []
  log[severity === 'FATAL' || severity === 'PANIC' ? 'warn' : 'info']('postgres says', { severity, text })
}

/** Restarts the server whenever it ends, until the returned function is called, which waits for its end. */
export function keepRunning(
  first: PostgresServer,
  restart: () => Promise<PostgresServer>,
  log: PostgresLog,
): () => Promise<void> {
  const stopping = new AbortController()
  let server = first
  // The last thing that a process does which ends without `stop`; a kill -9 leaves postgres to the next start.
  const atExit = () => server.shutDown()
  process.on('exit', atExit)
  const watching = watch()

  async function watch(): Promise<void> {
    for (let failures = 0; ; failures++) {
      await server.ended
      if (stopping.signal.aborted) return
      log.error('postgres ended, restarting it', { failures })
      await pause(failures)
      failures = (await tryRestart()) ? -1 : failures
    }
  }

  /** Backends may outlive their postmaster for a moment, and postgres will not start before they are gone. */
  async function pause(failures: number): Promise<void> {
    await delay(Math.min(100 * failures, 5000), undefined, { signal: stopping.signal }).catch(() => {})
  }

  async function tryRestart(): Promise<boolean> {
    try {
      const next = await restart()
      server = next
      if (stopping.signal.aborted) next.shutDown()
      await next.ready
      log.info('postgres restarted')
      return true
    } catch (error) {
      log.error('postgres did not start', { error })
      return false
    }
  }

  return async () => {
    stopping.abort()
    server.shutDown()
    await watching
    process.off('exit', atExit)
  }
}
