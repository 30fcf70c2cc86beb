/** Wider lines would not fit beside the text of the page on a laptop. */
const columns = 54

/** How a language writes names and strings. */
export interface Notation {
  name(text: string): string
  string(text: string): string
  /** Whether objects have spaces inside their braces, and a comma after what comes last on lines of their own. */
  isSpacious: boolean
}

export const jsonNotation: Notation = {
  name: (text) => JSON.stringify(text),
  string: (text) => JSON.stringify(text),
  isSpacious: false,
}

export const scriptNotation: Notation = {
  name: (text) => (/^[a-z_$][\w$]*$/i.test(text) ? text : quoted(text)),
  string: (text) => quoted(text),
  isSpacious: true,
}

const nameKey = Symbol('a name of the script')

/** A variable of the script among values: written by its name. */
export const variableNamed = (name: string): object => ({ [nameKey]: name })

/** A value as a person would write it: on one line where it fits, and else each part on its own. */
export function written(value: unknown, notation: Notation, used = 0, indent = ''): string {
  const line = onOneLine(value, notation)
  if (used + line.length <= columns || value === null || typeof value !== 'object') return line
  const inner = `${indent}  `
  const part = (member: unknown, label = '') =>
    `${inner}${label}${written(member, notation, inner.length + label.length + 1, inner)}`
  const parts = Array.isArray(value)
    ? value.map((item) => part(item))
    : Object.entries(value).map(([key, member]) => part(member, `${notation.name(key)}: `))
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  return `${open}\n${parts.join(',\n')}${notation.isSpacious ? ',' : ''}\n${indent}${close}`
}

/** A call on one line where it fits; else its last argument alone over several, or each argument on its own. */
export function writtenCall(callee: string, values: unknown[], used: number): string {
  const lines = values.map((value) => onOneLine(value, scriptNotation))
  const line = `${callee}(${lines.join(', ')})`
  if (values.length === 0 || used + line.length <= columns) return line
  const last = values.at(-1)
  const lead = `${callee}(${lines
    .slice(0, -1)
    .map((one) => `${one}, `)
    .join('')}`
  if (typeof last === 'object' && used + lead.length < columns) {
    return `${lead}${written(last, scriptNotation, columns)})`
  }
  const each = values.map((value) => `  ${written(value, scriptNotation, 3, '  ')},\n`)
  return `${callee}(\n${each.join('')})`
}

function onOneLine(value: unknown, notation: Notation): string {
  if (typeof value === 'string') return notation.string(value)
  if (Array.isArray(value)) return `[${value.map((item) => onOneLine(item, notation)).join(', ')}]`
  if (value === null || typeof value !== 'object') return String(value)
  if (nameKey in value) return String(value[nameKey])
  const members = Object.entries(value).map(([key, member]) => `${notation.name(key)}: ${onOneLine(member, notation)}`)
  if (members.length === 0) return '{}'
  return notation.isSpacious ? `{ ${members.join(', ')} }` : `{${members.join(', ')}}`
}

const quoted = (text: string) => `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
