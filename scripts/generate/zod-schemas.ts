import { type ContractDocument, componentName, type Schema } from './document.ts'

/** Everything a schema may say here. A contract that says more fails to generate, so it never promises what is not checked. */
const checked = [
  ...['type', 'format', 'enum', 'nullable', 'pattern', 'minLength', 'maxLength'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  ...['items', 'minItems', 'maxItems', 'uniqueItems'],
  ...[
    'properties',
    'required',
    'additionalProperties',
    'minProperties',
    'maxProperties',
    'oneOf',
    'anyOf',
    'discriminator',
  ],
]
const annotations = ['title', 'description', 'example', 'deprecated']
const known = new Set([...checked, ...annotations, 'default', '$ref'])

const formats: Record<string, string> = {
  uuid: 'z.guid()',
  email: 'email()',
  uri: 'uri()',
  'date-time': 'z.iso.datetime({ offset: true })',
}
/** Formats that tell people something and programs nothing. */
const silentFormats = ['password']

const json = (value: unknown) => JSON.stringify(value)

/** `generated/schemas.ts`: a zod schema for each component, each after those that it refers to. */
export function schemasSource(document: ContractDocument): string {
  const names = dependencyOrder(document.components.schemas)
  const declarations = names.map((name) => {
    const source = zodSource(document.components.schemas[name]!, name)
    return `export const ${name}Schema = ${source}.openapi(${json(name)})`
  })
  return [
    `import { z } from '@hono/zod-openapi'`,
    `import { email, uniqueItems, uri } from '../src/http/formats.ts'`,
    ...declarations,
    `/** Every component, each after those that it refers to. */`,
    `export const components = { ${names.map((name) => `${name}: ${name}Schema`).join(', ')} }`,
  ].join('\n\n')
}

/** The zod expression of one schema. `at` names the place for error messages. */
export function zodSource(schema: Schema, at: string): string {
  const name = componentName(schema)
  if (name) return `${name}Schema`
  for (const keyword of Object.keys(schema)) {
    if (!known.has(keyword) && !keyword.startsWith('x-')) throw new Error(`${at}: unknown schema keyword "${keyword}"`)
  }
  const source = baseSource(schema, at) + (schema.nullable ? '.nullable()' : '')
  const meta = metadata(schema)
  return Object.keys(meta).length > 0 ? `${source}.openapi(${json(meta)})` : source
}

/** What zod would lose on the way back to OpenAPI. */
function metadata(schema: Schema): Record<string, unknown> {
  const keep = [...annotations, 'minProperties', 'maxProperties', 'uniqueItems', 'discriminator']
  const kept = Object.entries(schema).filter(([keyword]) => keep.includes(keyword) || keyword.startsWith('x-'))
  if (formats[schema.format as string] || silentFormats.includes(schema.format as string))
    kept.push(['format', schema.format])
  return Object.fromEntries(kept)
}

function baseSource(schema: Schema, at: string): string {
  if (schema.enum) return enumSource(schema.enum as unknown[], at)
  if (schema.oneOf) return discriminatedSource(schema, at)
  if (schema.anyOf) return `z.union([${(schema.anyOf as Schema[]).map((option) => zodSource(option, at)).join(', ')}])`
  switch (schema.type) {
    case 'string':
      return stringSource(schema, at)
    case 'integer':
    case 'number':
      return numberSource(schema)
    case 'boolean':
      return 'z.boolean()'
    case 'array':
      return arraySource(schema, at)
    case 'object':
      return objectSource(schema, at)
  }
  throw new Error(`${at}: a schema needs a type (found ${json(schema.type)})`)
}

function enumSource(values: unknown[], at: string): string {
  if (!values.every((value) => typeof value === 'string')) throw new Error(`${at}: an enum holds strings`)
  return `z.enum(${json(values)})`
}

/** A union with a discriminator: only the member that it names is asked, and only that one complains. */
function discriminatedSource(schema: Schema, at: string): string {
  const property = (schema.discriminator as { propertyName?: string } | undefined)?.propertyName
  if (!property) throw new Error(`${at}: oneOf needs a discriminator`)
  const members = (schema.oneOf as Schema[]).map((option) => zodSource(option, at))
  return `z.discriminatedUnion(${json(property)}, [${members.join(', ')}])`
}

function stringSource(schema: Schema, at: string): string {
  const format = schema.format as string | undefined
  if (format && !formats[format] && !silentFormats.includes(format))
    throw new Error(`${at}: unknown format "${format}"`)
  const base = formats[format ?? ''] ?? 'z.string()'
  const pattern = schema.pattern ? `.regex(new RegExp(${json(schema.pattern)}))` : ''
  return base + call('min', schema.minLength) + call('max', schema.maxLength) + pattern
}

function numberSource(schema: Schema): string {
  const lower = schema.exclusiveMinimum === true ? 'gt' : 'min'
  const upper = schema.exclusiveMaximum === true ? 'lt' : 'max'
  const base = schema.type === 'integer' ? 'z.int()' : 'z.number()'
  return base + call(lower, schema.minimum) + call(upper, schema.maximum) + call('multipleOf', schema.multipleOf)
}

function arraySource(schema: Schema, at: string): string {
  if (!schema.items) throw new Error(`${at}: an array needs items`)
  const unique = schema.uniqueItems ? `.refine(uniqueItems, 'Items must differ from each other')` : ''
  return `z.array(${zodSource(schema.items as Schema, at)})${call('min', schema.minItems)}${call('max', schema.maxItems)}${unique}`
}

function objectSource(schema: Schema, at: string): string {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>)
  const required = new Set((schema.required ?? []) as string[])
  const rest = schema.additionalProperties
  const lines = properties.map(([name, property]) => {
    if (property.default !== undefined)
      throw new Error(`${at}.${name}: "default" is for parameters; let the description say it`)
    return `${json(name)}: ${zodSource(property, `${at}.${name}`)}${required.has(name) ? '' : '.optional()'}`
  })
  for (const name of required)
    if (!properties.some(([key]) => key === name)) throw new Error(`${at}: "${name}" is required but not there`)
  const isRecord = properties.length === 0 && typeof rest === 'object'
  const base = isRecord
    ? `z.record(z.string(), ${zodSource(rest as Schema, at)})`
    : `${rest === false ? 'z.strictObject' : 'z.looseObject'}({ ${lines.join(', ')} })`
  return base + countSource('>=', schema.minProperties, 'at least') + countSource('<=', schema.maxProperties, 'at most')
}

const countSource = (operator: string, count: unknown, words: string) =>
  count === undefined
    ? ''
    : `.refine((value) => Object.keys(value).length ${operator} ${count}, 'Needs ${words} ${count} members')`

const call = (method: string, value: unknown) => (value === undefined ? '' : `.${method}(${json(value)})`)

/** Names sorted so that each comes after all that it refers to. A circle is an error: zod could not express it plainly. */
export function dependencyOrder(schemas: Record<string, Schema>): string[] {
  const order: string[] = []
  const visit = (name: string, trail: string[]) => {
    if (order.includes(name)) return
    if (trail.includes(name)) throw new Error(`${[...trail, name].join(' → ')}: schemas go in a circle`)
    for (const next of references(schemas[name])) visit(next, [...trail, name])
    order.push(name)
  }
  for (const name of Object.keys(schemas).sort()) visit(name, [])
  return order
}

function references(value: unknown): string[] {
  if (!value || typeof value !== 'object') return []
  const own = componentName(value as Schema)
  const inner = Object.entries(value).filter(([key]) => key !== 'example' && key !== 'discriminator')
  return [...(own ? [own] : []), ...inner.flatMap(([, child]) => references(child))]
}
