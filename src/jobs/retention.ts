import type { ObjectStore } from '../store/object-store.ts'
import type { JobStore } from './job-store.ts'

export interface RetentionDeps {
  jobs: Pick<JobStore, 'purgeFinished'>
  store: Pick<ObjectStore, 'list' | 'delete'>
  retentionDays: number
}

const batchSize = 200

/** Deletes what finished before the retention period: jobs with all that hangs on them, then their files. */
export async function purgeJobs({ jobs, store, retentionDays }: RetentionDeps): Promise<void> {
  let assignmentIds: string[]
  do {
    assignmentIds = await jobs.purgeFinished(retentionDays, batchSize)
    for (const id of assignmentIds) {
      const keys = await Array.fromAsync(store.list(`results/${id}/`), ({ key }) => key)
      if (keys.length > 0) await store.delete(keys)
    }
  } while (assignmentIds.length > 0)
}
