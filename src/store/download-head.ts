import { parseRange, type ResolvedRange } from './byte-range.ts'

/** The headers that a download may come with. */
export interface DownloadConditions {
  range?: string | undefined
  ifRange?: string | undefined
  ifNoneMatch?: string | undefined
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
  | { status: 416; headers: RangeHeader; range?: undefined }

type CommonHeaders = Record<'ETag' | 'Last-Modified' | 'Accept-Ranges' | 'Cache-Control', string>
type FileHeaders = CommonHeaders & Record<'Content-Length', string>
type RangeHeader = Record<'Content-Range', string>

/** What to answer to a download, conditions and ranges considered in the order of RFC 9110 13.2.2. */
export function downloadHead(conditions: DownloadConditions, file: Downloadable): DownloadHead {
  const common = commonHeaders(file)
  const { sizeBytes } = file
  if (isKnown(conditions, file)) return { status: 304, headers: common }
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

function isKnown({ ifNoneMatch: known }: DownloadConditions, { etag }: Downloadable): boolean {
  if (known === undefined) return false
  return known.trim() === '*' || known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}

/** With If-Range, only for who has the beginning of this very file; a weak tag or an older date is not that. */
function rangeApplies({ ifRange: condition }: DownloadConditions, { etag, lastModifiedAt }: Downloadable): boolean {
  return condition === undefined || condition === etag || condition === lastModifiedAt.toUTCString()
}
