import { describe, expect, test } from 'vitest'
import { createTurns } from '../src/turns.ts'

/** Asks for turns of these weights, and tells which have begun. */
function askFor(capacity: number, ...weights: number[]) {
  const turns = createTurns(capacity)
  const begun: number[] = []
  const ends = weights.map((weight, n) =>
    turns.take(weight).then((end) => {
      begun.push(n)
      return end
    }),
  )
  return { begun, end: async (n: number) => (await ends[n])!(), settled: () => new Promise(setImmediate) }
}

describe('turns', () => {
  test('begin at once while there is room, and then as others end', async () => {
    const { begun, end, settled } = askFor(10, 4, 6, 5, 5)
    await settled()
    expect(begun).toEqual([0, 1])

    await end(0)
    await settled()
    expect(begun).toEqual([0, 1])

    await end(1)
    await settled()
    expect(begun).toEqual([0, 1, 2, 3])
  })

  test('come in the order in which they were asked for: nobody light overtakes', async () => {
    const { begun, end, settled } = askFor(10, 6, 8, 1)
    await settled()
    expect(begun).toEqual([0])

    await end(0)
    await settled()
    expect(begun).toEqual([0, 1, 2])
  })

  test('have it all to themselves where they are heavier than that', async () => {
    const { begun, end, settled } = askFor(10, 1, 50, 1)
    await settled()
    expect(begun).toEqual([0])

    await end(0)
    await settled()
    expect(begun).toEqual([0, 1])

    await end(1)
    await settled()
    expect(begun).toEqual([0, 1, 2])
  })

  test('are given up by who does not wait any more, and those behind move up', async () => {
    const turns = createTurns(10)
    const [end, gone] = [await turns.take(6), new AbortController()]
    const [heavy, light] = [turns.take(8, gone.signal), turns.take(4)]

    gone.abort(new Error('gone'))

    await expect(heavy).rejects.toThrow('gone')
    await expect(turns.take(1, gone.signal)).rejects.toThrow('gone')
    ;(await light)()
    end()
    ;(await turns.take(10))()
  })

  test('that have come are not given up by an abort', async () => {
    const turns = createTurns(1)
    const gone = new AbortController()
    const end = await turns.take(1, gone.signal)

    gone.abort(new Error('gone'))
    const next = turns.take(1)
    end()

    ;(await next)()
  })
})
