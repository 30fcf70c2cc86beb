/** What waits for its turn, and may leave before. */
interface Waiting {
  weight: number
  begin: () => void
}

/**
 * Lets only so much of something heavy be under way at once, by weight. Who comes later waits until there is room, first come, first
 * served; what is heavier than all there is has it to itself.
 */
export function createTurns(capacity: number) {
  let free = capacity
  const waiting = new Set<Waiting>()

  function admit(): void {
    for (const next of waiting) {
      if (next.weight > free) return
      waiting.delete(next)
      free -= next.weight
      next.begin()
    }
  }

  function leave(one: Waiting): void {
    waiting.delete(one)
    // Who stood behind something heavy may have room.
    admit()
  }

  return {
    /** Gives what ends the turn: call it once. Throws the signal's reason if that aborts before the turn has come. */
    async take(weight: number, signal?: AbortSignal): Promise<() => void> {
      signal?.throwIfAborted()
      const share = Math.min(weight, capacity)
      const turn = Promise.withResolvers<void>()
      const one = { weight: share, begin: turn.resolve }
      const onAbort = () => {
        turn.reject(signal?.reason)
        leave(one)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      waiting.add(one)
      admit()
      await turn.promise.finally(() => signal?.removeEventListener('abort', onAbort))
      return () => {
        free += share
        admit()
      }
    },
  }
}

export type Turns = ReturnType<typeof createTurns>
