import { type ContractDocument, componentName, type Schema } from './document.ts'

/**
 * What a schema of each kind may say. A contract that says more fails to generate, so it never promises what is not checked.
 */
const keywords = {
  string: ['type', 'nullable', 'format', 'pattern', 'minLength', 'maxLength'],
  integer: ['type', 'nullable', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  number: ['type', 'nullable', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  boolean: ['type', 'nullable'],
  array: ['type', 'nullable', 'items', 'minItems', 'maxItems', 'uniqueItems'],
  object: [
    ...['type', 'nullable', 'properties', 'required', 'additionalProperties'],
    ...['minProperties', 'maxProperties'],
  ],
  enum: ['type', 'enum'],
  oneOf: ['oneOf', 'discriminator'],
  anyOf: ['anyOf'],
}
type Kind = keyof typeof keywords

const annotations = ['title', 'description', 'example', 'deprecated']
/** What the document must repeat, and zod cannot say. */
const untold = ['minProperties', 'maxProperties', 'uniqueItems', 'discriminator']
const formats = ['uuid', 'email', 'uri', 'date-time', 'password', 'binary']

const json = (value: unknown) => JSON.stringify(value)

/**
 * `generated/schemas.ts`: a zod schema for each component, each after those that it refers to. Those with parts are built when they are
 * first asked: a request needs one or two of them, and all of them would be a fifth of what a process does to start.
 */
export function schemasSource(document: ContractDocument): string {
  const names = dependencyOrder(document.components.schemas)
  const declarations = names.map((name) => {
    const schema = document.components.schemas[name]!
    const source = zodSource(schema, name)
    return `export const ${name}Schema = ${hasParts(schema, name) ? `z.lazy(() => ${source})` : source}.openapi(${json(name)})`
  })
  return [
    `import { z } from '@hono/zod-openapi'`,
    `import { text, uniqueItems } from '../src/formats.ts'`,
    ...declarations,
    `/** Every component, each after those that it refers to. */\nexport const components = { ${names.map((name) => `${name}: ${name}Schema`).join(', ')} }`,
  ].join('\n\n')
}

/** The zod expression of one schema. `at` names the place for error messages. */
export function zodSource(schema: Schema, at: string): string {
  const name = componentName(schema)
  if (name) {
    const [beside] = Object.keys(schema).filter((keyword) => keyword !== '$ref')
    if (beside) throw new Error(`${at}: "${beside}" beside a $ref says nothing`)
    return `${name}Schema`
  }
  const kind = kindOf(schema, at)
  for (const keyword of Object.keys(schema)) {
    if (!keywords[kind].includes(keyword) && !annotations.includes(keyword) && !keyword.startsWith('x-'))
      throw new Error(`${at}: ${explainUnknown(keyword, kind)}`)
  }
  const source = sourceOf[kind](schema, at) + (schema.nullable ? '.nullable()' : '')
  const told = Object.entries(schema).filter(
    ([keyword]) => annotations.includes(keyword) || untold.includes(keyword) || keyword.startsWith('x-'),
  )
  return told.length > 0 ? `${source}.openapi(${json(Object.fromEntries(told))})` : source
}

/** Whether a schema is made of others. */
const hasParts = (schema: Schema, at: string): boolean =>
  !componentName(schema) && ['array', 'object', 'oneOf', 'anyOf'].includes(kindOf(schema, at))

function kindOf(schema: Schema, at: string): Kind {
  const kind = (['enum', 'oneOf', 'anyOf'] as const).find((keyword) => keyword in schema) ?? schema.type
  if (!kind || !(kind in keywords)) throw new Error(`${at}: a schema needs a type (found ${json(schema.type)})`)
  return kind as Kind
}

const explainUnknown = (keyword: string, kind: Kind) =>
  keyword === 'default'
    ? '"default" is for parameters; let the description say it'
    : `unknown schema keyword "${keyword}" (of ${kind})`

const sourceOf: Record<Kind, (schema: Schema, at: string) => string> = {
  string: stringSource,
  integer: numberSource,
  number: numberSource,
  boolean: () => 'z.boolean()',
  array: arraySource,
  object: objectSource,
  enum: enumSource,
  oneOf: discriminatedSource,
  anyOf: ({ anyOf }, at) => `z.union([${(anyOf as Schema[]).map((option) => zodSource(option, at)).join(', ')}])`,
}

function enumSource({ type, enum: values }: Schema, at: string): string {
  const areStrings = type === 'string' && (values as unknown[]).every((value) => typeof value === 'string')
  if (!areStrings) throw new Error(`${at}: an enum holds strings`)
  return `z.enum(${json(values)})`
}

/** A union with a discriminator: only the member that it names is asked, and only that one complains. */
function discriminatedSource(schema: Schema, at: string): string {
  const property = (schema.discriminator as { propertyName?: string } | undefined)?.propertyName
  if (!property) throw new Error(`${at}: oneOf needs a discriminator`)
  const members = (schema.oneOf as Schema[]).map((option) => zodSource(option, at))
  return `z.discriminatedUnion(${json(property)}, [${members.join(', ')}])`
}

function stringSource({ format, minLength, maxLength, pattern }: Schema, at: string): string {
  if (format !== undefined && !formats.includes(format as string)) throw new Error(`${at}: unknown format "${format}"`)
  const limits = json({ format, minLength, maxLength, pattern })
  return limits === '{}' ? 'z.string()' : `text(${limits})`
}

function numberSource(schema: Schema): string {
  const lower = schema.exclusiveMinimum === true ? 'gt' : 'min'
  const upper = schema.exclusiveMaximum === true ? 'lt' : 'max'
  const base = schema.type === 'integer' ? 'z.int()' : 'z.number()'
  return base + call(lower, schema.minimum) + call(upper, schema.maximum)
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
    return `${json(name)}: ${zodSource(property, `${at}.${name}`)}${required.has(name) ? '' : '.optional()'}`
  })
  for (const name of required)
    if (!properties.some(([key]) => key === name)) throw new Error(`${at}: "${name}" is required but not there`)
  const isMixed = properties.length > 0 && typeof rest === 'object'
  if (isMixed) throw new Error(`${at}: "additionalProperties" beside "properties" is true or false`)
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

function references(schema: Schema | undefined): string[] {
  if (!schema || typeof schema !== 'object') return []
  const { properties = {}, items, additionalProperties, oneOf = [], anyOf = [] } = schema
  const parts = [...Object.values(properties as object), items, additionalProperties, ...[oneOf, anyOf].flat()]
  const own = componentName(schema)
  return [...(own ? [own] : []), ...parts.flatMap(references)]
}
