/** The work, or what `late` gives or throws when the time is up, whichever is there first. The work itself goes on, heard by nobody. */
export async function inTime<T, L>(work: Promise<T>, patienceMs: number, late: () => L): Promise<T | L> {
  const { promise: timeIsUp, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, patienceMs)
  return Promise.race([work, timeIsUp.then(late)]).finally(() => clearTimeout(timer))
}
