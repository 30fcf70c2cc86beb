import { parseRange, type ResolvedRange } from './byte-range.ts'
import { attachment } from './content-disposition.ts'
import type { ObjectInfo } from './object-store.ts'
import type { DownloadGrant } from './signed-url.ts'
import { StoreProblem } from './store-problem.ts'

export interface DownloadHead {
  status: 200 | 206 | 304
  headers: Record<string, string>
  /** Of what is to be sent; undefined for nothing. */
  range: ResolvedRange | undefined
}

/** What to answer to a download, conditions and ranges considered in the order of RFC 9110 13.2.2. */
export function downloadHead(request: Headers, grant: DownloadGrant, info: ObjectInfo): DownloadHead {
  const common = commonHeaders(info)
  if (isNotModified(request, info)) return { status: 304, headers: common, range: undefined }
  const range = rangeApplies(request, info) ? parseRange(request.get('range') ?? undefined, info.sizeBytes) : undefined
  if (range === 'unsatisfiable') {
    const headers = { 'content-range': `bytes */${info.sizeBytes}` }
    throw new StoreProblem('range_not_satisfiable', `The file has ${info.sizeBytes} bytes.`, headers)
  }
  const { start, end } = range ?? { start: 0, end: info.sizeBytes - 1 }
  const headers: Record<string, string> = {
    ...common,
    ...SAFETY,
    'content-type': grant.contentType ?? info.contentType,
    'content-length': `${end - start + 1}`,
  }
  if (grant.fileName !== undefined) headers['content-disposition'] = attachment(grant.fileName)
  if (range) headers['content-range'] = `bytes ${start}-${end}/${info.sizeBytes}`
  return { status: range ? 206 : 200, headers, range: { start, end } }
}

const commonHeaders = ({ etag, lastModifiedAt }: ObjectInfo) => ({
  etag,
  'last-modified': lastModifiedAt.toUTCString(),
  'accept-ranges': 'bytes',
  // no-transform: compressed on the way, the bytes would be others than the strong ETag and the ranges speak of.
  'cache-control': 'private, no-cache, no-transform',
})

/** Files come from people, and are served from the origin of the API. */
const SAFETY = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
}

function isNotModified(request: Headers, { etag }: ObjectInfo): boolean {
  const known = request.get('if-none-match')
  if (known === null) return false
  return known.trim() === '*' || known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}

/** With If-Range, only for who has the beginning of this very file; a weak tag or an older date is not that. */
function rangeApplies(request: Headers, { etag, lastModifiedAt }: ObjectInfo): boolean {
  const condition = request.get('if-range')
  return condition === null || condition === etag || condition === lastModifiedAt.toUTCString()
}
