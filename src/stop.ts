/** When this process is asked to stop. Asked a second time, it ends at once. */
export function onceStopped(): Promise<void> {
  return new Promise((resolve) => {
    const ask = () => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.off(signal, ask)
        process.once(signal, () => process.exit(1))
      }
      resolve()
    }
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, ask)
  })
}
