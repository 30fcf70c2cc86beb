import { type ContractDocument, dereference, type Operation, type Parameter, type Schema } from './document.ts'

/** Whose credentials a sample shows: the first that can be had with the least. */
export type Credential = 'none' | 'token' | 'apiKey' | 'assignmentToken'

/** A request that an operation takes, made of the contract's examples: what is required, and what makes a write safe. */
export interface ExampleRequest {
  operationId: string
  method: string
  baseUrl: string
  /** The path and query, filled in. */
  target: string
  path: Record<string, unknown>
  query: Record<string, unknown>
  headers: Record<string, string>
  body?: ExampleBody
  credential: Credential
  /** The media type of the answer that is hoped for. */
  answer: string | undefined
}

export interface ExampleBody {
  type: string
  schema: Schema
  example: unknown
}

/** The parts of a form that are files, by their names; of its example they have the name of the file. */
export const filesOf = ({ type, schema }: ExampleBody): string[] =>
  type === 'multipart/form-data'
    ? Object.entries((schema.properties ?? {}) as Record<string, Schema>).flatMap(([name, { format }]) =>
        format === 'binary' ? [name] : [],
      )
    : []

/** What nobody has to send with a write and everybody should. */
const recommended = ['Idempotency-Key', 'If-Match']

export function exampleRequest(
  document: ContractDocument,
  path: string,
  method: string,
  operation: Operation,
): ExampleRequest {
  const all = (operation.parameters ?? []).map((parameter) => dereference(document, parameter))
  const isWrite = method !== 'get'
  const shown = all.filter(({ name, required }) => required || (isWrite && recommended.includes(name)))
  const examplesIn = (place: Parameter['in']) =>
    Object.fromEntries(
      shown.filter((one) => one.in === place).map((one) => [one.name, exampleOf(document, operation, one)]),
    )
  const [inPath, query] = [examplesIn('path'), examplesIn('query')]
  const headers = Object.entries(examplesIn('header')).map(([name, value]) => [name, String(value)])
  const body = bodyOf(document, operation)
  return {
    operationId: operation.operationId,
    method: method.toUpperCase(),
    baseUrl: (document.servers as { url: string }[])[0]!.url,
    target: targetOf(path, inPath, query),
    path: inPath,
    query,
    headers: Object.fromEntries(headers),
    ...(body && { body }),
    credential: credentialOf(operation),
    answer: answerOf(document, operation),
  }
}

function targetOf(path: string, inPath: Record<string, unknown>, query: Record<string, unknown>): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(inPath[name])))
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)])),
  ).toString()
  return search ? `${filled}?${search}` : filled
}

function bodyOf(document: ContractDocument, { requestBody }: Operation): ExampleBody | undefined {
  const content = requestBody && dereference(document, requestBody).content
  const [media] = Object.entries(content ?? {})
  if (!media) return undefined
  const [type, { schema, example, examples = {} }] = media
  const [first] = Object.values(examples)
  return {
    type,
    schema: dereference(document, schema),
    example: example ?? (first && dereference(document, first).value),
  }
}

function credentialOf({ security, ...operation }: Operation): Credential {
  const takes = (scheme: string) => security.some((requirement) => scheme in requirement)
  if (security.length === 0) return 'none'
  if (takes('assignmentToken')) return 'assignmentToken'
  const scopes = (operation['x-scopes'] ?? []) as string[]
  const isWork = takes('apiKey') && scopes.length === 1 && scopes[0] === 'jobs:work'
  return takes('bearerAuth') && !isWork ? 'token' : 'apiKey'
}

function answerOf(document: ContractDocument, { responses }: Operation): string | undefined {
  const good = Object.entries(responses).filter(([status]) => status.startsWith('2'))
  return good.flatMap(([, response]) => Object.keys(dereference(document, response).content ?? {}))[0]
}

function exampleOf(document: ContractDocument, { operationId }: Operation, parameter: Parameter): unknown {
  const { example } = parameter as { example?: unknown }
  const found = example ?? dereference(document, parameter.schema).example
  if (found === undefined) throw new Error(`${operationId} ${parameter.name}: a sample needs an example`)
  return found
}
