const asking = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/** When this process is asked to stop, by name, by Ctrl-C or with its terminal. Asked a second time, it ends at once. */
export function onceStopped(): Promise<void> {
  return new Promise((resolve) => {
    const ask = () => {
      for (const signal of asking) {
        process.off(signal, ask)
        process.once(signal, () => process.exit(1))
      }
      resolve()
    }
    for (const signal of asking) process.once(signal, ask)
  })
}
