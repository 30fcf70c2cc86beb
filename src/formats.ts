import { createRoute, type RouteConfig, z } from '@hono/zod-openapi'

/**
 * What the generated schemas and routes need beyond zod. Each means exactly what the contract's keyword means to a JSON Schema
 * validator; the differential test holds them to that.
 */

/** RFC 3986's URI: one with a scheme. */
const uri = (() => {
  const word = "[\\w.~!$&'()*+,;=-]|%[0-9a-f]{2}"
  const segment = `(?:${word}|[:@])`
  const authority = `(?:(?:${word}|:)*@)?(?:\\[[0-9a-f:.]+\\]|(?:${word})*)(?::\\d*)?`
  const path = `(?://${authority}(?:/${segment}*)*|/(?:${segment}+(?:/${segment}*)*)?|${segment}+(?:/${segment}*)*)?`
  return new RegExp(`^[a-z][a-z0-9+.-]*:${path}(?:\\?(?:${segment}|[/?])*)?(?:#(?:${segment}|[/?])*)?$`, 'i')
})()

const formats = {
  uuid: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
  email:
    /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i,
  uri,
  'date-time': z.core.regexes.datetime({ offset: true }),
}

/** Formats that tell people something and programs nothing. */
type SilentFormat = 'password' | 'binary'

const isChecked = (format: Text['format']): format is keyof typeof formats => format !== undefined && format in formats

export interface Text {
  format?: keyof typeof formats | SilentFormat
  minLength?: number
  maxLength?: number
  pattern?: string
}

/** A string within limits, which the document repeats as they stand. */
export function text(limits: Text) {
  const { format, minLength, maxLength, pattern } = limits
  const demands: { holds: (value: string) => boolean; words: string }[] = []
  if (minLength !== undefined)
    demands.push({ holds: (value) => hasAtLeast(value, minLength), words: `Needs at least ${minLength} characters` })
  if (maxLength !== undefined)
    demands.push({ holds: (value) => hasAtMost(value, maxLength), words: `Takes at most ${maxLength} characters` })
  if (isChecked(format)) {
    const form = formats[format]
    demands.push({ holds: (value) => form.test(value), words: `Invalid ${format}` })
  }
  if (pattern !== undefined) {
    const shape = new RegExp(pattern, 'u')
    demands.push({ holds: (value) => shape.test(value), words: `Must match ${pattern}` })
  }
  // One fault is enough: a pattern never sees a string that is too long.
  const check = (value: string, { addIssue }: z.core.$RefinementCtx) => {
    const broken = demands.find(({ holds }) => !holds(value))
    if (broken) addIssue({ code: 'custom', message: broken.words })
  }
  const checked = z.string().superRefine(check)
  // Letters of either case are the same UUID; inside there is one way to write it.
  const canonical = format === 'uuid' ? checked.overwrite((value) => value.toLowerCase()) : checked
  return canonical.openapi({ ...limits })
}

/** Characters are Unicode code points, of which JavaScript stores some as two units. */
const countCharacters = (value: string) => [...value].length
const hasAtLeast = (value: string, least: number) => value.length >= least && countCharacters(value) >= least
const hasAtMost = (value: string, most: number) =>
  value.length <= most || (value.length <= 2 * most && countCharacters(value) <= most)

/** Items are equal as JSON values: the order of members does not count. */
export const uniqueItems = (items: readonly unknown[]) =>
  new Set(items.map((item) => canonical(item))).size === items.length

const canonical = (value: unknown) =>
  JSON.stringify(value, (_, part: unknown) =>
    part && typeof part === 'object' && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort()) : part,
  )

const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** A parameter's text as the number that JSON would read, or the text itself, which then fails its schema. */
export const toNumber = (value: unknown) => (typeof value === 'string' && number.test(value) ? Number(value) : value)

export const toBoolean = (value: unknown) => (value === 'true' ? true : value === 'false' ? false : value)

/** The same schema, with its type forgotten: to compare zod's types with each other takes the compiler seconds. */
export const untyped = (schema: unknown) => schema as z.ZodType

/** Security requirements, any one of which lets a caller in. */
export const anyOf = (...schemes: string[]): Record<string, string[]>[] => schemes.map((scheme) => ({ [scheme]: [] }))

/**
 * A route whose type tells what comes in and no more, for the same reason. That routes are what the library wants is shown by the
 * document that it makes of them.
 */
export const route = <Request>(config: { request: Request; [member: string]: unknown }) =>
  createRoute(config as unknown as RouteConfig) as unknown as { request: Request }
