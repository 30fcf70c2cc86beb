import type { CallOptions } from '../options.ts'
import type { Assignment } from '../types.ts'
import type { WorkerCalls } from '../worker.ts'

/** The calls for one assignment, made with its own token: a worker's key never travels with a job. */
export function assignmentCalls(worker: WorkerCalls, { id, token }: Pick<Assignment, 'id' | 'token'>) {
  const own = (options?: CallOptions) => ({ ...options, token })
  return {
    heartbeat: (body: Parameters<WorkerCalls['heartbeat']>[1], options?: CallOptions) =>
      worker.heartbeat(id, body, own(options)),
    appendLogs: (entries: Parameters<WorkerCalls['appendLogs']>[1], options?: CallOptions) =>
      worker.appendLogs(id, entries, own(options)),
    inputs: (options?: CallOptions) => worker.inputs(id, own(options)),
    createUploads: (files: Parameters<WorkerCalls['createUploads']>[1], options?: CallOptions) =>
      worker.createUploads(id, files, own(options)),
    release: (options?: CallOptions) => worker.release(id, own(options)),
    report: (result: Parameters<WorkerCalls['reportResult']>[1], options?: CallOptions) =>
      worker.reportResult(id, result, own(options)),
  }
}

export type AssignmentCalls = ReturnType<typeof assignmentCalls>
