import { jobTypes } from '../../generated/job-types.ts'
import type { components } from '../../generated/types.ts'
import { type Caller, isAdmin } from '../auth/caller.ts'
import type { Sql } from '../db/sql.ts'
import { AppError, invalidRequest, jsonPointer } from '../errors.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { AssignmentRow, AssignmentStore } from './assignment-store.ts'
import { hashJson } from './idempotency.ts'
import type { JobChanges } from './job-changes.ts'
import type { JobFile, JobTypeName } from './job-rows.ts'
import type { JobSettlement } from './job-settlement.ts'
import { assertSmall } from './payload-size.ts'

type Schemas = components['schemas']

export interface AssignmentServiceDeps {
  sql: Sql
  assignments: AssignmentStore
  store: ObjectStore
  settlement: JobSettlement
  changes: JobChanges
}

const transferSeconds = 3600

/** What workers do with the jobs that they hold: keep them, read, upload and report. */
export const assignmentService = ({ sql, assignments, store, settlement, changes }: AssignmentServiceDeps) => {
  /** The assignment, for its own token, the worker that took it, and admins. To everyone else it does not exist. */
  async function held(caller: Caller, id: string): Promise<AssignmentRow> {
    const mayTry = caller.kind !== 'assignment' || caller.assignmentId === id
    const row = mayTry ? await assignments.find(id) : undefined
    if (row && (isAdmin(caller) || row.userId === caller.userId)) return row
    throw new AppError('assignment_not_found', `There is no assignment ${id} that you hold.`)
  }

  /** The same, refused once the assignment has lost its job. */
  async function live(caller: Caller, id: string): Promise<AssignmentRow> {
    const row = await held(caller, id)
    if (!row.isLive) throw lost(row)
    return row
  }

  /** Asks again why a guarded statement found nothing: the answer may have changed since we looked. */
  async function lostNow(id: string): Promise<AppError> {
    const row = await assignments.find(id)
    return row ? lost(row) : new AppError('assignment_not_found', `There is no assignment ${id}.`)
  }

  return {
    async heartbeat(
      caller: Caller,
      id: string,
      { progress }: Schemas['HeartbeatRequest'],
    ): Promise<Schemas['Heartbeat']> {
      const { type } = await live(caller, id)
      const row = await assignments.heartbeat(id, jobTypes[type].leaseSeconds, progress ?? null)
      if (!row) throw await lostNow(id)
      if (progress !== undefined) changes.announce(row.jobId)
      return { expiresAt: row.leaseExpiresAt.toISOString(), deadlineAt: row.deadlineAt.toISOString() }
    },

    async appendLogs(caller: Caller, id: string, { entries }: Schemas['LogEntries']): Promise<void> {
      await live(caller, id)
      const lines = entries.map(({ level = 'INFO', message }) => ({ level, message }))
      const jobId = await assignments.appendLogs(id, lines)
      if (!jobId) throw await lostNow(id)
      changes.announce(jobId)
    },

    async listInputs(caller: Caller, id: string): Promise<Schemas['JobInputs']> {
      const { jobId } = await live(caller, id)
      const files = await assignments.listInputs(jobId)
      const sign = async ({ name, objectKey, sizeBytes, sha256, contentType }: JobFile) => {
        const { url, expiresAt } = await store.signDownload(objectKey, { expirySeconds: transferSeconds })
        return { name, url, sizeBytes, sha256, contentType, expiresAt: expiresAt.toISOString() }
      }
      return { items: await Promise.all(files.map(sign)) }
    },

    /** Declares files and gives a signed URL for each. A name keeps the size and checksum that it was first declared with. */
    async createUploads(
      caller: Caller,
      id: string,
      { files }: Schemas['UploadsRequest'],
    ): Promise<Schemas['SignedUploads']> {
      await live(caller, id)
      const names = new Set(files.map(({ name }) => name))
      if (names.size < files.length) throw invalidRequest('/files', 'Each name can be declared once.')
      const wanted = files.map((file) => ({ ...file, objectKey: `results/${id}/${file.name}` }))
      // A conflict takes back what was declared beside it.
      const isOwned = await sql.begin(async (tx) => {
        if (!(await assignments.declareFiles(id, wanted, tx))) return false
        assertDeclared(wanted, await assignments.listFiles(id, tx))
        return true
      })
      if (!isOwned) throw await lostNow(id)
      const sign = async ({ name, objectKey, sizeBytes, sha256, contentType }: JobFile) => {
        const upload = await store.signUpload(objectKey, {
          sizeBytes,
          sha256,
          contentType,
          expirySeconds: transferSeconds,
        })
        return { ...upload, name, expiresAt: upload.expiresAt.toISOString() }
      }
      return { items: await Promise.all(wanted.map(sign)) }
    },

    async release(caller: Caller, id: string): Promise<void> {
      const { type } = await live(caller, id)
      const released = await settlement.one(type, (tx) => assignments.release(id, tx))
      if (!released) throw await lostNow(id)
    },

    /** Ends the assignment. The same report again answers the same; another one is refused. */
    async report(caller: Caller, id: string, report: Schemas['ResultRequest']): Promise<Schemas['ResultAccepted']> {
      const row = await held(caller, id)
      const reportHash = hashJson(report)
      if (!row.isLive) return repeated(row, reportHash)
      assertSmall(report.resultPayload, '/resultPayload')
      assertSmall(report.metadata, '/metadata')
      checkResult(row.type, report)
      const isSuccess = report.status === 'SUCCEEDED'
      const files = isSuccess && row.hasFiles ? await arrivedFiles(id) : []
      const willRetry = !isSuccess && report.error?.retryable === true && row.attempt < row.maxAttempts
      const settled = await settlement.one(row.type, (tx) =>
        assignments.finish(
          id,
          {
            status: report.status,
            willRetry,
            reportHash,
            payload: report.resultPayload ?? null,
            metadata: report.metadata ?? null,
            error: isSuccess
              ? null
              : (report.error ?? { message: 'The worker reported a failure and gave no reason.' }),
            files,
          },
          tx,
        ),
      )
      // The same report may have come twice at once; the row lock let one of them through.
      if (!settled) return repeated((await assignments.find(id))!, reportHash)
      return { assignmentId: id, jobId: row.jobId, status: report.status, willRetry }
    },
  }

  /** The files that were declared, once every one of them is there as declared. */
  async function arrivedFiles(id: string): Promise<JobFile[]> {
    const files = await assignments.listFiles(id)
    const found = await Promise.all(files.map(({ objectKey }) => store.head(objectKey)))
    const missing = files.filter(({ sizeBytes }, index) => found[index]?.sizeBytes !== sizeBytes)
    if (missing.length > 0) {
      const names = missing.map(({ name }) => name).join(', ')
      throw new AppError('upload_incomplete', `These files were declared and have not arrived: ${names}.`)
    }
    return files
  }
}

export type AssignmentService = ReturnType<typeof assignmentService>

function lost({ outcome }: AssignmentRow): AppError {
  if (outcome === 'CANCELLED') return new AppError('job_cancelled', 'The job was cancelled. Stop working on it.')
  if (outcome === 'EXPIRED' || outcome === null)
    return new AppError('assignment_lost', 'The lease of this assignment has run out.')
  return new AppError('assignment_lost', `This assignment is over: ${outcome}.`)
}

function assertDeclared(wanted: JobFile[], declared: JobFile[]): void {
  const known = new Map(declared.map((file) => [file.name, file]))
  for (const { name, sizeBytes, sha256, contentType } of wanted) {
    const file = known.get(name)!
    if (file.sizeBytes !== sizeBytes || file.sha256 !== sha256 || file.contentType !== contentType)
      throw new AppError('file_conflict', `${name} was declared with another size, checksum or type.`)
  }
}

function repeated(row: AssignmentRow, reportHash: Buffer): Schemas['ResultAccepted'] {
  const { id, jobId, outcome, willRetry } = row
  if (outcome !== 'SUCCEEDED' && outcome !== 'FAILED') throw lost(row)
  if (!row.reportHash?.equals(reportHash))
    throw new AppError('result_conflict', `This assignment was reported as ${outcome} already.`)
  return { assignmentId: id, jobId, status: outcome, willRetry: willRetry === true }
}

/** A result must be what the job type promises, and a failure has none. */
function checkResult(type: JobTypeName, { status, resultPayload, error }: Schemas['ResultRequest']): void {
  if (status === 'FAILED') {
    if (resultPayload !== undefined) throw invalidRequest('/resultPayload', 'A failure has no result.')
    return
  }
  if (error) throw invalidRequest('/error', 'A success has no error.')
  const jobType = jobTypes[type]
  if (!('result' in jobType)) return
  if (resultPayload === undefined) throw invalidRequest('/resultPayload', `Jobs of type ${type} have a result.`)
  const checked = jobType.result.safeParse(resultPayload)
  if (checked.success) return
  const errors = checked.error.issues.map((issue) => ({
    pointer: `/resultPayload${jsonPointer(issue.path)}`,
    detail: issue.message,
  }))
  throw new AppError('invalid_request', `The result does not fit the schema of ${type}.`, { errors })
}
