import { parseArgs } from 'node:util'
import { UsageError } from '../usage.ts'

export interface MockOptions {
  host: string
  port: number
  /** The service that the proxy stands in front of. Without it there is no service: everything is made up. */
  upstream: URL | undefined
  isVerbose: boolean
}

/** The proxy may stand beside the mock. */
const defaultPorts = { mock: '4010', proxy: '4011' }
const defaultUpstream = 'http://127.0.0.1:3000'

export function readMockOptions(args: string[], env: NodeJS.ProcessEnv): MockOptions {
  const { values } = parseArgs({
    args,
    options: {
      proxy: { type: 'boolean', default: false },
      upstream: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  })
  if (values.upstream !== undefined && !values.proxy)
    throw new UsageError('--upstream is for the proxy: npm run mock:proxy -- --upstream URL')
  return {
    host: values.host,
    port: toPort(values.port ?? (env.PORT || defaultPorts[values.proxy ? 'proxy' : 'mock'])),
    upstream: values.proxy ? toUpstream(values.upstream ?? defaultUpstream) : undefined,
    isVerbose: values.verbose,
  }
}

function toPort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new UsageError(`The port must be a number from 0 to 65535, not "${text}"`)
  return port
}

function toUpstream(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol))
    throw new UsageError(`--upstream must be the http or https address of a service, not "${text}"`)
  return url
}
