import { invalidRequest, jsonPointer } from '../errors.ts'

const maxDepth = 100

/**
 * Refuses what a JSON body may hold and PostgreSQL does not keep: U+0000 and halves of characters, in values and in names, and numbers
 * beyond all bounds; and nesting so deep that those who walk it run out of stack.
 */
export function assertStorable(body: unknown): void {
  const left: { value: unknown; pointer: string; depth: number }[] = [{ value: body, pointer: '', depth: 0 }]
  for (let next = left.pop(); next; next = left.pop()) {
    const { value, pointer, depth } = next
    if (typeof value === 'string') assertText(value, pointer)
    if (!value || typeof value !== 'object') continue
    if (depth === maxDepth) throw invalidRequest(pointer.slice(0, 200), `Nested deeper than ${maxDepth} levels.`)
    for (const [key, child] of Object.entries(value)) {
      if (!Array.isArray(value)) assertText(key, pointer)
      // Positions make up most of what is sent: numbers need no place in line.
      if (typeof child === 'number') assertFinite(child, pointer, key)
      else left.push({ value: child, pointer: pointer + jsonPointer([key]), depth: depth + 1 })
    }
  }
}

/** JSON has no infinity, but 1e400 is read as one. */
function assertFinite(value: number, pointer: string, key: string): void {
  if (!Number.isFinite(value)) throw invalidRequest(pointer + jsonPointer([key]), 'This number is too large.')
}

function assertText(text: string, pointer: string): void {
  if (text.includes('\u0000') || !text.isWellFormed())
    throw invalidRequest(pointer, 'Text cannot hold U+0000 or half a character.')
}
