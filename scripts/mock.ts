/**
 * Serves the contract without a service: `npm run mock`. With `--proxy` (`npm run mock:proxy`) it stands in front of a
 * service instead, and refuses whatever breaks the contract, either way. `--port`, `--host` and, for the proxy,
 * `--upstream` say where; `--verbose` tells of each request.
 */
import { readFileSync } from 'node:fs'
import { onceStopped } from '../src/stop.ts'
import { type ContractDocument, operationsOf } from './generate/document.ts'
import { startFront } from './mock/front.ts'
import { describeMock, describeProxy } from './mock/greeting.ts'
import { readMockOptions } from './mock/options.ts'
import { startPrism } from './mock/prism.ts'
import { isBeyondJson } from './mock/traffic.ts'
import { runScript } from './usage.ts'

await runScript(async () => {
  const { host, port, upstream, isVerbose } = readMockOptions(process.argv.slice(2), process.env)
  const stopped = onceStopped()
  const contract = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as ContractDocument

  await using undo = new AsyncDisposableStack()
  const prism = await startPrism({ contract, upstream, isVerbose })
  undo.defer(() => prism.close())
  const bypass = upstream && { upstream, takes: isBeyondJson(contract) }
  const front = await startFront({ host, port, socketPath: prism.socketPath, bypass })
  undo.defer(() => front.close())

  const count = operationsOf(contract).length
  process.stdout.write(upstream ? describeProxy(front.url, upstream) : describeMock(front.url, count))
  await stopped
})
