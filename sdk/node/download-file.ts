import { createHash, type Hash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Client } from '../client.ts'
import { type DownloadOptions, download } from '../download.ts'
import { ConnectionError, TimeoutError, TransferError } from '../errors.ts'
import { quietly } from '../hooks.ts'
import { pause } from '../pause.ts'
import { backoffMs } from '../retry.ts'
import type { TransferOptions } from '../transfer.ts'

/** What fetching a file to disk takes. */
export interface DownloadFileOptions extends TransferOptions {
  /** The SHA-256 that the file must have, in lower-case hexadecimal. */
  sha256?: string | undefined
  /** The size that the file must have. */
  sizeBytes?: number | undefined
}

/** A file that was fetched. */
export interface DownloadedFile {
  /** Where it is. */
  path: string
  /** How large it is. */
  sizeBytes: number
  /** In lower-case hexadecimal. */
  sha256: string
}

type Download = (url: string, options: DownloadOptions) => Promise<Response>

/**
 * Fetches a file from a signed URL to disk, making directories as needed. A download that breaks off goes on from where it was.
 * Nothing is at `path` before the file is whole and right.
 *
 * Throws `TransferError` (`download_failed`, `size_mismatch`, `checksum_mismatch`), `ConnectionError`, `TimeoutError` or the signal's reason.
 */
export const downloadFile = (url: string, path: string, options: DownloadFileOptions = {}): Promise<DownloadedFile> =>
  downloadFileWith(download, url, path, options)

/** The same with a client's `transfers.download`. */
export async function downloadFileWith(
  fetchFile: Download,
  url: string,
  path: string,
  options: DownloadFileOptions,
): Promise<DownloadedFile> {
  await mkdir(dirname(path), { recursive: true })
  const partPath = `${path}.${randomUUID()}.part`
  const part: Part = { file: await open(partPath, 'wx'), sizeBytes: 0, hash: createHash('sha256'), etag: undefined }
  try {
    await fetchAll(part, fetchFile, url, options)
    const sha256 = verified(part, options)
    await part.file.close()
    await rename(partPath, path)
    return { path, sizeBytes: part.sizeBytes, sha256 }
  } catch (error) {
    await part.file.close().catch(() => {})
    await rm(partPath, { force: true })
    throw error
  }
}

/**
 * Fetches the files of a job that succeeded into a directory, one after another. Throws as `jobs.download` and `downloadFile` do.
 */
export async function downloadJobFiles(
  client: Pick<Client, 'jobs' | 'transfers'>,
  jobId: string,
  directory: string,
  { names, ...options }: TransferOptions & { names?: readonly string[] | undefined } = {},
): Promise<DownloadedFile[]> {
  const { files } = await client.jobs.download(jobId, undefined, { signal: options.signal })
  const fetched: DownloadedFile[] = []
  for (const name of names ?? Object.keys(files).sort()) {
    const url = files[name]
    if (url === undefined) throw new RangeError(`Job ${jobId} has no file ${name}`)
    fetched.push(await downloadFileWith(client.transfers.download, url, fileWithin(directory, name), options))
  }
  return fetched
}

/** Names come from a service, and must not lead out of the directory even if that is not ours. */
export function fileWithin(directory: string, name: string): string {
  const isPlain = name.split('/').every((segment) => /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(segment))
  if (!isPlain) throw new RangeError(`Not a file name: ${JSON.stringify(name)}`)
  return join(directory, ...name.split('/'))
}

/** What is on disk so far. */
interface Part {
  file: FileHandle
  sizeBytes: number
  hash: Hash
  etag: string | undefined
}

async function fetchAll(part: Part, fetchFile: Download, url: string, options: DownloadFileOptions): Promise<void> {
  const { retries = 3, signal } = options
  for (let failures = 0; ; ) {
    const before = part.sizeBytes
    try {
      return await fetchRest(part, fetchFile, url, options)
    } catch (error) {
      const isBroken = error instanceof ConnectionError || error instanceof TimeoutError
      failures = part.sizeBytes > before ? 1 : failures + 1
      if (!isBroken || failures > retries) throw error
      await pause(backoffMs(failures), signal)
    }
  }
}

async function fetchRest(part: Part, fetchFile: Download, url: string, options: DownloadFileOptions): Promise<void> {
  const { onProgress, signal, timeoutMs, retries, fetch } = options
  const response = await fetchFile(url, { headers: rangeOf(part), signal, timeoutMs, retries, fetch })
  if (response.status !== 206) await startOver(part)
  part.etag = strongETag(response)
  const totalBytes = options.sizeBytes ?? totalOf(response, part.sizeBytes)
  for await (const chunk of response.body ?? []) {
    await part.file.write(chunk, 0, chunk.byteLength, part.sizeBytes)
    part.hash.update(chunk)
    part.sizeBytes += chunk.byteLength
    if (part.sizeBytes > (options.sizeBytes ?? Infinity)) throw sizeMismatch(part, options)
    quietly(onProgress, { doneBytes: part.sizeBytes, totalBytes })
  }
  if (part.sizeBytes < (totalBytes ?? 0)) throw new ConnectionError('The download ended early')
}

/** `If-Range`: should the file be another one by now, all of it comes. Without an ETag to say so, all of it is asked for. */
const rangeOf = ({ sizeBytes, etag }: Part): Record<string, string> =>
  sizeBytes > 0 && etag ? { Range: `bytes=${sizeBytes}-`, 'If-Range': etag } : {}

const strongETag = ({ headers }: Response): string | undefined => {
  const etag = headers.get('etag')
  return etag === null || etag.startsWith('W/') ? undefined : etag
}

function totalOf({ headers }: Response, alreadyThere: number): number | undefined {
  const length = headers.get('content-length')
  return length === null || headers.has('content-encoding') ? undefined : alreadyThere + Number(length)
}

async function startOver(part: Part): Promise<void> {
  await part.file.truncate(0)
  part.sizeBytes = 0
  part.hash = createHash('sha256')
}

function verified(part: Part, { sizeBytes, sha256 }: DownloadFileOptions): string {
  if (sizeBytes !== undefined && part.sizeBytes !== sizeBytes) throw sizeMismatch(part, { sizeBytes })
  const actual = part.hash.digest('hex')
  if (sha256 !== undefined && actual !== sha256) {
    throw new TransferError('checksum_mismatch', `Expected SHA-256 ${sha256} and got ${actual}`)
  }
  return actual
}

const sizeMismatch = (part: Part, { sizeBytes }: DownloadFileOptions) =>
  new TransferError('size_mismatch', `Expected ${sizeBytes} bytes and got ${part.sizeBytes}`)
