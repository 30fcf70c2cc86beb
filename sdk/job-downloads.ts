import { download } from './download.ts'
import type { JobCalls } from './jobs.ts'
import type { FetchLike } from './options.ts'
import type { TransferOptions } from './transfer.ts'

/** One file of a job's result. */
export interface JobFile {
  /** As the job's result names it. */
  name: string
  /** Read its body before asking for the next file. */
  response: Response
}

/** What fetching a job's files takes. */
export interface JobFilesOptions extends TransferOptions {
  /** Only these, in this order. All by name unless given. */
  names?: readonly string[] | undefined
}

export async function* downloadFiles(
  fetch: FetchLike | undefined,
  linksOf: JobCalls['download'],
  jobId: string,
  { names, ...options }: JobFilesOptions = {},
): AsyncGenerator<JobFile, void, undefined> {
  const { files } = await linksOf(jobId, undefined, { signal: options.signal })
  for (const name of names ?? Object.keys(files).sort()) {
    const url = files[name]
    if (url === undefined) throw new RangeError(`Job ${jobId} has no file ${name}`)
    yield { name, response: await download(url, { ...options, fetch: options.fetch ?? fetch }) }
  }
}
