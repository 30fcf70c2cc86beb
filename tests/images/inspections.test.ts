import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { discardedFiles } from '../../src/files/discarded-files.ts'
import { imageInspections } from '../../src/images/image-inspections.ts'
import { imageService } from '../../src/images/image-service.ts'
import { imageStore } from '../../src/images/image-store.ts'
import { startTestService } from '../support/service.ts'
import { noise, png } from './inspection/png-bytes.ts'
import { remains, sha256, somePng, streamOf, upload } from './support.ts'

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await turn()
}

/** A store with one picture of many chunks, which stops at a chunk until it may go on. */
function slowStore({ stopAt = 3 } = {}) {
  const [width, height] = [1000, 500]
  const bytes = png({ width, height, rows: noise(width, height, 24) })
  const [stopped, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const state = { streams: 0, chunks: 0, isCancelled: false }
  const info = { sizeBytes: bytes.length, contentType: 'image/png', etag: '"a"', lastModifiedAt: new Date() }
  const get = async (_: string, { range }: { range?: { start: number; end?: number } } = {}) => {
    const part = bytes.subarray(range?.start, range?.end === undefined ? undefined : range.end + 1)
    if (range?.end !== undefined) return { info, body: streamOf([part]) }
    state.streams++
    let at = 0
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (++state.chunks === stopAt) {
            stopped.resolve()
            await goOn.promise
          }
          controller.enqueue(part.subarray(at, at + 16_384))
          at += 16_384
          if (at >= part.length) controller.close()
        },
        cancel() {
          state.isCancelled = true
        },
      },
      { highWaterMark: 0 },
    )
    return { info, body }
  }
  const image = { id: 'a', objectKey: 'images/a', sizeBytes: bytes.length, contentType: 'image/png' as const }
  return { store: { get }, image, state, stopped: stopped.promise, goOn: goOn.resolve, size: { width, height } }
}

describe('an inspection', () => {
  const ended = { code: 'service_unavailable', retryAfterSeconds: 2 }

  test('goes on while somebody waits for it, and is shared by all who do', async () => {
    const { store, image, state, stopped, goOn, size } = slowStore()
    const { inspect } = imageInspections(store)
    const gone = new AbortController()
    const [first, second] = [inspect(image, gone.signal), inspect(image)]
    await stopped

    gone.abort()
    await expect(first).rejects.toMatchObject(ended)
    const third = inspect(image)
    goOn()

    expect(await Promise.all([second, third])).toEqual([size, size])
    expect(state.streams).toBe(1)
  })

  test('ends when the last who waited is gone, and begins anew for who comes then', async () => {
    const { store, image, state, stopped, goOn, size } = slowStore()
    const { inspect } = imageInspections(store)
    const [one, other] = [new AbortController(), new AbortController()]
    const both = Promise.allSettled([inspect(image, one.signal), inspect(image, other.signal)])
    await stopped

    one.abort()
    other.abort()
    expect(await both).toMatchObject([{ reason: ended }, { reason: ended }])
    goOn()

    await expect.poll(() => state.isCancelled).toBe(true)
    expect(state.chunks).toBeLessThan(6)
    expect(await inspect(image)).toEqual(size)
    expect(state.streams).toBe(2)
  })

  test('does not begin for who is gone', async () => {
    const { store, image, state } = slowStore()

    await expect(imageInspections(store).inspect(image, AbortSignal.abort())).rejects.toMatchObject(ended)

    expect(state.streams).toBe(0)
  })

  test('is not kept: what was inspected is inspected anew', async () => {
    const { store, image, state, size } = slowStore({ stopAt: 0 })
    const { inspect } = imageInspections(store)

    expect([await inspect(image), await inspect(image)]).toEqual([size, size])

    expect(state.streams).toBe(2)
  })
})

const service = await startTestService()
const ana = await service.person()

test('two images at most are inspected at once', async () => {
  const release = Promise.withResolvers<void>()
  const waiting = new Set<string>()
  const { get, put } = service.store
  using puts = vi.spyOn(service.store, 'put').mockImplementation(put)
  using _gets = vi.spyOn(service.store, 'get').mockImplementation(async (key, options) => {
    waiting.add(key)
    await release.promise
    return get(key, options)
  })

  const uploads = Promise.all([1, 2, 3, 4].map((width) => upload(service, ana, somePng(width))))
  await vi.waitUntil(() => puts.mock.settledResults.filter(({ type }) => type === 'fulfilled').length === 4, 20_000)
  await turns(200)
  expect(waiting.size).toBe(2)

  release.resolve()
  await uploads
  expect(waiting.size).toBe(4)
})

describe('nobody waits any more', () => {
  const images = imageStore(service.sql)
  const caller = { kind: 'session' as const, userId: ana.id, roles: [], scopes: [] }
  const { create, completeUpload, startUpload } = imageService({
    sql: service.sql,
    images,
    store: service.store,
    files: discardedFiles({ sql: service.sql, store: service.store, log: service.log }),
    polygons: { isVisible: async () => false },
    notes: { findOwn: async () => undefined },
    limitBytes: 1e6,
    log: service.log,
  })
  const ended = { code: 'service_unavailable' }

  test('for an upload, which can still be completed', async () => {
    const bytes = somePng(50)
    const file = { contentType: 'image/png' as const, sizeBytes: bytes.length, sha256: sha256(bytes) }
    const { imageId } = await startUpload(caller, { name: 'a.png', ...file })
    await service.store.put(`images/${imageId}`, bytes, file)

    await expect(completeUpload(caller, imageId, AbortSignal.abort())).rejects.toMatchObject(ended)

    expect(await completeUpload(caller, imageId)).toMatchObject({ id: imageId, width: 50 })
  })

  test('for a form, of which nothing stays', async () => {
    const before = await remains(service)
    const form = () => ({ file: { name: 'a.png', bytes: Readable.from([somePng(51)]) }, fields: async () => ({}) })

    await expect(create(caller, form(), AbortSignal.abort())).rejects.toMatchObject(ended)
    expect(await remains(service)).toEqual(before)

    expect(await create(caller, form())).toMatchObject({ width: 51 })
  })
})
