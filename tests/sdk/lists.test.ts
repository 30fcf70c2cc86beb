import { describe, expect, test } from 'vitest'
import { fakeService, hangs, json } from './support/fake-service.ts'

describe('all of a list', () => {
  test('begins at the cursor that it is given', async () => {
    const service = fakeService({ 'GET /api/jobs/x/logs': json({ items: [] }) })

    await service.client().jobs.logsAll('x', { cursor: 'b' }).next()

    expect(service.requests.map(({ query }) => query)).toEqual([{ cursor: 'b' }])
  })

  test('ends with the signal, on whatever page it is', async () => {
    const service = fakeService({ 'GET /api/jobs/x/logs': [json({ items: [{ id: 1 }], nextCursor: 'b' }), hangs] })
    const controller = new AbortController()
    const logs = service.client().jobs.logsAll('x', {}, { signal: controller.signal })
    await logs.next()

    const next = logs.next()
    controller.abort(new Error('enough'))

    await expect(next).rejects.toThrow('enough')
  })
})

test('an answer without content may have an ETag', async () => {
  const service = fakeService({
    'DELETE /api/polygons/x': new Response(null, { status: 204, headers: { etag: '"1"' } }),
  })
  await expect(service.client().polygons.delete('x')).resolves.toBeUndefined()
})
