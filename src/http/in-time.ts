/** The work, or the failure that `late` makes, whichever is there first. The work itself goes on, heard by nobody. */
export async function inTime<T>(work: Promise<T>, patienceMs: number, late: () => Error): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(late()), patienceMs)
  return Promise.race([work, promise]).finally(() => clearTimeout(timer))
}
