/** Replaces what must not be shown to everyone who may see a job: known secrets, keys, bearer tokens, and the query of any URL. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  return (text) =>
    secrets
      .reduce((shown, secret) => shown.replaceAll(secret, '[secret]'), text)
      .replace(/\bfs_[\w-]+/g, '[secret]')
      .replace(/\bBearer\s+[\w.~+/=-]+/gi, 'Bearer [secret]')
      .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '[secret]')
      .replace(/(https?:\/\/[^\s?"'<>]+)\?[^\s"'<>]*/g, '$1?[signature]')
      .replace(/(https?:\/\/)[^\s/@"'<>]+@/g, '$1[secret]@')
}
