import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '../client.ts'
import type { Assignment } from '../types.ts'
import type { AssignmentCalls } from './assignment.ts'
import { downloadFileWith, fileWithin } from './download-file.ts'
import type { JobContext } from './handlers.ts'
import type { JobLog } from './job-log.ts'
import type { Lease } from './lease.ts'
import { uploadResultFiles } from './result-files.ts'

export interface JobContextOptions {
  assignment: Assignment
  calls: AssignmentCalls
  transfers: Client['transfers']
  lease: Lease
  lines: JobLog
  redact: (text: string) => string
  signal: AbortSignal
  directory: WorkDirectory
}

export function jobContext(options: JobContextOptions): JobContext {
  const { assignment, calls, transfers, lease, lines, redact, signal, directory } = options

  async function downloadInput(name: string, path?: string): Promise<string> {
    const input = (await calls.inputs({ signal })).find((candidate) => candidate.name === name)
    if (!input) throw new RangeError(`The job reads no file ${name}`)
    const target = path ?? fileWithin(join(await directory.path(), 'inputs'), name)
    const { sizeBytes, sha256 } = input
    await downloadFileWith(transfers.download, input.url, target, { sizeBytes, sha256, signal })
    return target
  }

  return {
    signal,
    token: assignment.token,
    progress: lease.progress,
    log: (message, level = 'INFO') => lines.add({ level, message: redact(message) }),
    inputs: () => calls.inputs({ signal }),
    downloadInput,
    uploadFiles: (files) => uploadResultFiles(calls, transfers.upload, files, signal),
    workDir: directory.path,
  }
}

/** A directory that exists from when it is first asked for until it is removed. */
export interface WorkDirectory {
  path(): Promise<string>
  remove(): Promise<void>
}

export function workDirectory(root = tmpdir()): WorkDirectory {
  let made: Promise<string> | undefined
  return {
    path: () => {
      made ??= mkdtemp(join(root, 'fieldstation-job-'))
      return made
    },
    async remove() {
      const path = await made?.catch(() => undefined)
      if (path) await rm(path, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
