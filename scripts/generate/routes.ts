import {
  type Body,
  type ContractDocument,
  dereference,
  type Media,
  type Operation,
  operationsOf,
  type Parameter,
} from './document.ts'
import { zodSource } from './zod-schemas.ts'

const json = (value: unknown) => JSON.stringify(value)

/** `generated/routes.ts`: a route for each operation, static paths before templated ones. */
export function routesSource(document: ContractDocument): string {
  const operations = operationsOf(document).sort((a, b) => specificity(b.path).localeCompare(specificity(a.path)))
  const shared = Object.entries(document.components.responses ?? {}).map(
    ([name, response]) => `const ${name}Response = ${bodySource(document, response as Body, name)}`,
  )
  const routes = operations.map(({ path, method, operation }) => routeSource(document, path, method, operation))
  const schemas = Object.keys(document.components.schemas).map((name) => `${name}Schema`)
  const used = schemas.filter((name) => [...shared, ...routes].some((route) => new RegExp(`\\b${name}\\b`).test(route)))
  return [
    `import { z } from '@hono/zod-openapi'`,
    `import { anyOf, route, text, toBoolean, toNumber } from '../src/formats.ts'`,
    `import { ${used.sort().join(', ')} } from './schemas.ts'`,
    `const noQuery = z.strictObject({})`,
    ...shared,
    ...routes,
    `/** Operations that are open to everyone. */\nexport type PublicOperation = ${operations
      .filter(isPublic)
      .map(({ operation }) => json(operation.operationId))
      .join(' | ')}`,
    `/** Every route, in the order in which they must be registered. */\nexport const routes = { ${operations.map(({ operation }) => operation.operationId).join(', ')} }`,
  ].join('\n\n')
}

const isPublic = ({ operation }: { operation: Operation }) => operation.security.length === 0

/** Sorts `/jobs/poll` before `/jobs/{jobId}`: a templated segment ranks lowest. */
const specificity = (path: string) => path.replaceAll(/\{\w+\}/g, '\u0000')

function routeSource(document: ContractDocument, path: string, method: string, operation: Operation): string {
  const { operationId, parameters = [], requestBody, responses, security, ...rest } = operation
  const request = [
    ...parametersSource(document, operationId, parameters),
    ...(requestBody ? [`body: ${bodySource(document, dereference(document, requestBody), operationId)}`] : []),
  ]
  const replies = Object.entries(responses).map(
    ([status, response]) => `${json(status)}: ${responseName(response) ?? bodySource(document, response, operationId)}`,
  )
  const settings = Object.entries(rest).map(([key, value]) => `${json(key)}: ${json(value)},`)
  return `export const ${operationId} = route({
    method: ${json(method)}, path: ${json(path)}, operationId: ${json(operationId)}, ${settings.join(' ')} security: ${securitySource(security)},
    request: { ${request.join(', ')} },
    responses: { ${replies.join(', ')} },
  })`
}

/** Each scheme by itself lets a caller in. */
function securitySource(security: Record<string, string[]>[]): string {
  const names = security.map((requirement) => Object.keys(requirement))
  if (names.some(({ length }) => length !== 1)) throw new Error('security: one scheme to a requirement')
  return `anyOf(${names.flat().map(json).join(', ')})`
}

/** The query is always there and strict, so that an unknown parameter is refused by every operation. */
function parametersSource(document: ContractDocument, operationId: string, parameters: Parameter[]): string[] {
  const all = parameters.map((parameter) => dereference(document, parameter))
  const group = (place: Parameter['in']) =>
    all
      .filter((parameter) => parameter.in === place)
      .map((parameter) => parameterSource(document, operationId, parameter))
  const [path, query, header] = [group('path'), group('query'), group('header')]
  return [
    ...(path.length > 0 ? [`params: z.object({ ${path.join(', ')} })`] : []),
    `query: ${query.length > 0 ? `z.strictObject({ ${query.join(', ')} })` : 'noQuery'}`,
    ...(header.length > 0 ? [`headers: z.object({ ${header.join(', ')} })`] : []),
  ]
}

/**
 * Parameters arrive as text. What they mean goes by their schema, which goes into the document as it is. It is built when the operation
 * is first asked for, which is what a getter means to zod.
 */
function parameterSource(document: ContractDocument, operationId: string, parameter: Parameter): string {
  const { schema, ...param } = parameter
  const { default: preset, ...checked } = schema
  const convert = { integer: 'toNumber', number: 'toNumber', boolean: 'toBoolean' }[
    dereference(document, schema).type ?? ''
  ]
  const inner = zodSource(checked, `${operationId} ${parameter.name}`)
  const source = convert ? `z.preprocess(${convert}, ${inner})` : inner
  const optional = preset !== undefined ? `.default(${json(preset)})` : parameter.required ? '' : '.optional()'
  const told = json(convert ? { param, ...schema } : { param })
  return `get ${json(parameter.name)}() { return ${source}${optional}.openapi(${told} as never) }`
}

const responseName = (response: Body) => response.$ref?.replace(/^#\/components\/responses\/(.+)$/, '$1Response')

function bodySource(document: ContractDocument, body: Body, operationId: string): string {
  const members = [
    ...(body.description ? [`description: ${json(body.description)}`] : []),
    ...(body.required !== undefined ? [`required: ${body.required}`] : []),
    ...(body.headers ? [`headers: ${json(resolved(document, body.headers))}`] : []),
    ...(body.content
      ? [
          `content: { ${Object.entries(body.content)
            .map(([type, media]) => `${json(type)}: ${mediaSource(media, operationId)}`)
            .join(', ')} }`,
        ]
      : []),
  ]
  return `{ ${members.join(', ')} }`
}

function mediaSource({ schema, ...examples }: Media, operationId: string): string {
  const said = Object.entries(examples).map(([key, value]) => `, ${key}: ${json(value)}`)
  return `{ schema: ${zodSource(schema, operationId)}${said.join('')} }`
}

const resolved = (document: ContractDocument, headers: Record<string, { $ref?: string }>) =>
  Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, dereference(document, header)]))
