/** The one range that a request asks for, resolved to the object's size; undefined for "send everything". */
export function parseRange(header: string | undefined, sizeBytes: number): ResolvedRange | 'unsatisfiable' | undefined {
  // RFC 9110 14.2: what one cannot parse, and more than one range if one does not want to, is ignored.
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') return suffix(Number(last), sizeBytes)
  const start = Number(first)
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start < sizeBytes ? { start, end } : 'unsatisfiable'
}

export interface ResolvedRange {
  start: number
  end: number
}

function suffix(length: number, sizeBytes: number): ResolvedRange | 'unsatisfiable' {
  if (length === 0 || sizeBytes === 0) return 'unsatisfiable'
  return { start: Math.max(0, sizeBytes - length), end: sizeBytes - 1 }
}
