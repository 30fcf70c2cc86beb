import { parse } from 'postgres-array'

/** An array of PostgreSQL, as `types` of postgres.js takes it. The numbers are those of `pg_type` and never change. */
const arrayOf = <Item>(oid: number, read: (text: string) => Item) => ({
  to: oid,
  from: [oid],
  serialize: (items: unknown) => (Array.isArray(items) ? literalOf(items) : items),
  parse: (text: string) => parse(text, read),
})

/**
 * The arrays that we store and ask with. postgres.js would ask each new connection for all that there are, in a query that nobody waits
 * for: a database that goes away at that moment would end the process (porsager/postgres#1192). An array that is not here is read as
 * PostgreSQL writes it, and refused by the database when sent.
 */
export const arrayTypes = {
  integers: arrayOf(1007, Number),
  texts: arrayOf(1009, String),
  // As postgres.js reads one: there are more than a number can tell apart.
  bigints: arrayOf(1016, String),
  doubles: arrayOf(1022, Number),
  uuids: arrayOf(2951, String),
}

const literalOf = (items: unknown[]) => `{${items.map(elementOf).join(',')}}`

function elementOf(item: unknown): string {
  if (item === undefined) throw new TypeError('An array for the database has an undefined element.')
  if (item === null) return 'null'
  return `"${String(item).replace(/["\\]/g, '\\$&')}"`
}
