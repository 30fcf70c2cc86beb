import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { Schema } from '../../scripts/generate/document.ts'
import { toJsonSchema } from '../support/contract-check.ts'
import { contract } from './contract.ts'

// What the contract's words mean, where JSON Schema leaves room.
// A number is finite: `1e999` is JSON, but no number that we could keep.
export const ajv = new Ajv({ strict: false, strictNumbers: true })
// An address is what ajv-formats takes for one.
addFormats.default(ajv, ['email'])
// RFC 3986. The one of ajv-formats refuses `x:`, takes `http://a@b@c/`, and more.
ajv.addFormat('uri', { type: 'string', validate: isUri })
// RFC 9562, section 4: hexadecimal digits in either case, any version. Not the URN of section 4 of RFC 4122, which ajv-formats takes too.
ajv.addFormat('uuid', /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/)
ajv.addFormat('date-time', { type: 'string', validate: isInstant })
// Tells a form to hide what is typed, and nothing else.
ajv.addFormat('password', true)
// Tells that it is a file. What the file may be stands in no schema.
ajv.addFormat('binary', true)

/** RFC 3986, taken apart as its appendix B does. An address in brackets is not looked into. */
function isUri(value: string): boolean {
  const parts = /^([^:/?#]+):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#([\s\S]*))?$/.exec(value)
  if (!parts) return false
  const [scheme, authority = '', path, query = '', fragment = ''] = parts.slice(1) as string[]
  const { user = '', host } =
    /^(?:(?<user>[^@]*)@)?(?<host>\[[\da-f:.]+\]|[^:[\]]*)(?::\d*)?$/i.exec(authority)?.groups ?? {}
  const consistsOf = (text: string, more: RegExp) =>
    [...text.replaceAll(/%[\da-f]{2}/gi, '')].every(
      (letter) => /^[\w.~!$&'()*+,;=-]$/.test(letter) || more.test(letter),
    )
  return (
    /^[a-z][a-z\d+.-]*$/i.test(scheme!) &&
    host !== undefined &&
    (host.startsWith('[') || consistsOf(host, /^$/)) &&
    consistsOf(user, /^:$/) &&
    consistsOf(path!, /^[:@/]$/) &&
    [query, fragment].every((part) => consistsOf(part, /^[:@/?]$/))
  )
}

/** RFC 3339, section 5.6, less what nothing of ours could represent: leap seconds, and `t` and `z` in lower case. */
function isInstant(value: string): boolean {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-](\d\d):(\d\d))$/.exec(value)
  if (!parts) return false
  const [year, month, day, hour, minute, second, offsetHour = 0, offsetMinute = 0] = parts
    .slice(1)
    .map((part) => Number(part ?? 0)) as number[]
  const date = new Date(0)
  date.setUTCFullYear(year!, month! - 1, day!)
  const isDate = date.getUTCMonth() === month! - 1 && date.getUTCDate() === day
  return isDate && hour! < 24 && minute! < 60 && second! < 60 && offsetHour < 24 && offsetMinute < 60
}

/** An integer is one that every reader of JSON gets right: RFC 8259, section 6. */
function withSafeIntegers<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(withSafeIntegers) as T
  if (!schema || typeof schema !== 'object') return schema
  const same = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withSafeIntegers(value)]))
  const bounds = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }
  return (same.type === 'integer' ? { ...bounds, ...same } : same) as T
}

const asJsonSchema = (schema: Schema): Schema =>
  JSON.parse(
    JSON.stringify(withSafeIntegers(toJsonSchema(schema))).replaceAll('"#/components/schemas/', '"#/definitions/'),
  )
export const definitions = Object.fromEntries(
  Object.entries(contract.components.schemas).map(([name, schema]) => [name, asJsonSchema(schema)]),
)

// Compiled once, whoever refers to them.
ajv.addSchema({ $id: 'open', definitions })
ajv.addSchema({ $id: 'closed', definitions: closed(definitions) })

const referringTo = (id: string, schema: Schema): Schema =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/definitions/', `"${id}#/definitions/`))

/** A schema of the contract as one that needs nothing but the definitions. */
export function judgeOf(schema: Schema) {
  const own = asJsonSchema(schema)
  return { schema: own, accepts: ajv.compile(referringTo('open', own)) }
}

/** The same of what has no member that the schema does not name, unless it says that there is room. */
export function closedJudgeOf(schema: Schema) {
  const own = asJsonSchema(schema)
  return { schema: own, accepts: ajv.compile(closed(referringTo('closed', own))) }
}

/** The same schema, with no room for members that it does not name, unless it says that there is. */
function closed<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(closed) as T
  if (!schema || typeof schema !== 'object') return schema
  const same = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  return (same.type === 'object' && same.properties ? { additionalProperties: false, ...same } : same) as T
}
