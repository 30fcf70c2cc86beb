import type { Sql, Tx } from '../db/sql.ts'
import type { DiscardedFiles } from './discarded-files.ts'
import { type OrphanSweepDeps, orphanSweep } from './orphan-sweep.ts'

/** Deletes up to so many uploads that are not completed a day after they began, and gives the keys of their objects. */
interface UploadStore {
  deleteUnfinished(limit: number, tx: Tx): Promise<string[]>
}

export interface FileChoresDeps extends OrphanSweepDeps {
  sql: Sql
  images: UploadStore
  layers: UploadStore
  files: Pick<DiscardedFiles, 'discard' | 'discardOrphans' | 'warnOfForeign' | 'purge'>
}

const uploadBatch = 100

/** What keeps the store and the catalogue together. */
export const fileChores = ({ sql, store, images, layers, files }: FileChoresDeps) => ({
  /** Completing locks the same row: an upload is either completed or forgotten. */
  async 'forget unfinished uploads'(): Promise<boolean> {
    let hasMore = false
    for (const uploads of [images, layers]) {
      const keys = await sql.begin(async (tx) => {
        const found = await uploads.deleteUnfinished(uploadBatch, tx)
        await files.discard(found, tx)
        return found
      })
      if (keys.length === uploadBatch) hasMore = true
    }
    return hasMore
  },

  'sweep orphans': orphanSweep({ sql, store, files }),
  'purge discarded files': files.purge,
})
