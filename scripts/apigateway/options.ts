import { parseArgs } from 'node:util'
import { UsageError } from '../usage.ts'
import type { Authorizer } from './authorizers.ts'
import type { GatewayOptions } from './document.ts'
import { defaultFunctions, type Functions } from './integrations.ts'

export type Command =
  | { kind: 'help' }
  | { kind: 'check'; file: string }
  | { kind: 'export'; out: string; options: GatewayOptions }

export const help = `Writes the contract as API Gateway imports it into a REST API.

  npm run export:apigateway -- [options]

  --out FILE                     where to; - is standard output. dist/apigateway.json unless told otherwise
  --check FILE                   write nothing, and say what the import would refuse or drop of a document, JSON or YAML
  --cors-origin ORIGIN           a page that may call from a browser, as often as there are such pages; * (any) unless told otherwise

  --authorizer KIND              who looks at credentials before the service: none (unless told otherwise), cognito or lambda
  --cognito-user-pool-arn ARN    with cognito: the user pool
  --authorizer-function NAME     with lambda: the function; ${defaultFunctions.authorizer} unless told otherwise
  --authorizer-cache SECONDS     with lambda: how long its answers are remembered; 0 unless told otherwise. API keys then have to come as
                                 bearer tokens

  --function NAME[:ALIAS]        the function; the stage variable apiFunction unless told otherwise
  --stream-function NAME[:ALIAS] the one that streams; the stage variable streamFunction unless told otherwise
  --region REGION --account ID   where they are; those of the import unless told otherwise
  --help                         this
`

const text = { type: 'string' } as const
const known = {
  out: text,
  check: text,
  'cors-origin': { type: 'string', multiple: true },
  authorizer: text,
  'cognito-user-pool-arn': text,
  'authorizer-function': text,
  'authorizer-cache': text,
  function: text,
  'stream-function': text,
  region: text,
  account: text,
  help: { type: 'boolean' },
} as const

const parse = (args: string[]) => parseArgs({ args, options: known }).values
type Values = ReturnType<typeof parse>

/** What the command line asks for. Throws a `UsageError` where it makes no sense. */
export function readCommand(args: string[]): Command {
  const values = parse(args)
  if (values.help) return { kind: 'help' }
  if (values.check !== undefined) {
    if (Object.keys(values).length > 1) throw new UsageError('--check goes with no other option')
    return { kind: 'check', file: values.check }
  }
  const options = {
    authorizer: authorizerOf(values),
    corsOrigins: originsOf(values['cors-origin'] ?? ['*']),
    functions: functionsOf(values),
  }
  return { kind: 'export', out: values.out ?? 'dist/apigateway.json', options }
}

function authorizerOf(values: Values): Authorizer {
  const kind = values.authorizer ?? 'none'
  const arn = values['cognito-user-pool-arn']
  if (!['none', 'cognito', 'lambda'].includes(kind))
    throw new UsageError(`--authorizer is none, cognito or lambda, not ${kind}`)
  if (kind !== 'cognito' && arn !== undefined)
    throw new UsageError('--cognito-user-pool-arn goes with --authorizer cognito')
  for (const name of ['authorizer-function', 'authorizer-cache'] as const) {
    if (kind !== 'lambda' && values[name] !== undefined) throw new UsageError(`--${name} goes with --authorizer lambda`)
  }
  if (kind === 'lambda') return { kind, cacheSeconds: cacheSecondsOf(values['authorizer-cache'] ?? '0') }
  if (kind === 'none') return { kind }
  if (arn === undefined) throw new UsageError('--authorizer cognito needs --cognito-user-pool-arn')
  if (!/^arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:\d{12}:userpool\/[\w-]+$/.test(arn))
    throw new UsageError(`--cognito-user-pool-arn is arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID, not ${arn}`)
  return { kind: 'cognito', userPoolArn: arn }
}

function cacheSecondsOf(seconds: string): number {
  if (!/^\d{1,4}$/.test(seconds) || Number(seconds) > 3600)
    throw new UsageError(`--authorizer-cache is a number of seconds from 0 to 3600, not ${seconds}`)
  return Number(seconds)
}

function originsOf(origins: string[]): string[] {
  if (origins.includes('*') && origins.length > 1)
    throw new UsageError('--cors-origin is either * or names origins, not both')
  const wrong = origins.find((origin) => origin !== '*' && !isOrigin(origin))
  if (wrong !== undefined)
    throw new UsageError(`--cors-origin is * or an origin like https://console.example, not ${wrong}`)
  return [...new Set(origins)]
}

/** Without a path, in the very writing that browsers use, and with nothing in it that would end a text of the document. */
const isOrigin = (origin: string) =>
  /^https?:\/\/[\w.:[\]-]+$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin

function functionsOf(values: Values): Functions {
  const { region, account } = values
  for (const name of ['function', 'stream-function', 'authorizer-function'] as const) {
    const value = values[name]
    if (value !== undefined && !/^[\w-]{1,64}(:[\w-]{1,128})?$/.test(value))
      throw new UsageError(`--${name} is the name of a function, with :ALIAS or without, not ${value}`)
  }
  if ((region === undefined) !== (account === undefined)) throw new UsageError('--region and --account go together')
  if (region !== undefined && !/^[a-z]+(-[a-z]+)+-\d$/.test(region))
    throw new UsageError(`--region is one like eu-central-1, not ${region}`)
  if (account !== undefined && !/^\d{12}$/.test(account))
    throw new UsageError(`--account is a number of 12 digits, not ${account}`)
  return {
    ...defaultFunctions,
    ...(values.function && { api: values.function }),
    ...(values['stream-function'] && { stream: values['stream-function'] }),
    ...(values['authorizer-function'] && { authorizer: values['authorizer-function'] }),
    ...(region && account && { region, account, partition: partitionOf(region) }),
  }
}

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}
