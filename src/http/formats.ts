import { z } from '@hono/zod-openapi'

/**
 * What the generated schemas need beyond zod. Each means exactly what the contract's keyword means to a JSON Schema validator;
 * the differential test holds them to that.
 */

const emailPattern =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i

export const email = () => z.string().regex(emailPattern, 'Invalid email address')

export const uri = () =>
  z.string().refine((value) => /^[a-z][a-z0-9+.-]*:[^\s]+$/i.test(value) && URL.canParse(value), 'Invalid URI')

export const uniqueItems = (items: readonly unknown[]) =>
  new Set(items.map((item) => JSON.stringify(item))).size === items.length

const number = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/

/** A parameter's text as a number, or the text itself, which then fails its schema. */
export const toNumber = (value: unknown) => (typeof value === 'string' && number.test(value) ? Number(value) : value)

export const toBoolean = (value: unknown) => (value === 'true' ? true : value === 'false' ? false : value)

/** Security requirements, any one of which lets a caller in. */
export const anyOf = (...schemes: string[]): Record<string, string[]>[] => schemes.map((scheme) => ({ [scheme]: [] }))
