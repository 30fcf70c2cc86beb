/** True for a failure of the connection or the server as a whole, not of the one statement: the caller may try again later. */
export function isDatabaseDown(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return (
    typeof code === 'string' &&
    /^(CONNECT|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|08|57|53|25006|40P01)/.test(code)
  )
}
