import type { Sql } from '../db/sql.ts'
import { isKey, type ListedObject, type ObjectStore } from '../store/object-store.ts'
import type { DiscardedFiles } from './discarded-files.ts'

export interface OrphanSweepDeps {
  sql: Sql
  store: Pick<ObjectStore, 'list'>
  files: Pick<DiscardedFiles, 'discardOrphans' | 'warnOfForeign'>
}

/** Where each object has a row that names it, written before the object was. */
const prefixes = ['images/', 'regions/']
const batchSize = 1000
const youngMs = 24 * 60 * 60_000

/**
 * Walks through the store, a batch of each prefix at a time, and discards what no row names: what a crash or a late upload left
 * behind. What has no name of ours somebody else has put there: it is passed over, and told of once in a round. Gives whether the round
 * goes on; the next one begins a day later.
 *
 * Nothing in use is lost, whatever the clocks say. A key is made once, and its row is committed before the store hears of it: so an
 * object that was there when it was listed, and has no row when that is looked up afterwards, has lost its row for good. And discarded
 * is not deleted: a job that reads it still may finish.
 */
export const orphanSweep = ({ sql, store, files }: OrphanSweepDeps) => {
  /** Where this process has told of foreign files in the round under way. */
  const warned = new Set<string>()

  /** One process at a time: the others pass over the row that it holds. */
  async function sweep(prefix: string): Promise<boolean> {
    await sql`insert into orphan_sweeps (prefix, swept_at) values (${prefix}, 'epoch') on conflict do nothing`
    return sql.begin(async (tx) => {
      const [position] = await tx<{ afterKey: string }[]>`
        select after_key
        from orphan_sweeps
        where prefix = ${prefix} and (after_key <> '' or swept_at < now() - interval '1 day')
        for update skip locked
      `
      if (!position) return false
      if (position.afterKey === '') warned.delete(prefix)
      // The store goes on behind a key and nothing else.
      const after = isKey(position.afterKey) ? position.afterKey : ''
      const { batch, foreign } = await firstOf(store.list(prefix, { after }))
      if (foreign !== undefined && !warned.has(prefix)) files.warnOfForeign(prefix, foreign)
      if (foreign !== undefined) warned.add(prefix)
      const old = batch.filter(({ lastModifiedAt }) => lastModifiedAt.getTime() < Date.now() - youngMs)
      await files.discardOrphans(
        old.map(({ key }) => key),
        tx,
      )
      const isCut = batch.length === batchSize
      await tx`
        update orphan_sweeps
        set after_key = ${isCut ? batch.at(-1)!.key : ''}, swept_at = now()
        where prefix = ${prefix}
      `
      return isCut
    })
  }

  return async (): Promise<boolean> => {
    let hasMore = false
    for (const prefix of prefixes) if (await sweep(prefix)) hasMore = true
    return hasMore
  }
}

/** The first objects whose names are keys, and a name among them that is none. */
async function firstOf(
  objects: AsyncIterable<ListedObject>,
): Promise<{ batch: ListedObject[]; foreign: string | undefined }> {
  const batch: ListedObject[] = []
  let foreign: string | undefined
  for await (const object of objects) {
    if (isKey(object.key)) batch.push(object)
    else foreign ??= object.key
    if (batch.length === batchSize) break
  }
  return { batch, foreign }
}
