import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { atEnd } from './at-end.ts'

export const admin = { email: 'admin@reef.example', password: 'slow-tides-carry-sand' }

/** What was compiled for one process is not compiled again for the next. No program of ours reads it. */
export const compiled = { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }

const children = new Set<ChildProcess>()
const folders = new Set<string>()

atEnd(async () => {
  // Not killed: a service that is leaves its database running.
  await Promise.all([...children].filter(isAlive).map((child) => end(child, 'SIGTERM')))
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

const isAlive = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null

/** A folder that goes when the tests are over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fieldstation-process-'))
  folders.add(folder)
  return folder
}

export interface ServiceProcess {
  url: string
  process: ChildProcess
  /** Until it has printed this. */
  printed(text: string): Promise<void>
  /** The first group of this, once it has been printed. */
  found(pattern: RegExp): Promise<string>
  /** All that it has printed so far. */
  output(): string
}

/** The service as `npm start` runs it, in a process of its own, without workers unless asked for. */
export const startServiceProcess = (environment: Record<string, string>): Promise<ServiceProcess> =>
  startBareServiceProcess({
    PORT: '0',
    LOCAL_WORKERS: '0',
    LOG_LEVEL: 'warn',
    ADMIN_EMAIL: admin.email,
    ADMIN_PASSWORD: admin.password,
    ...environment,
  })

/** The same with this configuration and no more. */
export async function startBareServiceProcess(env: Record<string, string>): Promise<ServiceProcess> {
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
    found: printed,
    output: () => output,
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

/** Runs a program to its end. */
export async function run(file: string, env: Record<string, string>): Promise<{ code: number | null; errors: string }> {
  const child = spawnNode(file, env)
  child.stdout!.resume()
  const [errors] = await Promise.all([text(child.stderr!), once(child, 'close')])
  return { code: child.exitCode, errors }
}

/** Ends a process, and gives how it ended. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
  const exit = once(child, 'exit')
  child.kill(signal)
  const [code, by] = (await exit) as [number | null, NodeJS.Signals | null]
  return code ?? by!
}

export function spawnNode(
  file: string,
  env: Record<string, string>,
  { args = [], stderr = 'pipe' }: { args?: string[]; stderr?: number | 'pipe' } = {},
): ChildProcess {
  const child = fork(file, args, { env: { ...env, ...compiled }, stdio: ['ignore', 'pipe', stderr, 'ipc'] })
  children.add(child)
  return child
}
