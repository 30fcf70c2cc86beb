/** The ETag of a resource at this version: strong, since the version goes up with every change (RFC 9110, section 8.8.3). */
export const etagOf = (version: number): string => `"${version}"`

/**
 * The versions that `If-Match` names, any of which will do; `undefined` where any at all will do: no header, or `*`. A weak tag names
 * none (RFC 9110, section 13.1.1), nor does one that is not ours.
 */
export function versionsOf(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  const tags = ifMatch.matchAll(/(?<=^|,)\s*"([1-9]\d{0,8})"\s*(?=,|$)/g)
  return Array.from(tags, ([, version]) => Number(version))
}
