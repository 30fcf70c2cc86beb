/** What else a representation may be than the plain JSON of its resource: of another kind, or compressed. */
export type Variant = 'geojson' | 'br' | 'gzip'

/** The ETag of a resource at this version: strong, since the version goes up with every change (RFC 9110, section 8.8.3). */
export const etagOf = (version: number): string => `"${version}"`

/** The ETag of a variant: other bytes of the same version have a strong tag of their own (RFC 9110, section 8.8.3.3). */
export const variantOf = (etag: string, variant: Variant): string => etag.replace(/"$/, `.${variant}"`)

/** An `If-Match` that no version fits. */
export const noVersion = '""'

/**
 * The versions that `If-Match` names, any of which will do, whatever was read of them; `undefined` where any at all will do: no header,
 * or `*`. A weak tag names none (RFC 9110, section 13.1.1), nor does one that is not ours.
 */
export function versionsOf(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  return tagsOf(ifMatch).flatMap((tag) => {
    const [, version] = /^"([1-9]\d{0,8})(?:\.geojson)?(?:\.br|\.gzip)?"$/.exec(tag) ?? []
    return version ? [Number(version)] : []
  })
}

/** Whether `If-Match` names this strong tag: a weak one of it is another (RFC 9110, section 13.1.1). */
export const isMatched = (ifMatch: string, etag: string): boolean =>
  ifMatch.trim() === '*' || tagsOf(ifMatch).includes(etag)

/** Whether `If-None-Match` names this tag, be one of them weak or both (RFC 9110, section 13.1.2). */
export const isKnown = (ifNoneMatch: string, etag: string): boolean =>
  ifNoneMatch.trim() === '*' || tagsOf(ifNoneMatch).some((tag) => opaque(tag) === opaque(etag))

const tagsOf = (list: string): string[] => list.match(/(?<=(?:^|,)\s*)(?:W\/)?"[^"]*"(?=\s*(?:,|$))/g) ?? []
const opaque = (etag: string): string => etag.replace(/^W\//, '')
