/** In characters: as long as file systems let names be. */
const longest = 255

/**
 * The header that has a download saved under this name (RFC 6266): the name itself in UTF-8, and before it, for clients
 * that know no better, what ASCII can say of it.
 */
export function attachment(fileName: string): string {
  // A path or a control character in a file name is somebody's attempt at something.
  const name = Array.from(fileName.toWellFormed().replace(/[\p{Cc}/\\]/gu, '_'))
    .slice(0, longest)
    .join('')
  const ascii = name.replace(/[^\x20-\x7e]|["%]/g, '_')
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encode(name)}`
}

/** RFC 8187 allows fewer characters than encodeURIComponent leaves. */
const encode = (name: string) =>
  encodeURIComponent(name).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
