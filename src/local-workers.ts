import { type ChildProcess, fork } from 'node:child_process'
import { tmpdir } from 'node:os'
import type { Log } from './log.ts'
import type { RunningService } from './service.ts'

export interface LocalWorkersOptions {
  count: number
  service: Pick<RunningService, 'url' | 'workerKey'>
  logLevel: string
  log: Log
  /** What each of them runs. */
  program?: URL
  /** How long to wait before a worker that ended is started again: at first, and at most after it has ended again and again. */
  restartMs?: { first: number; longest: number }
  /** How long a worker may take to end before it is made to. */
  patienceMs?: number
}

export interface LocalWorkers {
  /** How many there are. */
  count: number
  /** Lets them give back what they have not finished. */
  stop(): Promise<void>
}

/** A worker that has lived so long did its work: it ended for a reason of its own, not for that of the time before. */
const steadyMs = 60_000

/** Workers beside the service, each a process of its own that knows only a URL and an API key. One that dies is started again. */
export function startLocalWorkers({
  count,
  service,
  logLevel,
  log,
  program = new URL('./main/worker.ts', import.meta.url),
  restartMs = { first: 2000, longest: 60_000 },
  patienceMs = 15_000,
}: LocalWorkersOptions): LocalWorkers {
  const { workerKey } = service
  if (count === 0 || workerKey === undefined) return { count: 0, stop: async () => {} }
  const children = new Set<ChildProcess>()
  let isStopping = false

  const environment = {
    FIELDSTATION_URL: service.url,
    FIELDSTATION_API_KEY: workerKey,
    LOG_LEVEL: logLevel,
    TMPDIR: tmpdir(),
    // Whoever stops the service at a terminal does not want to wait for a long job: it is given back.
    WORKER_DRAIN_SECONDS: '2',
  }
  const start = (name: string, pauseMs = restartMs.first) => {
    const startedAtMs = performance.now()
    const child = fork(program, {
      env: { ...environment, WORKER_NAME: name },
      // Out of the terminal's process group: Ctrl-C is for the service to hear. Two signals would end a worker at once.
      detached: true,
    })
    children.add(child)
    void ended(child).then(({ code, signal }) => {
      children.delete(child)
      if (isStopping) return
      const inMs = performance.now() - startedAtMs > steadyMs ? restartMs.first : pauseMs
      log.warn('local worker ended, starting it again', { worker: name, workerPid: child.pid, code, signal, inMs })
      setTimeout(() => !isStopping && start(name, Math.min(2 * inMs, restartMs.longest)), inMs).unref()
    })
    log.info('local worker started', { worker: name, workerPid: child.pid })
  }
  for (let number = 1; number <= count; number++) start(`local-worker-${number}`)

  return {
    count,
    async stop() {
      isStopping = true
      await Promise.all([...children].map((child) => end(child, patienceMs, log)))
    },
  }
}

/** A program that could not be started has ended, too. */
function ended(child: ChildProcess): Promise<{ code?: number | null; signal?: NodeJS.Signals | null }> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.on('error', () => child.pid === undefined && resolve({}))
  })
}

async function end(child: ChildProcess, patienceMs: number, log: Log): Promise<void> {
  const end = ended(child)
  child.kill('SIGTERM')
  const timer = setTimeout(() => {
    log.warn('local worker does not end, killing it', { workerPid: child.pid })
    child.kill('SIGKILL')
  }, patienceMs)
  await end
  clearTimeout(timer)
}
