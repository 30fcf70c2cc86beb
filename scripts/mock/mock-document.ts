import { type ContractDocument, dereference, operationsOf, type Schema } from '../generate/document.ts'

/** How long a list may be that is made up. */
const mostItems = 100

/** The contract as Prism must read it to answer as the service does. */
export function documentForMock(contract: ContractDocument): ContractDocument {
  const document = structuredClone(contract)
  // A request that does not fit gets a 400 of the service. Prism looks for a 422 first, and finds one in any 4XX.
  for (const { operation } of operationsOf(document)) delete operation.responses['4XX']
  // Bodies have examples of their own. Prism puts that of the schema before them.
  for (const schema of Object.values(document.components.schemas)) delete schema.example
  document.components.schemas = modest(document.components.schemas)
  return document
}

/**
 * The contract as Prism must read it to judge a service. Of a media type it looks at what follows the plus sign, so that GeoJSON is JSON to
 * it, and it judges by the first of either: what an answer gives in several kinds of JSON may look like any of them.
 */
export function documentForProxy(contract: ContractDocument): ContractDocument {
  const document = structuredClone(contract)
  const responses = operationsOf(document).flatMap(({ operation }) => Object.values(operation.responses))
  for (const { content } of new Set(responses.map((response) => dereference(document, response)))) {
    const kinds = Object.entries(content ?? {}).flatMap(([type, media]) => (/[/+]json$/.test(type) ? [media] : []))
    const anyOf = kinds.map(({ schema }) => schema)
    if (kinds.length > 1) for (const media of kinds) media.schema = { anyOf }
  }
  return document
}

/**
 * `Prefer: dynamic=true` makes up all that a schema allows: 100,000 positions in each of 1,000 rings, and members that
 * nobody has heard of. Where no length is given a list is short.
 */
function modest<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(modest) as T
  if (!schema || typeof schema !== 'object') return schema
  const members = Object.entries(schema).filter(([key, value]) => !(key === 'maxItems' && value > mostItems))
  const same: Schema = Object.fromEntries(members.map(([key, value]) => [key, modest(value)]))
  const isOpen = same.additionalProperties !== undefined || same['x-foreign-members'] !== undefined
  return (same.type === 'object' && !isOpen ? { ...same, additionalProperties: false } : same) as T
}
