import { setImmediate } from 'node:timers/promises'

/** Checking or measuring areas: counted, and done in turns with everything else that this thread does. */
export interface Work {
  /** Counts what was done; a unit is about the comparison of two boxes. Throws past the bound, if there is one. */
  spend(units: number): void
  /** Whether it is time to `breathe`. Cheap enough for inner loops. */
  isLong(): boolean
  /** Lets others have their turn. */
  breathe(): Promise<void>
}

/** What things cost, in comparisons of two boxes: some three nanoseconds each. */
export const cost = { position: 50, search: 50, found: 4, side: 10, meeting: 50, order: 30, touch: 200, geodesic: 400 }

/** What one request may cost: some seconds at the very most. A coastline of 200,000 positions takes a tenth of it. */
export const maxWork = 200_000_000

const unitsBetweenLooksAtTheClock = 20_000
const turnMs = 10

export function startWork(bound?: { units: number; refusal: () => Error }): Work {
  let spent = 0
  let looked = 0
  let since = performance.now()

  return {
    spend(units) {
      spent += units
      if (bound && spent > bound.units) throw bound.refusal()
    },
    isLong() {
      if (spent - looked < unitsBetweenLooksAtTheClock) return false
      looked = spent
      return performance.now() - since >= turnMs
    },
    async breathe() {
      await setImmediate()
      since = performance.now()
    },
  }
}
