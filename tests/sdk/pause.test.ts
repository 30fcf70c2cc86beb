import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { deadline } from '../../sdk/deadline.ts'
import { abortable, pause } from '../../sdk/pause.ts'
import { countingSignal, settled } from './support/promises.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('pause', () => {
  test('ends with its time or the signal, and leaves nothing behind', async () => {
    const { controller, signal, listeners } = countingSignal()
    const over = settled(pause(10, signal))
    const ended = settled(pause(20, signal))
    await vi.advanceTimersByTimeAsync(10)
    expect(over.isSettled).toBe(true)
    expect(listeners()).toBe(1)
    controller.abort(new Error('enough'))
    await vi.advanceTimersByTimeAsync(0)
    expect(ended.error).toEqual(new Error('enough'))
    expect([listeners(), vi.getTimerCount()]).toEqual([0, 0])
  })
})

describe('abortable', () => {
  test('is settled by a signal that has aborted already', async () => {
    const aborted = AbortSignal.abort(new Error('enough'))
    await expect(abortable(new Promise(() => {}), aborted)).rejects.toThrow('enough')
  })
})

describe('deadline', () => {
  test('takes times that no timer takes', async () => {
    for (const ms of [Number.POSITIVE_INFINITY, 2 ** 40]) {
      const limit = deadline('Waiting', ms)
      await vi.advanceTimersByTimeAsync(1_000)
      expect(limit.signal.aborted).toBe(false)
      limit.dispose()
    }
  })
})
