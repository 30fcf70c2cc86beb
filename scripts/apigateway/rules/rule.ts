import { jsonPointer } from '../../../src/errors.ts'

/** Of documents that may be anything. */
export type Json = Record<string, unknown>

export interface Fault {
  /** A JSON Pointer to what is at fault. */
  pointer: string
  /** Goes on from the pointer: `is ignored`. */
  message: string
}

export interface Rule {
  name: string
  find(document: Json): Iterable<Fault>
}

export const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}

export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** The pointer to what lies below another. */
export const below = (pointer: string, ...steps: PropertyKey[]): string => pointer + jsonPointer(steps)

/** Those that are there a second time. */
export const repeated = <T>(items: T[], keyOf: (item: T) => string): T[] =>
  items.filter((item, index) => items.findIndex((other) => keyOf(other) === keyOf(item)) < index)
