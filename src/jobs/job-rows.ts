import type { components } from '../../generated/types.ts'

type Schemas = components['schemas']
export type JobStatus = Schemas['JobStatus']
export type JobTypeName = Schemas['JobType']
export type JobError = Schemas['JobError']
export type JsonObject = Record<string, unknown>

/** A file in the object store that a job reads or has made. */
export interface JobFile {
  name: string
  objectKey: string
  sizeBytes: number
  sha256: string
  contentType: string
}

/** A job with what it was given and what it came to. */
export interface JobRow {
  id: string
  type: JobTypeName
  status: JobStatus
  priority: number
  attempts: number
  maxAttempts: number
  lastEventId: number
  progress: number | null
  availableAt: Date
  createdAt: Date
  updatedAt: Date
  startedAt: Date | null
  finishedAt: Date | null
  /** In progress, but its worker has been silent for too long. */
  isLapsed: boolean
  input: JsonObject
  error: JobError | null
  resultPayload: Schemas['JobResult'] | null
}

/** What a transition leaves behind, for those who react to it. */
export interface SettledJob {
  id: string
  type: JobTypeName
  status: JobStatus
}

const priorities = { LOW: -1, NORMAL: 0, HIGH: 1 } as const

export const toPriorityNumber = (priority: Schemas['JobPriority'] = 'NORMAL'): number => priorities[priority]

export const toPriority = (value: number): Schemas['JobPriority'] => (value > 0 ? 'HIGH' : value < 0 ? 'LOW' : 'NORMAL')

export const isFinal = (status: JobStatus): boolean => status !== 'PENDING' && status !== 'IN_PROGRESS'

export const toJob = (row: JobRow): Schemas['Job'] => ({
  id: row.id,
  type: row.type,
  status: row.status,
  priority: toPriority(row.priority),
  inputPayload: row.input,
  ...(row.resultPayload !== null && { resultPayload: row.resultPayload }),
  ...(row.error !== null && row.status !== 'SUCCEEDED' && { error: row.error }),
  ...(row.progress !== null && { progress: row.progress }),
  attempts: row.attempts,
  maxAttempts: row.maxAttempts,
  lastEventId: row.lastEventId,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
  ...(row.status === 'PENDING' && { availableAt: row.availableAt.toISOString() }),
  ...(row.startedAt && { startedAt: row.startedAt.toISOString() }),
  ...(row.finishedAt && { finishedAt: row.finishedAt.toISOString() }),
})

export const toClaimableJob = (row: ClaimableJobRow): Schemas['ClaimableJob'] => ({
  id: row.id,
  type: row.type,
  inputPayload: row.input,
  priority: toPriority(row.priority),
  attempts: row.attempts,
  maxAttempts: row.maxAttempts,
  createdAt: row.createdAt.toISOString(),
})

export type ClaimableJobRow = Pick<
  JobRow,
  'id' | 'type' | 'input' | 'priority' | 'attempts' | 'maxAttempts' | 'createdAt'
>
