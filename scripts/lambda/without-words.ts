import type { ContractDocument } from '../generate/document.ts'

/** What a contract says to people, and no program goes by. */
const words = new Set(['title', 'summary', 'description', 'example', 'examples', 'deprecated', 'tags', 'externalDocs'])

/** Members of these have names of the contract's own making, and one of them may be called `title`. */
const tables = new Set(['properties', 'schemas', 'responses', 'parameters', 'headers', 'mapping'])

/** The contract as it is checked: all that it demands, and nothing that it tells. */
export const withoutWords = (document: ContractDocument): ContractDocument => part(document) as ContractDocument

function part(value: unknown, isTable = false): unknown {
  if (Array.isArray(value)) return value.map((item) => part(item))
  if (!value || typeof value !== 'object') return value
  const members = Object.entries(value).filter(([name]) => isTable || !(words.has(name) || name === 'x-codeSamples'))
  return Object.fromEntries(members.map(([name, member]) => [name, part(member, !isTable && tables.has(name))]))
}
