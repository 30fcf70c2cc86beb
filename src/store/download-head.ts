import { isKnown, isMatched } from '../versions.ts'
import { parseRange, type ResolvedRange } from './byte-range.ts'
import { parseHttpDate } from './http-date.ts'

/** The headers that a download may come with. */
export interface DownloadConditions {
  range?: string | undefined
  ifRange?: string | undefined
  ifNoneMatch?: string | undefined
  ifModifiedSince?: string | undefined
  ifMatch?: string | undefined
  ifUnmodifiedSince?: string | undefined
}

export interface Downloadable {
  sizeBytes: number
  /** Strong, quotes included. */
  etag: string
  lastModifiedAt: Date
}

/** The answer's status and headers. `range`: of what is to be sent; undefined for nothing. */
export type DownloadHead =
  | { status: 200; headers: FileHeaders; range: ResolvedRange }
  | { status: 206; headers: FileHeaders & RangeHeader; range: ResolvedRange }
  | { status: 304; headers: CommonHeaders; range?: undefined }
  | { status: 412; headers: Record<never, never>; range?: undefined }
  | { status: 416; headers: RangeHeader; range?: undefined }

type CommonHeaders = Record<'ETag' | 'Last-Modified' | 'Accept-Ranges' | 'Cache-Control', string>
type FileHeaders = CommonHeaders & Record<'Content-Length', string>
type RangeHeader = Record<'Content-Range', string>

/** What to answer to a download, conditions and ranges considered in the order of RFC 9110 13.2.2. */
export function downloadHead(conditions: DownloadConditions, file: Downloadable): DownloadHead {
  const common = commonHeaders(file)
  const { sizeBytes } = file
  if (isAnother(conditions, file)) return { status: 412, headers: {} }
  if (isThere(conditions, file)) return { status: 304, headers: common }
  const range = rangeApplies(conditions, file) ? parseRange(conditions.range, sizeBytes) : undefined
  if (range === 'unsatisfiable') return { status: 416, headers: { 'Content-Range': `bytes */${sizeBytes}` } }
  const { start, end } = range ?? { start: 0, end: sizeBytes - 1 }
  const headers = { ...common, 'Content-Length': `${end - start + 1}` }
  if (!range) return { status: 200, headers, range: { start, end } }
  return { status: 206, headers: { ...headers, 'Content-Range': `bytes ${start}-${end}/${sizeBytes}` }, range }
}

const commonHeaders = ({ etag, lastModifiedAt }: Downloadable): CommonHeaders => ({
  ETag: etag,
  'Last-Modified': lastModifiedAt.toUTCString(),
  'Accept-Ranges': 'bytes',
  // no-transform: compressed on the way, the bytes would be others than the strong ETag and the ranges speak of.
  'Cache-Control': 'private, no-cache, no-transform',
})

/** Whether it is another than the client asks for. A tag says it better than a date. */
function isAnother({ ifMatch, ifUnmodifiedSince }: DownloadConditions, file: Downloadable): boolean {
  if (ifMatch !== undefined) return !isMatched(ifMatch, file.etag)
  return isModifiedSince(ifUnmodifiedSince, file) === true
}

/** Whether the client has it already. */
function isThere({ ifNoneMatch, ifModifiedSince }: DownloadConditions, file: Downloadable): boolean {
  if (ifNoneMatch !== undefined) return isKnown(ifNoneMatch, file.etag)
  return isModifiedSince(ifModifiedSince, file) === false
}

/** Undefined for no date, or none that can be read: that is no condition. What clients know of ours are whole seconds. */
function isModifiedSince(header: string | undefined, { lastModifiedAt }: Downloadable): boolean | undefined {
  const since = parseHttpDate(header)
  return since && Math.floor(lastModifiedAt.getTime() / 1000) > Math.floor(since.getTime() / 1000)
}

/** With If-Range, only for who has the beginning of this very file; a weak tag or an older date is not that. */
function rangeApplies({ ifRange: condition }: DownloadConditions, { etag, lastModifiedAt }: Downloadable): boolean {
  return condition === undefined || condition === etag || condition === lastModifiedAt.toUTCString()
}
