import { type ChildProcess, fork } from 'node:child_process'
import { tmpdir } from 'node:os'
import type { Log } from './log.ts'
import type { RunningService } from './service.ts'

export interface LocalWorkersOptions {
  count: number
  service: Pick<RunningService, 'url' | 'workerKey'>
  logLevel: string
  log: Log
}

const restartMs = 2000

/** Workers beside the service, each a process of its own that knows only a URL and an API key. One that dies is started again. */
export async function startLocalWorkers({ count, service, logLevel, log }: LocalWorkersOptions) {
  const children = new Set<ChildProcess>()
  let isStopping = false
  if (count === 0) return { stop: async () => {} }

  const environment = {
    FIELDSTATION_URL: service.url,
    FIELDSTATION_API_KEY: await service.workerKey(),
    LOG_LEVEL: logLevel,
    TMPDIR: tmpdir(),
    // Whoever stops the service at a terminal does not want to wait for a long job: it is given back.
    WORKER_DRAIN_SECONDS: '2',
  }
  const start = (name: string) => {
    const child = fork(new URL('./main/worker.ts', import.meta.url), {
      env: { ...environment, WORKER_NAME: name },
      // Out of the terminal's process group: Ctrl-C is for the service to hear. Two signals would end a worker at once.
      detached: true,
    })
    children.add(child)
    child.once('exit', (code, signal) => {
      children.delete(child)
      if (isStopping) return
      log.warn('local worker ended, starting it again', { worker: name, code, signal })
      setTimeout(() => !isStopping && start(name), restartMs)
    })
  }
  for (let number = 1; number <= count; number++) start(`local-worker-${number}`)

  return {
    /** Lets them give back what they have not finished. */
    async stop() {
      isStopping = true
      await Promise.all([...children].map(ended))
    },
  }
}

function ended(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGTERM')
  })
}
