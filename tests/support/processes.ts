import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

export const admin = { email: 'admin@reef.example', password: 'slow-tides-carry-sand' }

/** A folder that goes when the tests are over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fieldstation-process-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface ServiceProcess {
  url: string
  process: ChildProcess
  /** Until it has printed this. */
  printed(text: string): Promise<void>
}

/** The service as `npm start` runs it, in a process of its own, without workers unless asked for. */
export async function startServiceProcess(environment: Record<string, string>): Promise<ServiceProcess> {
  const env = {
    PORT: '0',
    LOCAL_WORKERS: '0',
    LOG_LEVEL: 'warn',
    ADMIN_EMAIL: admin.email,
    ADMIN_PASSWORD: admin.password,
    ...environment,
  }
  const child = spawnNode('src/main/node.ts', env)
  let output = ''
  const printed = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const [, found = ''] = pattern.exec(output) ?? []
        if (pattern.test(output)) resolve(found)
      }
      for (const stream of [child.stdout!, child.stderr!]) stream.on('data', look)
      child.once('exit', (code, signal) => reject(new Error(`The service ended with ${code ?? signal}:\n${output}`)))
      look()
    })
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  const url = await printed(/ready at (\S+)/)
  return {
    url,
    process: child,
    printed: async (text) => void (await printed(new RegExp(`(${text})`))),
  }
}

/** Our worker as `npm run worker` runs it. Given as soon as it works. */
export async function startWorkerProcess(url: string, apiKey: string): Promise<ChildProcess> {
  const child = spawnNode('src/main/worker.ts', {
    FIELDSTATION_URL: url,
    FIELDSTATION_API_KEY: apiKey,
    LOG_LEVEL: 'info',
    WORKER_DRAIN_SECONDS: '0',
  })
  await new Promise<void>((resolve, reject) => {
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => chunk.includes('worker started') && resolve())
    child.once('exit', (code) => reject(new Error(`The worker ended with ${code}.`)))
  })
  return child
}

/** Ends a process, and gives how it ended. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
  const exit = once(child, 'exit')
  child.kill(signal)
  const [code, by] = (await exit) as [number | null, NodeJS.Signals | null]
  return code ?? by!
}

function spawnNode(file: string, env: Record<string, string>): ChildProcess {
  const child = fork(file, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  afterAll(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  })
  return child
}
