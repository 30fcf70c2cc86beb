import { AppError, invalidRequest, jsonPointer } from '../errors.ts'

const maxDepth = 100
/** Room for the largest area. A position counts as one. */
const maxValues = 250_000

/** A value and the way to it, of which a pointer is made only where something is wrong. */
interface Place {
  value: unknown
  key: string
  depth: number
  parent?: Place
}

/**
 * Refuses what a JSON body may hold and PostgreSQL does not keep: U+0000 and halves of characters, in values and in names, and numbers
 * beyond all bounds; so many values, or nested so deep, that those who walk them take too long or run out of stack; and `__proto__`,
 * which others would drop without a word. `at` is where the value stands in the request: nothing for the body.
 */
export function assertStorable(value: unknown, at = ''): void {
  const left: Place[] = [{ value, key: at, depth: 0 }]
  let values = 0
  for (let place = left.pop(); place; place = left.pop()) {
    const { value: held, depth } = place
    if (typeof held === 'string') assertText(held, place)
    if (!held || typeof held !== 'object') continue
    if (depth === maxDepth) throw invalidRequest(pointerTo(place), `Nested deeper than ${maxDepth} levels.`)
    values += countOf(held)
    if (values > maxValues) throw new AppError('payload_too_large', `The body may hold at most ${maxValues} values.`)
    for (const key in held) {
      const member: Place = { value: (held as Record<string, unknown>)[key], key, depth: depth + 1, parent: place }
      if (!Array.isArray(held)) assertName(member)
      if (typeof member.value === 'number') assertFinite(member)
      else left.push(member)
    }
  }
}

/** The numbers of a position come with it. */
function countOf(value: object): number {
  if (!Array.isArray(value)) return Object.keys(value).length
  return value.length > 3 ? value.length : value.filter((member) => typeof member !== 'number').length
}

/** JSON has no infinity, but 1e400 is read as one. */
function assertFinite(place: Place): void {
  if (!Number.isFinite(place.value)) throw invalidRequest(pointerTo(place), 'This number is too large.')
}

function assertName(place: Place): void {
  assertText(place.key, place.parent!)
  if (place.key === '__proto__') throw invalidRequest(pointerTo(place), 'Unknown: "__proto__"')
}

function assertText(text: string, place: Place): void {
  if (text.includes('\u0000') || !text.isWellFormed())
    throw invalidRequest(pointerTo(place), 'Text cannot hold U+0000 or half a character.')
}

function pointerTo(place: Place): string {
  const path: string[] = []
  let at = place
  for (; at.parent; at = at.parent) path.unshift(at.key)
  return at.key + jsonPointer(path)
}
