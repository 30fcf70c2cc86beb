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
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
  keyOf: (row: Row) => string = (row) => (row as { id: string }).id,
): Page<Item> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { items: shown.map(toItem), ...(hasMore && { nextCursor: Buffer.from(keyOf(last)).toString('base64url') }) }
}
