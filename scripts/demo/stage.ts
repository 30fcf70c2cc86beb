import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../../src/config.ts'
import { startLocalWorkers } from '../../src/local-workers.ts'
import { createLog } from '../../src/log.ts'
import { startService } from '../../src/service.ts'
import type { Terminal } from './terminal.ts'

/** Everything that the story is played on. Disposing of it leaves nothing behind. */
export interface Stage extends AsyncDisposable {
  /** Where the service is. */
  baseUrl: string
  admin: { email: string; password: string }
  /** A directory that goes when the stage goes. */
  directory: string
}

export async function raiseStage(terminal: Terminal, signal: AbortSignal): Promise<Stage> {
  await using undo = new AsyncDisposableStack()
  terminal.heading('A service of its own')
  const startedAtMs = performance.now()

  const directory = await mkdtemp(join(tmpdir(), 'fieldstation-demo-'))
  undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  const admin = { email: 'admin@fieldstation.example', password: newPassword() }
  const config = readConfig({
    PORT: '0',
    DATA_DIR: join(directory, 'service'),
    ADMIN_EMAIL: admin.email,
    ADMIN_PASSWORD: admin.password,
    LOG_LEVEL: 'warn',
  })
  const log = createLog(config.LOG_LEVEL, 'fieldstation')

  const service = await terminal.during('Starting PostgreSQL and the API', () => startService(config, log))
  undo.defer(() => service.close())
  signal.throwIfAborted()
  const workers = await startLocalWorkers({ count: 1, service, logLevel: config.LOG_LEVEL, log })
  undo.defer(() => workers.stop())

  terminal.done(`PostgreSQL, the API and one worker run at ${service.url}`, performance.now() - startedAtMs)
  const raised = undo.move()
  return { baseUrl: service.url, admin, directory, [Symbol.asyncDispose]: () => raised.disposeAsync() }
}

export const newPassword = () => randomBytes(18).toString('base64url')
