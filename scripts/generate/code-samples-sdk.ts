import { type Credential, type ExampleBody, type ExampleRequest, filesOf } from './code-samples-request.ts'
import { type SdkMethod, sdkMethod } from './code-samples-signatures.ts'
import { scriptNotation, variableNamed, written, writtenCall } from './code-samples-text.ts'

const credentials: Record<Credential, string | undefined> = {
  none: undefined,
  token: 'token: process.env.TOKEN',
  apiKey: 'apiKey: process.env.API_KEY',
  assignmentToken: 'token: process.env.ASSIGNMENT_TOKEN',
}

/** What the SDK calls a header among its options. */
const headerOptions: Record<string, string> = { 'Idempotency-Key': 'idempotencyKey', 'If-Match': 'ifMatch' }

/** The request as a call of the SDK; `undefined` where that has no such method (yet: a test misses it). */
export function sdkSample(request: ExampleRequest, name: string | undefined): string | undefined {
  const method = name ? sdkMethod(name) : undefined
  if (!name || !method) return undefined
  const { before, after } = frameOf(name, method)
  const call = writtenCall(`client.${name}`, argumentsOf(request, method), before.length)
  const files = filesToOpen(request)
  const imports = [
    ...(files.length > 0 ? ["import { openAsBlob } from 'node:fs'"] : []),
    "import { createClient } from '@fieldstation/sdk'",
  ]
  return `${imports.join('\n')}

${clientOf(request)}

${files.join('')}${before}${call}${after}
`
}

function filesToOpen({ body }: ExampleRequest): string[] {
  const files = body ? filesOf(body) : []
  return files.map((name) => `const ${name} = await openAsBlob(${written(fileName(body!, name), scriptNotation)})\n`)
}

const fileName = ({ example }: ExampleBody, name: string) => (example as Record<string, string>)[name]!

function clientOf({ baseUrl, credential }: ExampleRequest): string {
  const at = `baseUrl: ${written(baseUrl, scriptNotation)}`
  const as = credentials[credential]
  return as ? `const client = createClient({\n  ${at},\n  ${as},\n})` : `const client = createClient({ ${at} })`
}

/** What the method gives says how to take it. */
function frameOf(name: string, { returns }: SdkMethod): { before: string; after: string } {
  const [, outer = '', inner = ''] = /^(\w+)<(.*)>$/s.exec(returns) ?? []
  if (outer === 'AsyncGenerator') {
    const item = variable(inner)
    return { before: `for await (const ${item} of `, after: `) {\n  console.log(${item})\n}` }
  }
  if (inner === 'void') return { before: 'await ', after: '' }
  if (/^Page</.test(inner)) {
    return { before: 'const { items, nextCursor } = await ', after: '\nconsole.log(items, nextCursor)' }
  }
  if (inner === 'Response') {
    return { before: 'const response = await ', after: '\nconsole.log(await response.blob())' }
  }
  // What has no name of its own is called like the method.
  const result = /^(Record<|\{)/.test(inner) ? name.split('.')[1]! : variable(inner)
  return { before: `const ${result} = await `, after: `\nconsole.log(${result})` }
}

/** `Job<T>` → `job`, `Claim[]` → `claims`, `JobEvent, void, undefined` → `jobEvent`. */
function variable(type: string): string {
  const [, name = type] = /^(\w+)/.exec(type) ?? []
  const camel = name[0]!.toLowerCase() + name.slice(1)
  return type.endsWith('[]') ? `${camel}s` : camel
}

/** The SDK takes path parameters by name, then the body or the one member that it has, the query, and options. */
function argumentsOf(request: ExampleRequest, { parameters }: SdkMethod): unknown[] {
  const values = parameters.map((name) => argumentOf(request, name))
  while (values.length > 0 && values.at(-1) === undefined) values.pop()
  return values
}

function argumentOf({ operationId, path, query, headers, body }: ExampleRequest, name: string): unknown {
  if (name in path) return path[name]
  if (name === 'query') return orNothing(query)
  if (name === 'options') {
    const named = Object.entries(headers).filter(([header]) => header in headerOptions)
    return orNothing(Object.fromEntries(named.map(([header, value]) => [headerOptions[header], value])))
  }
  if (!body) throw new Error(`${operationId}: the SDK asks for "${name}", which the contract does not name`)
  const files = filesOf(body)
  if (files.includes(name)) return variableNamed(name)
  if (files.length > 0) return aboutFile(body, files[0]!)
  const members = Object.keys(body.schema.properties ?? {})
  const isUnwrapped = members.length === 1 && members[0] === name
  return isUnwrapped ? (body.example as Record<string, unknown>)[name] : body.example
}

/** What a form says beside its file, and the name of that: a Blob has none. */
function aboutFile(body: ExampleBody, file: string): object {
  const { [file]: name, ...rest } = body.example as Record<string, unknown>
  return { name, ...rest }
}

const orNothing = (members: object) => (Object.keys(members).length > 0 ? members : undefined)
