import { JSONSchemaFaker } from 'json-schema-faker'
import type { Schema } from '../../scripts/generate/document.ts'

/** Numbers from 0 to 1 that are the same in every run. */
export function seededRandom(seed: string): () => number {
  let state = [...seed].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

// The faker knows other formats, and not these.
JSONSchemaFaker.format('password', () => 'slow-tides-carry-sand')
JSONSchemaFaker.format('binary', () => 'reef.png')

export interface ValuesOf {
  /** A JSON Schema, self-contained. */
  schema: Schema
  definitions: Record<string, Schema>
  random: () => number
  /** Whether a value fits: the faker is not always right. */
  accepts(value: unknown): boolean
}

/**
 * Values that fit the schema, and values that differ from those in one place, which may or may not fit: first everything that may go
 * wrong in each place that is the schema's own, then so many accidents anywhere.
 */
export function* valuesOf(source: ValuesOf, accidents: number): Generator<unknown> {
  const { schema, definitions, random } = source
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const placesOf = (value: unknown) => [
    ...placesIn(value, schema, { definitions, path: [], isOwn: true, isRoot: true }),
  ]

  const [whole] = fakes(source, 'all members', 1)
  yield whole
  for (const place of placesOf(whole).filter(({ isOwn, schema: { type } }) => isOwn && type)) {
    if (place.path.length > 0) yield without(whole, place.path)
    for (const edge of edgesOf(place.schema, valueAt(whole, place.path))) yield withAt(whole, place.path, edge())
  }
  for (const value of fakes(source, 'some members', Math.ceil(accidents / 15))) {
    yield value
    for (let change = 1; change < 15; change += 1) {
      const { path, schema: governing } = pick(placesOf(value))
      const kind = random()
      if (kind < 0.2 && path.length > 0) yield without(value, path)
      else if (kind < 0.5) yield withAt(value, path, pick(junk))
      else yield withAt(value, path, pick(edgesOf(governing, valueAt(value, path)))())
    }
  }
}

/** Values that fit. */
function* fakes(
  { schema, definitions, random, accepts }: ValuesOf,
  members: 'all members' | 'some members',
  count: number,
) {
  const isWhole = members === 'all members'
  const small = smaller({ ...schema, definitions }, isWhole)
  for (let made = 0, tried = 0; made < count; tried += 1) {
    if (tried > 20 * count) throw new Error(`The faker finds no value for ${JSON.stringify(schema)}.`)
    JSONSchemaFaker.option({
      random,
      alwaysFakeOptionals: isWhole,
      optionalsProbability: isWhole ? 1 : 0.6,
      refDepthMax: 10,
      ignoreMissingRefs: true,
      failOnInvalidTypes: false,
    })
    const value = JSONSchemaFaker.generate(structuredClone(small) as never) as unknown
    if (!accepts(value)) continue
    made += 1
    yield value
  }
}

/** The same schema for values of a readable size. The faker needs both bounds to keep to either. */
function smaller<T>(schema: T, isWhole: boolean): T {
  if (Array.isArray(schema)) return schema.map((part) => smaller(part, isWhole)) as T
  if (!schema || typeof schema !== 'object') return schema
  const same: Node = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, smaller(value, isWhole)]))
  const bound = (least: string, most: string, few: number, enough: number) => {
    const atMost = Number(same[most] ?? enough)
    same[least] = Math.max(Number(same[least] ?? 0), Math.min(few, atMost))
    same[most] = Math.min(atMost, Math.max(enough, Number(same[least])))
  }
  if (same.type === 'array') bound('minItems', 'maxItems', isWhole ? 2 : 0, 4)
  if (same.type === 'object' && !same.properties) bound('minProperties', 'maxProperties', isWhole ? 1 : 0, 4)
  if (same.type === 'string' && !same.pattern) bound('minLength', 'maxLength', 0, 40)
  // The faker takes both for inclusive.
  if (same.exclusiveMinimum !== undefined) same.minimum = Number(same.exclusiveMinimum) + 2 ** -10
  if (same.exclusiveMaximum !== undefined) same.maximum = Number(same.exclusiveMaximum) - 2 ** -10
  delete same.exclusiveMinimum
  delete same.exclusiveMaximum
  return same as T
}

type Node = Record<string, unknown>
type Path = (string | number)[]

const valueAt = (root: unknown, path: Path) => path.reduce<unknown>((at, step) => (at as Node)[step], root)

/** Assigning would change the prototype where the key is `__proto__`. JSON.parse makes a member of it, and so do we. */
const set = (holder: unknown, key: string | number, value: unknown) =>
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })

function withAt(root: unknown, path: Path, value: unknown): unknown {
  if (path.length === 0) return structuredClone(value)
  const copy = structuredClone(root)
  set(valueAt(copy, path.slice(0, -1)), path.at(-1)!, structuredClone(value))
  return copy
}

function without(root: unknown, path: Path): unknown {
  const copy = structuredClone(root)
  const [holder, key] = [valueAt(copy, path.slice(0, -1)), path.at(-1)!]
  if (Array.isArray(holder)) holder.splice(key as number, 1)
  else delete (holder as Node)[key]
  return copy
}

interface Place {
  path: Path
  schema: Schema
  /** Not of another component. */
  isOwn: boolean
}

interface Around {
  definitions: ValuesOf['definitions']
  path: Path
  isOwn: boolean
  isRoot: boolean
}

/** Every place in a value, with the schema that governs it, as far as that is plain. */
function* placesIn(value: unknown, schema: Schema, around: Around): Generator<Place> {
  const { definitions, path, isRoot } = around
  if (schema.$ref) {
    const named = definitions[schema.$ref.split('/').at(-1)!] ?? {}
    return yield* placesIn(value, named, { ...around, isOwn: isRoot, isRoot: false })
  }
  const isOwn = around.isOwn
  yield { path, schema, isOwn }
  const options = (schema.oneOf ?? []) as Schema[]
  const option = options.find((candidate) => names(candidate, value, definitions))
  if (option) return yield* placesIn(value, option, { ...around, isOwn: false, isRoot: false })
  if (!value || typeof value !== 'object') return
  for (const [key, inner] of Object.entries(value)) {
    const properties = (schema.properties ?? {}) as Record<string, Schema>
    const rest = typeof schema.additionalProperties === 'object' ? (schema.additionalProperties as Schema) : {}
    const next = Array.isArray(value) ? ((schema.items as Schema | undefined) ?? {}) : (properties[key] ?? rest)
    const step = Array.isArray(value) ? Number(key) : key
    yield* placesIn(inner, next, { definitions, path: [...path, step], isOwn, isRoot: false })
  }
}

/** Whether an option of a union is the one that the value's discriminator names. */
function names(option: Schema, value: unknown, definitions: ValuesOf['definitions']): boolean {
  const schema = option.$ref ? definitions[option.$ref.split('/').at(-1)!]! : option
  const tags = Object.entries((schema.properties ?? {}) as Record<string, Schema>).filter(
    ([, property]) => (property.enum as unknown[] | undefined)?.length === 1,
  )
  return tags.every(([key, property]) => (property.enum as unknown[])[0] === (value as Node | null)?.[key])
}

/** What lies on either side of what a schema says of this place, made when it is chosen. */
function edgesOf(schema: Schema, value: unknown): (() => unknown)[] {
  const limits = schema as Record<string, number | undefined>
  const edges: (() => unknown)[] = [() => [value], () => ({ value })]
  for (const other of [null, true, 0, 1.5, '', 'x', [], {}]) edges.push(() => other)
  for (const odd of oddities[schema.format as keyof typeof oddities] ?? []) edges.push(() => odd)
  for (const word of ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']) {
    const bound = limits[word]
    if (bound !== undefined) edges.push(...[0, -1, 1, -0.5, 0.5].map((step) => () => bound + step))
  }
  if (typeof value === 'string') edges.push(...textEdges.map((edge) => () => edge(value)))
  for (const near of nearby(limits.minLength, limits.maxLength))
    edges.push(
      () => 'a'.repeat(near),
      () => '😀'.repeat(near),
      () => `${'a'.repeat(Math.max(0, near - 1))}😀`,
    )
  if (Array.isArray(value)) {
    edges.push(
      () => [...value, ...value],
      () => value.slice(0, 1),
      () => [...value].reverse(),
      () => [...value, ...value.map(withMembersReversed)],
    )
    for (const near of nearby(limits.minItems, limits.maxItems))
      if (near <= 1001 && value.length > 0 && near * sizeOf(value[0]) < 400_000)
        edges.push(() => Array.from({ length: near }, (_, index) => value[index % value.length]))
  } else if (value && typeof value === 'object') {
    const [known = null] = Object.values(value) as unknown[]
    for (const name of oddNames) for (const member of [null, known]) edges.push(() => withMember(value, name, member))
    for (const near of nearby(limits.minProperties, limits.maxProperties).filter(
      (count) => count * sizeOf(known) < 400_000,
    ))
      edges.push(() => Object.fromEntries(Array.from({ length: near }, (_, index) => [`member${index}`, known])))
  }
  return edges
}

const withMembersReversed = (value: unknown): unknown =>
  value && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).reverse())
    : value

const sizeOf = (value: unknown) => JSON.stringify(value).length
const nearby = (...bounds: (number | undefined)[]) =>
  bounds.flatMap((bound) => (bound === undefined ? [] : [bound - 1, bound, bound + 1])).filter((near) => near >= 0)

const textEdges: ((value: string) => string)[] = [
  (value) => `${value}\n`,
  (value) => ` ${value}`,
  (value) => `${value}😀`,
  (value) => `${value}\u0000`,
  (value) => value.toUpperCase(),
  (value) => value.toLowerCase(),
  (value) => value + value,
  (value) => value.slice(1),
  (value) => value.slice(0, -1),
  (value) => value.replace(/[a-z0-9]/i, 'é'),
  (value) => value.replace(/[a-z0-9]/i, '/'),
]

const oddNames = ['another', '__proto__', 'constructor', 'hasOwnProperty', 'type', 'kind', '']

function withMember(value: object, name: string, member: unknown): object {
  const more = structuredClone(value)
  set(more, name, member)
  return more
}

/** What is, or is nearly, of a format. */
const oddities = {
  'date-time': [
    ...['2026-01-01T00:00:00Z', '2026-01-01T00:00:00+02:00', '2026-01-01T00:00:00-00:00', '2026-01-01t00:00:00z'],
    ...['2026-13-01T00:00:00Z', '2026-02-29T00:00:00Z', '2024-02-29T00:00:00Z', '1900-02-29T00:00:00Z'],
    ...['2026-01-01T00:00:00.123456789Z', '2026-01-01T23:59:60Z', '2016-12-31T23:59:60Z', '2026-01-01T24:00:00Z'],
    ...['2026-01-01 00:00:00Z', '2026-01-01T00:00Z', '2026-01-01T00:00:00', '2026-01-01', '2026-01-01T00:00:00+24:00'],
    ...['2026-01-01T00:00:00.Z', '2026-01-01T00:00:00+0200', '+002026-01-01T00:00:00Z', '2026-04-31T00:00:00Z'],
    ...['0000-01-01T00:00:00Z', '2026-00-01T00:00:00Z', '2026-01-00T00:00:00Z', '2026-01-01T00:60:00Z'],
  ],
  uuid: [
    ...['3f0c5a3e-58b8-4a59-9d6a-9a3d9a3c3d0f', '3F0C5A3E-58B8-0A59-1D6A-9A3D9A3C3D0F'],
    ...['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
    ...['urn:uuid:3f0c5a3e-58b8-4a59-9d6a-9a3d9a3c3d0f', '{3f0c5a3e-58b8-4a59-9d6a-9a3d9a3c3d0f}'],
    ...[
      '3f0c5a3e58b84a599d6a9a3d9a3c3d0f',
      '3f0c5a3e-58b8-4a59-9d6a-9a3d9a3c3d0g',
      '3f0c5a3e-58b8-4a599d6a-9a3d9a3c3d0f',
    ],
  ],
  uri: [
    ...[
      'http://x',
      'mailto:a@b.c',
      '//x/y',
      'http://x y',
      'ht!tp://x',
      'http://[::1]:80/',
      'http://éx/',
      'http://x/%zz',
    ],
    ...['x:', 'http://x:99999/', 'http:///x', 'urn:a:b', 'HTTP://X/?a=b#c', 'http://x/#a#b', 'http://a:b@c:1/d'],
    ...[
      'http://a@b@c/',
      'http://x/[',
      'a/b:c',
      'http://x/%',
      'http://x/%4a',
      'http://x/?%4',
      '1:x',
      'http://x/?a b',
      ':x',
    ],
    ...[
      'http://x:y/',
      'http://[x]/',
      'http://x/?é',
      'x:?y',
      'x:#y',
      'http://x/a/b/../c;d=e,f',
      'x:/y',
      'x:y/z',
      'http://x\\y',
    ],
  ],
  email: [
    ...['a@b.co', 'a@b', 'ü@b.co', '"a b"@c.de', 'a..b@c.de', '.a@b.co', 'a.@b.co', 'a@-b.co', 'a@b-.co', 'a@b..co'],
    ...[
      'A@B.CO',
      'a@b.co\n',
      'a@b.co.',
      '@b.co',
      'a@',
      'a@b@c.de',
      'a+b@c.de',
      "o'a@b.co",
      'a@b_c.de',
      'a@1.2',
      'a b@c.de',
    ],
  ],
  password: ['', '12345678901', '123456789012'],
}

/** What may turn up anywhere. */
export const junk: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1, 1.5, 1e300, 2 ** 53, 2 ** 53 - 1, 2 ** 31, Number.POSITIVE_INFINITY],
  ...['', 'x', '1', 'true', 'null', '😀', '\u0000', '\ud800', ' ', 'a'.repeat(300), '__proto__'],
  ...[
    [],
    {},
    [1],
    [1, 2],
    [1, 2, 3],
    [1, 2, 3, 4],
    [[]],
    { a: 1 },
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
  ],
  ...Object.values(oddities).flat(),
]
