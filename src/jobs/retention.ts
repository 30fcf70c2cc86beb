import type { ObjectStore } from '../store/object-store.ts'
import type { JobStore } from './job-store.ts'

export interface RetentionDeps {
  jobs: Pick<JobStore, 'retireFinished' | 'purgeFinished'>
  store: Pick<ObjectStore, 'list' | 'delete'>
  retentionDays: number
}

const batchSize = 100

/**
 * Deletes a batch of what finished before the retention period, and tells whether there may be more. Files go first and the jobs that
 * lead to them last: cut short anywhere, the next run finds the same jobs again and leaves no file behind that nothing names.
 */
export async function purgeJobs({ jobs, store, retentionDays }: RetentionDeps): Promise<boolean> {
  const old = await jobs.retireFinished(retentionDays, batchSize)
  for (const assignmentId of old.flatMap(({ assignmentIds }) => assignmentIds)) {
    const keys = await Array.fromAsync(store.list(`results/${assignmentId}/`), ({ key }) => key)
    if (keys.length > 0) await store.delete(keys)
  }
  if (old.length > 0) await jobs.purgeFinished(old.map(({ id }) => id))
  return old.length === batchSize
}
