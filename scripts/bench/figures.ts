import { readFileSync } from 'node:fs'

/** The value below which the given share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)

/** CPU time that a process has used so far, in microseconds. Linux only; elsewhere not a number. */
export function cpuMicroseconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10_000
  } catch {
    return Number.NaN
  }
}

/** Runs the work over and over with so many at once, for so long, and gives how often a second, and how long each took in ms. */
export async function rateOf(workers: number, seconds: number, work: (worker: number) => Promise<void>) {
  const end = performance.now() + seconds * 1000
  const started = performance.now()
  const took: number[] = []
  const loop = async (worker: number) => {
    while (performance.now() < end) {
      const before = performance.now()
      await work(worker)
      took.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => loop(worker)))
  return { rate: took.length / ((performance.now() - started) / 1000), took }
}

/** One line of the report: what, the figure, and what it is held against. */
export function report(what: string, figure: string, target: string): void {
  process.stdout.write(`  ${what.padEnd(66)} ${figure.padStart(24)}   ${target}\n`)
}
