import { invalidRequest } from './errors.ts'

export interface PageQuery {
  limit: number
  cursor?: string | undefined
}

export interface Page<Item> {
  items: Item[]
  nextCursor?: string
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The id behind a cursor, where the page before ended. */
export const startOf = (query: PageQuery): string | undefined => startMatching(query, uuidPattern)

/** The same, for lists that do not go by id. */
export function startMatching({ cursor }: PageQuery, pattern: RegExp): string | undefined {
  if (cursor === undefined) return undefined
  const start = Buffer.from(cursor, 'base64url').toString()
  if (!pattern.test(start)) throw invalidRequest('/query/cursor', 'This is not a cursor of ours.')
  return start
}

/** A page made of up to `limit` rows; one row more than that tells that there is a next page. */
export const pageOf = <Row, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
  keyOf?: (row: Row) => string,
): Page<Item> => wholePage({ rows: rows.slice(0, limit), hasMore: rows.length > limit }, toItem, keyOf)

/** Rows that make a page, however many a page may hold. */
export interface Rows<Row> {
  rows: Row[]
  hasMore: boolean
}

/** A page made of all these rows. */
export function wholePage<Row, Item>(
  { rows, hasMore }: Rows<Row>,
  toItem: (row: Row) => Item,
  keyOf: (row: Row) => string = (row) => (row as { id: string }).id,
): Page<Item> {
  const last = rows.at(-1)
  const goesOn = hasMore && last !== undefined
  return { items: rows.map(toItem), ...(goesOn && { nextCursor: Buffer.from(keyOf(last)).toString('base64url') }) }
}
