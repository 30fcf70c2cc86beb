import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { begin, workersStopAfterEach } from './support/begin-worker.ts'
import { fakeQueue, testClaim } from './support/fake-queue.ts'
import { json, problem } from './support/fake-service.ts'

workersStopAfterEach()

describe('files', () => {
  const inputUrl = 'https://store.example/in?sig=s'
  const sha256 = '84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882'
  const inputs = json({
    items: [
      {
        name: 'depth.tif',
        url: inputUrl,
        sizeBytes: 10,
        sha256,
        contentType: 'image/tiff',
        expiresAt: '2026-03-03T00:00:00Z',
      },
    ],
  })
  const uploads = ({ body }: { body: unknown }) =>
    json({
      items: (body as { files: { name: string }[] }).files.map(({ name }) => ({
        name,
        url: `https://store.example/out/${name}?sig=s`,
        method: 'PUT',
        headers: {},
        expiresAt: '2026-03-03T00:00:00Z',
      })),
    })
  const stored = new Response(null, { status: 201 })

  test('come in checked, go out declared, and the directory goes away', async () => {
    vi.useRealTimers()
    const queue = fakeQueue({
      'GET /api/jobs/assignments/a1/inputs': inputs,
      'GET /in': () => new Response('0123456789'),
      'POST /api/jobs/assignments/a1/uploads': uploads,
      'PUT /out/copy.tif': stored,
      'PUT /out/summary.json': stored,
    })
    let directory = ''
    begin(queue, {
      handlers: {
        TEST: async (_, context) => {
          directory = await context.workDir()
          const input = await context.downloadInput('depth.tif')
          expect(input.startsWith(directory)).toBe(true)
          await writeFile(join(directory, 'copy.tif'), '0123456789')
          await context.uploadFiles([
            { name: 'copy.tif', path: join(directory, 'copy.tif'), contentType: 'image/tiff' },
            { name: 'summary.json', bytes: '{}', contentType: 'application/json' },
          ])
          return { id: 1 }
        },
      },
    })
    queue.offer(testClaim(1))
    await expect.poll(() => queue.results()).toHaveLength(1)
    await expect.poll(() => existsSync(directory)).toBe(false)

    expect(queue.results()).toEqual([{ status: 'SUCCEEDED', resultPayload: { id: 1 } }])
    expect(queue.to('POST /api/jobs/assignments/a1/uploads')[0]!.body).toEqual({
      files: [
        { name: 'copy.tif', sizeBytes: 10, sha256, contentType: 'image/tiff' },
        {
          name: 'summary.json',
          sizeBytes: 2,
          sha256: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
          contentType: 'application/json',
        },
      ],
    })
    expect(queue.to('PUT /out/copy.tif')[0]!.body).toBe('0123456789')
    expect(queue.to('PUT /out/copy.tif')[0]!.headers.get('authorization')).toBeNull()
    expect(queue.to('GET /in')[0]!.headers.get('authorization')).toBeNull()
  })

  test('that arrive damaged make the job fail for now', async () => {
    vi.useRealTimers()
    const queue = fakeQueue({
      'GET /api/jobs/assignments/a1/inputs': inputs,
      'GET /in': () => new Response('012345678X'),
    })
    begin(queue, {
      handlers: {
        TEST: async (_, context) => {
          await context.downloadInput('depth.tif')
          return { id: 1 }
        },
      },
    })
    queue.offer(testClaim(1))
    await expect.poll(() => queue.results()).toHaveLength(1)
    expect(queue.results()).toEqual([
      { status: 'FAILED', error: { message: expect.stringContaining('SHA-256'), retryable: true } },
    ])
  })

  test('whose link has expired get a fresh one', async () => {
    vi.useRealTimers()
    const queue = fakeQueue({
      'POST /api/jobs/assignments/a1/uploads': uploads,
      'PUT /out/a.json': [problem(403, 'url_expired'), stored],
    })
    begin(queue, {
      handlers: {
        TEST: async (_, { uploadFiles }) => {
          await uploadFiles([{ name: 'a.json', bytes: '{}', contentType: 'application/json' }])
          return { id: 1 }
        },
      },
    })
    queue.offer(testClaim(1))
    await expect.poll(() => queue.results()).toHaveLength(1)
    expect(queue.to('POST /api/jobs/assignments/a1/uploads')).toHaveLength(2)
    expect(queue.results()[0]).toMatchObject({ status: 'SUCCEEDED' })
  })
})
