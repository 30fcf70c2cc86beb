import { below, type Json, list, record } from './rule.ts'

type Kind = 'operation' | 'parameter' | 'body' | 'response' | 'header' | 'media' | 'schema'

/** Something of OpenAPI, and where it is. */
export interface Part {
  kind: Kind
  pointer: string
  value: Json
}

export interface OperationPart extends Part {
  path: string
  method: string
}

export const integrationKey = 'x-amazon-apigateway-integration'
export const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'x-amazon-apigateway-any-method']

/** Where others stand inside of one: under a name, in a map or in a list. What extensions hold is not looked into. */
const inside: Record<Kind, { one?: Record<string, Kind>; map?: Record<string, Kind>; list?: Record<string, Kind> }> = {
  operation: { one: { requestBody: 'body' }, map: { responses: 'response' }, list: { parameters: 'parameter' } },
  parameter: { one: { schema: 'schema' }, map: { content: 'media' } },
  body: { map: { content: 'media' } },
  response: { map: { content: 'media', headers: 'header' } },
  header: { one: { schema: 'schema' }, map: { content: 'media' } },
  media: { one: { schema: 'schema' } },
  schema: {
    one: { items: 'schema', not: 'schema', additionalProperties: 'schema' },
    map: { properties: 'schema' },
    list: { allOf: 'schema', anyOf: 'schema', oneOf: 'schema' },
  },
}

const components = {
  schemas: 'schema',
  responses: 'response',
  parameters: 'parameter',
  requestBodies: 'body',
  headers: 'header',
} as const

export const operationsIn = (document: Json): OperationPart[] =>
  Object.entries(record(document.paths)).flatMap(([path, item]) =>
    methods
      .filter((method) => method in record(item))
      .map((method) => ({
        kind: 'operation',
        path,
        method,
        pointer: below('/paths', path, method),
        value: record(record(item)[method]),
      })),
  )

/** Everything of a kind, wherever it stands. */
export function partsIn(document: Json, kind?: Kind): Part[] {
  const shared = Object.entries(components).flatMap(([group, groupKind]) =>
    inMap(record(document.components)[group], below('/components', group), groupKind),
  )
  const ofPaths = Object.entries(record(document.paths)).flatMap(([path, item]) =>
    inList(record(item).parameters, below('/paths', path, 'parameters'), 'parameter'),
  )
  const all = [...operationsIn(document), ...shared, ...ofPaths].flatMap(withInside)
  return kind ? all.filter((part) => part.kind === kind) : all
}

function withInside(part: Part): Part[] {
  const { one = {}, map = {}, list: lists = {} } = inside[part.kind]
  const { pointer, value } = part
  const found = [
    ...Object.entries(one).flatMap(([key, kind]) =>
      typeof value[key] === 'object' ? [{ kind, pointer: below(pointer, key), value: record(value[key]) }] : [],
    ),
    ...Object.entries(map).flatMap(([key, kind]) => inMap(value[key], below(pointer, key), kind)),
    ...Object.entries(lists).flatMap(([key, kind]) => inList(value[key], below(pointer, key), kind)),
  ]
  return [part, ...found.flatMap(withInside)]
}

const inMap = (map: unknown, pointer: string, kind: Kind): Part[] =>
  Object.entries(record(map)).map(([name, value]) => ({ kind, pointer: below(pointer, name), value: record(value) }))

const inList = (items: unknown, pointer: string, kind: Kind): Part[] =>
  list(items).map((value, index) => ({ kind, pointer: below(pointer, index), value: record(value) }))

/** What a reference within the document leads to, if anything. */
export const dereferenced = (document: Json, reference: string): unknown =>
  reference
    .slice(2)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((at, step) => record(at)[step], document)

/** The parameters of an operation and of its path, wherever they are written. */
export const parametersOf = (document: Json, { path, value }: OperationPart): Json[] =>
  [...list(record(record(document.paths)[path]).parameters), ...list(value.parameters)].map((parameter) => {
    const { $ref } = record(parameter)
    return record($ref === undefined ? parameter : dereferenced(document, String($ref)))
  })
