import { type ChildProcess, fork } from 'node:child_process'
import { afterAll } from 'vitest'
import { compiled, end, temporaryFolder } from '../support/processes.ts'

export interface MockProcess {
  url: string
  process: ChildProcess
  /** All that it has printed so far. */
  output(): string
}

const running = new Set<ChildProcess>()

afterAll(async () => {
  // Its folder goes with the tests: there is nothing that it would leave behind.
  for (const child of running) if (child.exitCode === null && child.signalCode === null) await end(child, 'SIGKILL')
})

/** `npm run mock` on a free port, with these options. Given once it says where it is. */
export async function startMock(args: string[] = [], folder?: string): Promise<MockProcess> {
  const child = forkMock(['--port', '0', ...args], { TMPDIR: folder ?? (await temporaryFolder()) })
  let output = ''
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk
        const [, url] = /is at (http:\/\/127\.0\.0\.1:\d+)/.exec(output) ?? []
        if (url) resolve({ url, process: child, output: () => output })
      })
    child.once('exit', (code, signal) => reject(new Error(`The mock ended with ${code ?? signal}:\n${output}`)))
  })
}

export function forkMock(args: string[], env: Record<string, string> = {}): ChildProcess {
  const child = fork('scripts/mock.ts', args, {
    env: { ...env, ...compiled },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  running.add(child)
  return child
}
