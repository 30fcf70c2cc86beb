import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A schema object of OpenAPI 3.0, or a reference to one. */
export type Schema = { $ref?: string; type?: string; [keyword: string]: unknown }
export type Reference = { $ref?: string }
export interface Example extends Reference {
  summary?: string
  value?: unknown
}
/** Has one example or, where it tells of several scenarios, their names and what each is. */
export interface Media {
  schema: Schema
  example?: unknown
  examples?: Record<string, Example>
}
export interface Body extends Reference {
  description?: string
  required?: boolean
  headers?: Record<string, Reference>
  content?: Record<string, Media>
}
export interface Parameter extends Reference {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  schema: Schema
}
export interface Operation {
  operationId: string
  tags: string[]
  parameters?: Parameter[]
  requestBody?: Body
  responses: Record<string, Body>
  security: Record<string, string[]>[]
  [key: string]: unknown
}
export interface ContractDocument {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: Record<string, Record<string, Schema>> & { schemas: Record<string, Schema> }
  [key: string]: unknown
}

const methods = ['get', 'put', 'post', 'patch', 'delete'] as const

/** Bundles `openapi/openapi.yml` into one document, each body with its example. */
export function bundleContract(): ContractDocument {
  const folder = mkdtempSync(join(tmpdir(), 'fieldstation-contract-'))
  try {
    const file = join(folder, 'openapi.json')
    const redocly = [
      'node_modules/@redocly/cli/bin/cli.js',
      'bundle',
      'source',
      '--config',
      'openapi/redocly.yaml',
      '-o',
      file,
    ]
    execFileSync(process.execPath, redocly, { env: { ...process.env, REDOCLY_TELEMETRY: 'off' }, stdio: 'pipe' })
    const document = JSON.parse(readFileSync(file, 'utf8')) as ContractDocument
    giveExamples(document)
    return document
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Every operation with its place, in the order of the contract. */
export function operationsOf(document: ContractDocument): { path: string; method: string; operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    methods.flatMap((method) => (item[method] ? [{ path, method, operation: item[method] }] : [])),
  )
}

/** Follows a local reference to what it names. */
export function dereference<T extends Reference>(document: ContractDocument, value: T): T {
  if (!value.$ref) return value
  const steps = value.$ref.replace(/^#\//, '').split('/')
  const found = steps.reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document)
  if (!found) throw new Error(`${value.$ref}: nothing there`)
  return dereference(document, found as T)
}

/** The component that a schema refers to, if it is a reference. */
export const componentName = (schema: Schema): string | undefined =>
  schema.$ref?.match(/^#\/components\/schemas\/(.+)$/)?.[1]

/**
 * Mock servers take examples from bodies, not from schemas: a body without any gets its schema's. Nor do all tools follow a reference
 * to an example, where a response is a reference itself: the bodies have their examples in them.
 */
function giveExamples(document: ContractDocument) {
  const bodies = operationsOf(document).flatMap(({ operation }) => [
    ...Object.values(operation.responses),
    ...(operation.requestBody ? [operation.requestBody] : []),
  ])
  const shared = Object.values(document.components.responses ?? {}) as Body[]
  for (const media of [...bodies, ...shared].flatMap((body) => Object.values(body.content ?? {}))) {
    const scenarios = Object.entries(media.examples ?? {})
    const own = dereference(document, media.schema).example
    if (scenarios.length === 0) {
      // What takes a file has none: JSON cannot say it.
      if (own !== undefined) media.example ??= own
    } else
      media.examples = Object.fromEntries(scenarios.map(([name, scenario]) => [name, dereference(document, scenario)]))
  }
  delete document.components.examples
}
