import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CreateMockServerOptions,
  type CreateProxyServerOptions,
  createSingleProcessPrism,
} from '@stoplight/prism-cli/dist/util/createServer.js'
import type { ContractDocument } from '../generate/document.ts'
import { documentForMock, documentForProxy } from './mock-document.ts'

export interface PrismOptions {
  contract: ContractDocument
  /** What it forwards to. Without it, Prism makes its answers up from the contract's examples. */
  upstream: URL | undefined
  isVerbose: boolean
}

export interface Prism {
  /** Where it listens: a socket of the file system that nobody else can reach. */
  socketPath: string
  close(): Promise<void>
}

/** Prism, as `prism mock` and `prism proxy --errors` run it. */
export async function startPrism({ contract, upstream, isVerbose }: PrismOptions): Promise<Prism> {
  await using undo = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'fieldstation-prism-'))
  undo.defer(() => rm(folder, { recursive: true, force: true }))
  const socketPath =
    process.platform === 'win32' ? `\\\\.\\pipe\\fieldstation-prism-${randomUUID()}` : join(folder, 'prism.sock')

  const document = join(folder, 'openapi.json')
  await writeFile(document, JSON.stringify(upstream ? documentForProxy(contract) : documentForMock(contract)))
  const server = await createSingleProcessPrism(upstream ? proxyOptions(upstream) : mockOptions())
  if (!server) throw new Error('Prism gave no server.')
  undo.defer(() => server.close())
  const opened = undo.move()
  return { socketPath, close: () => opened.disposeAsync() }

  function mockOptions(): CreateMockServerOptions {
    return {
      document,
      host: '127.0.0.1',
      // It is handed on to `listen`, which takes a path as well. Prism would not tell which free port it was given.
      port: socketPath as unknown as number,
      cors: true,
      dynamic: false,
      errors: false,
      ignoreExamples: false,
      jsonSchemaFakerFillProperties: false,
      multiprocess: false,
      seed: 'fieldstation',
      verboseLevel: isVerbose ? 'info' : 'warn',
    }
  }

  function proxyOptions(to: URL): CreateProxyServerOptions {
    return { ...mockOptions(), errors: true, upstream: to, upstreamProxy: undefined, validateRequest: true }
  }
}
