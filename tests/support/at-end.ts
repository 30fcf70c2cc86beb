import { afterAll } from 'vitest'

const ends: (() => unknown)[] = []

// Here and not where something is made: a hook that is registered within a test is never called.
afterAll(async () => {
  for (const end of ends.toReversed()) await end()
})

/** Does this when the tests of the file are over, what was asked for last first. From within a test, too. */
export function atEnd(end: () => unknown): void {
  ends.push(end)
}
