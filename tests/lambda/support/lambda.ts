import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from 'aws-lambda'
import { afterAll } from 'vitest'
import { buildLambda } from '../../../scripts/lambda/build.ts'
import type { Ending, Invocation, Outcome } from './runtime.ts'

/** One instance of the function. */
export interface Lambda {
  /** Calls a handler that answers whole. Throws what the runtime would report. */
  invoke<Result>(handler: string, event: unknown, options?: { remainingMs?: number }): Promise<Result>
  /** Calls one that streams. The bytes begin with status and headers. */
  stream(handler: string, event: unknown, options?: { remainingMs?: number }): ReadableStream<Uint8Array>
  /** How the last invocation ended. */
  lastEnding(): Ending | undefined
  process: ChildProcess
  /** All that it has logged so far. */
  logged(): string
}

/** Builds the functions as `npm run build:lambda` does, for the tests of one file. */
export async function buildForTests() {
  const outdir = await mkdtemp(join(tmpdir(), 'fieldstation-lambda-'))
  afterAll(() => rm(outdir, { recursive: true, force: true }))
  const functions = await buildLambda({ outdir })
  return { ...functions, bundle: functions.service.file }
}

/** Starts an instance, with this configuration and no more. Call it at the top of a test file. */
export async function startLambda(bundle: string, env: Record<string, string>): Promise<Lambda> {
  const child = fork(new URL('runtime.ts', import.meta.url), {
    env: { BUNDLE: bundle, LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  afterAll(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    // Also one that a failed test has left frozen.
    child.kill('SIGKILL')
    await exit
  })
  let log = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const underWay = new Map<number, { piece(bytes: Uint8Array): void; end(ending: Ending): void }>()
  let count = 0
  let lastEnding: Ending | undefined
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    child.stderr!.once('close', () => reject(new Error(`The function did not start:\n${log}`)))
  })
  child.on('message', (outcome: Outcome) => {
    const waiting = underWay.get(outcome.id)
    if ('piece' in outcome) return waiting?.piece(Buffer.from(outcome.piece, 'base64'))
    lastEnding = outcome.end
    waiting?.end(outcome.end)
    underWay.delete(outcome.id)
  })
  const call = (handler: string, event: unknown, remainingMs = 30_000) => {
    count += 1
    child.send({ id: count, handler, event, remainingMs } satisfies Invocation)
    return count
  }

  return {
    process: child,
    logged: () => log,
    lastEnding: () => lastEnding,
    invoke: (handler, event, { remainingMs } = {}) =>
      new Promise((resolve, reject) => {
        underWay.set(call(handler, event, remainingMs), {
          piece: () => {},
          end: ({ error, result }) => (error === undefined ? resolve(result as never) : reject(new Error(error))),
        })
      }),
    stream: (handler, event, { remainingMs } = {}) =>
      new ReadableStream({
        start(controller) {
          underWay.set(call(handler, event, remainingMs), {
            piece: (bytes) => controller.enqueue(bytes),
            end: ({ error }) => (error === undefined ? controller.close() : controller.error(new Error(error))),
          })
        },
      }),
  }
}

/** What the runtime gives a handler, as far as ours look at it. */
export const contextOf = (remainingMs: number) =>
  ({ callbackWaitsForEmptyEventLoop: true, getRemainingTimeInMillis: () => remainingMs }) as Context
