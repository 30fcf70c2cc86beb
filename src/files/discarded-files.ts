import type { Sql, Tx } from '../db/sql.ts'
import type { Log } from '../log.ts'
import { isKey, type ObjectStore } from '../store/object-store.ts'
import { discardedObjects } from './discarded-objects.ts'

export interface DiscardedFilesDeps {
  sql: Sql
  store: Pick<ObjectStore, 'delete'>
  log: Log
}

const purgeBatch = 100
/** So many failures in a batch are the store's, and trying the rest would only take time. */
const mostFailures = 3

/**
 * How files leave the store: first their names are written down, then the objects go, then the names. Cut short anywhere, the next purge
 * goes on.
 */
export const discardedFiles = ({ sql, store, log }: DiscardedFilesDeps) => {
  const objects = discardedObjects(sql)

  async function remove(keys: string[]): Promise<void> {
    if (keys.length === 0) return
    await store.delete(keys)
    await objects.forget(keys)
  }

  /** What a batch failed on goes to the end of those that wait, so that it holds up no other. Throws if nothing could be deleted. */
  async function removeEach(keys: string[]): Promise<void> {
    const failed: string[] = []
    let removed = 0
    let failure: unknown
    for (const key of keys) {
      if (failed.length === mostFailures) break
      try {
        await remove([key])
        removed++
      } catch (error) {
        failed.push(key)
        failure = error
      }
    }
    await objects.postpone(failed)
    if (removed === 0 && failed.length > 0) throw failure
    if (failed.length > 0) log.warn('discarded files left for later', { keys: failed, error: failure })
  }

  return {
    discard: objects.discard,

    /** Those of the keys that no row names. */
    discardOrphans: (keys: string[], tx: Tx) => objects.discardUnnamed(keys, tx),

    /** Tells of files in the store that are none of ours and stay where they are. */
    warnOfForeign(prefix: string, example: string): void {
      log.warn('files in the store that are not ours', { prefix, example })
    },

    /** Of discarded files that no job ever reads, without waiting for the purge. What fails now is left to it. */
    async removeNow(keys: string[]): Promise<void> {
      await remove(keys).catch((error) => log.warn('discarded files left to the purge', { keys, error }))
    },

    /** Deletes a batch of what no unfinished job reads, and tells whether there may be more. */
    async purge(): Promise<boolean> {
      const names = await objects.listPurgeable(purgeBatch)
      const [keys, foreign] = [names.filter(isKey), names.filter((name) => !isKey(name))]
      if (foreign.length > 0) {
        log.warn('discarded files that are not ours forgotten', { names: foreign })
        await objects.forget(foreign)
      }
      await remove(keys).catch(() => removeEach(keys))
      return names.length === purgeBatch
    },
  }
}

export type DiscardedFiles = ReturnType<typeof discardedFiles>
