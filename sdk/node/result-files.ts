import { createHash } from 'node:crypto'
import { ApiError, TransferError } from '../errors.ts'
import type { TransferCalls } from '../transfers.ts'
import type { FileDeclaration, SignedUpload } from '../types.ts'
import type { UploadBody } from '../upload-body.ts'
import type { AssignmentCalls } from './assignment.ts'
import { fileDeclaration, fileSource } from './files.ts'
import type { ResultFile } from './handlers.ts'

/** The contract's bound for one request. */
const maxDeclarations = 100

/** Declares the files, then sends them one after another, so that memory holds one at most. */
export async function uploadResultFiles(
  calls: Pick<AssignmentCalls, 'createUploads'>,
  upload: TransferCalls['upload'],
  files: readonly ResultFile[],
  signal: AbortSignal,
): Promise<void> {
  for (let start = 0; start < files.length; start += maxDeclarations) {
    const some = files.slice(start, start + maxDeclarations)
    const declarations = await Promise.all(some.map(declaration))
    const uploads = await calls.createUploads(declarations, { signal })
    for (const [index, file] of some.entries()) {
      const declared = declarations[index]!
      await sendFile(calls, upload, file, declared, uploadFor(uploads, file.name), signal)
    }
  }
}

async function sendFile(
  calls: Pick<AssignmentCalls, 'createUploads'>,
  upload: TransferCalls['upload'],
  file: ResultFile,
  declared: FileDeclaration,
  to: SignedUpload,
  signal: AbortSignal,
): Promise<void> {
  try {
    await upload(to, await bodyOf(file), { signal })
  } catch (error) {
    if (!hasExpired(error)) throw error
    // The files before this one took longer than its link lives. Declaring it again gives a fresh one.
    const [fresh] = await calls.createUploads([declared], { signal })
    await upload(fresh ?? to, await bodyOf(file), { signal })
  }
}

const hasExpired = (error: unknown) => error instanceof TransferError && error.status === 403

function uploadFor(uploads: SignedUpload[], name: string): SignedUpload {
  const upload = uploads.find((candidate) => candidate.name === name)
  if (!upload) throw new Error(`The service gave no link for ${name}`)
  return upload
}

async function declaration(file: ResultFile): Promise<FileDeclaration> {
  if ('path' in file) return fileDeclaration(file.path, file.name, file.contentType)
  const bytes = bytesOf(file.bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { name: file.name, contentType: file.contentType, sizeBytes: bytes.byteLength, sha256 }
}

const bodyOf = async (file: ResultFile): Promise<UploadBody> =>
  'path' in file ? fileSource(file.path) : bytesOf(file.bytes)

const bytesOf = (bytes: Uint8Array<ArrayBuffer> | string) =>
  typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes

/** Whether a report was refused for files that were declared and have not arrived. */
export const isUploadIncomplete = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 'upload_incomplete'
