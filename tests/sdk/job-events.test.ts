import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConnectionError } from '../../sdk/index.ts'
import { eventsAnswer, frame, liveBody, logged, progress, status } from './support/event-stream.ts'
import { fakeService, problem, refused } from './support/fake-service.ts'
import { collect, countingSignal, settled } from './support/promises.ts'

const route = 'GET /api/jobs/j/events'
const over = () => new Response(null, { status: 204 })
const lastEventIds = (service: ReturnType<typeof fakeService>) =>
  service.requests.map(({ headers }) => headers.get('last-event-id'))

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('jobs.events', () => {
  test('gives typed events and ends with the job', async () => {
    const events = [
      status(1, 'PENDING'),
      status(2, 'IN_PROGRESS'),
      progress(3, 0.5),
      logged(4, 'hi'),
      status(5, 'SUCCEEDED'),
    ]
    const service = fakeService({ [route]: eventsAnswer(...events) })

    expect(await collect(service.client().jobs.events('j'))).toEqual(events)

    expect(service.requests).toHaveLength(1)
    expect(service.requests[0]!.headers.get('accept')).toBe('text/event-stream')
  })

  test('does not care where the stream is cut, and ignores comments', async () => {
    const events = [status(1, 'IN_PROGRESS'), logged(2, 'Tiefe: 12 m, Größe: 3 µm 🐠'), status(3, 'SUCCEEDED')]
    const text = `: hello\n\n${events.map(frame).join(': still here\n\n')}`
    const bytes = new TextEncoder().encode(text)
    const body = liveBody()
    const service = fakeService({ [route]: body.response })
    const seen = settled(collect(service.client().jobs.events('j')))

    for (const byte of bytes) {
      body.writeBytes(Uint8Array.of(byte))
      await vi.advanceTimersByTimeAsync(0)
    }
    body.close()
    await vi.advanceTimersByTimeAsync(0)

    expect(seen.value).toEqual(events)
  })

  test('goes on after a connection that broke, with every event once', async () => {
    const first = liveBody()
    const service = fakeService({
      [route]: [first.response, eventsAnswer(logged(2, 'b'), logged(3, 'c'), status(4, 'SUCCEEDED'))],
    })
    const seen = settled(collect(service.client().jobs.events('j')))
    await vi.advanceTimersByTimeAsync(0)

    first.write(frame(status(1, 'IN_PROGRESS')) + frame(logged(2, 'b')) + frame(logged(3, 'c')).slice(0, 20))
    await vi.advanceTimersByTimeAsync(0)
    first.break()
    await vi.runAllTimersAsync()

    expect((seen.value as { id: number }[]).map(({ id }) => id)).toEqual([1, 2, 3, 4])
    expect(lastEventIds(service)).toEqual(['0', '2'])
  })

  test('goes on after a connection that was closed before the job was over', async () => {
    const service = fakeService({
      [route]: [
        eventsAnswer(status(1, 'IN_PROGRESS')),
        refused(),
        problem(503, 'service_unavailable'),
        eventsAnswer(status(2, 'FAILED')),
      ],
    })
    const seen = settled(collect(service.client({ retries: 0 }).jobs.events('j')))
    await vi.runAllTimersAsync()
    expect(seen.value).toEqual([status(1, 'IN_PROGRESS'), status(2, 'FAILED')])
    expect(lastEventIds(service)).toEqual(['0', '1', '1', '1'])
  })

  test('starts after the event that it is told, and ends where there is none', async () => {
    const service = fakeService({ [route]: over })
    expect(await collect(service.client().jobs.events('j', { lastEventId: 12 }))).toEqual([])
    expect(lastEventIds(service)).toEqual(['12'])
  })

  test('ends quietly when the connection breaks after the last event', async () => {
    const body = liveBody()
    const service = fakeService({ [route]: body.response })
    const seen = settled(collect(service.client().jobs.events('j')))
    await vi.advanceTimersByTimeAsync(0)
    body.write(frame(status(1, 'CANCELLED')))
    await vi.advanceTimersByTimeAsync(0)
    body.break()
    await vi.advanceTimersByTimeAsync(0)
    expect(seen.value).toEqual([status(1, 'CANCELLED')])
    expect(service.requests).toHaveLength(1)
  })

  test('closes the connection when the reader breaks off', async () => {
    const body = liveBody()
    const service = fakeService({ [route]: body.response })
    const { signal, listeners } = countingSignal()
    body.write(frame(status(1, 'IN_PROGRESS')))

    for await (const event of service.client().jobs.events('j', { signal })) {
      expect(event.id).toBe(1)
      break
    }

    expect(body.isCancelled()).toBe(true)
    expect(service.requests[0]!.signal.aborted).toBe(true)
    expect(listeners()).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('ends with the reason of the signal, while connected and while waiting to connect again', async () => {
    const connected = new AbortController()
    const service = fakeService({ [route]: [liveBody().response, refused()] })
    const client = service.client({ retries: 0 })

    const one = settled(collect(client.jobs.events('j', { signal: connected.signal })))
    await vi.advanceTimersByTimeAsync(0)
    connected.abort(new Error('one'))
    const waiting = new AbortController()
    const two = settled(collect(client.jobs.events('j', { signal: waiting.signal })))
    await vi.advanceTimersByTimeAsync(0)
    waiting.abort(new Error('two'))
    await vi.advanceTimersByTimeAsync(0)

    expect([one.error, two.error]).toEqual([new Error('one'), new Error('two')])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('gives a connection up that has not made a sound for 45 seconds', async () => {
    const quiet = liveBody()
    const service = fakeService({ [route]: [quiet.response, eventsAnswer(status(1, 'SUCCEEDED'))] })
    const seen = settled(collect(service.client().jobs.events('j')))

    await vi.advanceTimersByTimeAsync(40_000)
    quiet.write(': still here\n\n')
    await vi.advanceTimersByTimeAsync(44_000)
    expect(service.requests).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(2_000)

    expect(seen.value).toEqual([status(1, 'SUCCEEDED')])
    expect(quiet.isCancelled()).toBe(true)
  })

  test('follows a quiet job through any number of short connections', async () => {
    const short = () => new Response(': nothing new\n\n', { headers: { 'content-type': 'text/event-stream' } })
    const service = fakeService({ [route]: [...Array(100).fill(short), eventsAnswer(status(1, 'SUCCEEDED'))] })
    const seen = settled(collect(service.client().jobs.events('j')))
    await vi.advanceTimersByTimeAsync(1_000)
    // Without hammering it.
    expect(service.requests.length).toBeLessThan(6)
    await vi.runAllTimersAsync()
    expect(seen.value).toEqual([status(1, 'SUCCEEDED')])
  })

  test('fails when the service is away for too long, and at once when it refuses', async () => {
    const away = settled(
      collect(
        fakeService({ [route]: refused() })
          .client({ retries: 0 })
          .jobs.events('j'),
      ),
    )
    const unknown = fakeService({ [route]: problem(404, 'job_not_found') })
    const refusal = settled(collect(unknown.client().jobs.events('j')))

    await vi.advanceTimersByTimeAsync(60_000)
    expect(away.isSettled).toBe(false)
    await vi.advanceTimersByTimeAsync(600_000)

    expect(away.error).toBeInstanceOf(ConnectionError)
    expect(refusal.error).toMatchObject({ code: 'job_not_found' })
    expect(unknown.requests).toHaveLength(1)
  })
})
