import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createS3Store } from '../../src/store/s3-store.ts'
import { s3Client, startS3Store } from './stores.ts'

interface Sent {
  input: { Delete?: { Objects: unknown[] } }
}

const KEY = 'runs/7/sites.geojson'

describe('the S3 store', () => {
  let s3: Awaited<ReturnType<typeof startS3Store>>
  const sent: string[] = []

  beforeAll(async () => {
    s3 = await startS3Store()
    const note =
      (next: (args: Sent) => unknown, { commandName }: { commandName: string }) =>
      (args: Sent) => {
        const deleted = args.input.Delete?.Objects.length
        sent.push(commandName.replace('Command', deleted === undefined ? '' : ` of ${deleted}`))
        return next(args)
      }
    s3.client.middlewareStack.add(note as never, { step: 'initialize' })
  })

  afterEach(() => {
    sent.length = 0
  })

  afterAll(() => s3.stop())

  test('binds size, checksum, content type and novelty as headers that must be sent as signed', async () => {
    const sha256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

    const upload = await s3.store.signUpload(KEY, {
      sizeBytes: 4,
      sha256,
      contentType: 'text/plain',
      expirySeconds: 60,
    })

    const query = new URL(upload.url).searchParams
    expect(query.get('X-Amz-SignedHeaders')?.split(';')).toEqual([
      'content-length',
      'content-type',
      'host',
      'if-none-match',
      'x-amz-checksum-sha256',
    ])
    expect(upload.headers).toEqual({
      'content-type': 'text/plain',
      'if-none-match': '*',
      'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
    })
    expect(query.get('X-Amz-Expires')).toBe('60')
    // What the SDK adds of itself would be the checksum of no body at all.
    expect([...query.keys()].filter((name) => /checksum/i.test(name))).toEqual([])
  })

  test('sends what is short in one request, and what is long in parts', async () => {
    await s3.store.put(KEY, Readable.from([Buffer.alloc(8 * 1024 * 1024)]), { contentType: 'text/plain' })
    expect(sent).toEqual(['PutObject', 'HeadObject'])
    sent.length = 0

    await s3.store.put(KEY, Readable.from([Buffer.alloc(8 * 1024 * 1024), Buffer.alloc(1)]), {
      contentType: 'text/plain',
    })

    expect(sent).toEqual(['CreateMultipartUpload', 'UploadPart', 'UploadPart', 'CompleteMultipartUpload', 'HeadObject'])
    // S3 then has a checksum of the parts' checksums, which is not the object's.
    expect((await s3.store.head(KEY))?.sha256).toBeUndefined()
  })

  test('gives up parts whose rest does not come', async () => {
    const breaking = Readable.from(
      (function* () {
        yield Buffer.alloc(9 * 1024 * 1024)
        throw new Error('the source broke')
      })(),
    )

    await expect(s3.store.put('runs/broken', breaking, { contentType: 'text/plain' })).rejects.toThrow('source broke')

    expect(sent).toEqual(['CreateMultipartUpload', 'UploadPart', 'AbortMultipartUpload'])
  })

  test('deletes a thousand at a time, as many as S3 takes', async () => {
    await s3.store.delete(Array.from({ length: 1001 }, (_, i) => `none/${i}`))

    expect(sent).toEqual(['DeleteObjects of 1000', 'DeleteObjects of 1'])
  })

  test('keeps to its prefix', async () => {
    const neighbour = createS3Store({ client: s3.client, bucket: 'field-files', prefix: 'theirs/' })
    await neighbour.put(KEY, Buffer.from('theirs'), { contentType: 'text/plain' })

    const keys: string[] = []
    for await (const { key } of neighbour.list('')) keys.push(key)

    expect(keys).toEqual([KEY])
    expect(await s3.store.head(`theirs/${KEY}`)).toBeUndefined()
    expect((await s3.store.head(KEY))?.sizeBytes).not.toBe(6)
  })
})

describe('an S3 store that', () => {
  const cleanUp: (() => unknown)[] = []

  afterEach(async () => {
    for (const step of cleanUp.splice(0)) await step()
  })

  test('has no such bucket is told from an object that is not there', async () => {
    const s3 = await startS3Store()
    cleanUp.push(s3.stop)

    await expectUnavailable(createS3Store({ client: s3.client, bucket: 'no-such-bucket' }), 'missing')
  })

  test('does not let us in says so', async () => {
    const refusing = await answering(
      403,
      '<Error><Code>InvalidAccessKeyId</Code><Message>Who are you?</Message></Error>',
    )

    await expectUnavailable(createS3Store({ client: s3Client(refusing), bucket: 'field-files' }), 'denied')
  })

  test('has trouble of its own says so', async () => {
    const failing = await answering(503, '<Error><Code>SlowDown</Code></Error>')

    await expectUnavailable(createS3Store({ client: s3Client(failing), bucket: 'field-files' }), 'unreachable')
  })

  test('is down says so', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')

    await expectUnavailable(createS3Store({ client: s3Client(`http://127.0.0.1:${port}`), bucket: 'b' }), 'unreachable')
  })

  test('deletes some of many, but not all, does not pass as having deleted them', async () => {
    const partly = await answering(
      200,
      `<DeleteResult><Error><Key>a</Key><Code>NoSuchKey</Code></Error>
        <Error><Key>b</Key><Code>AccessDenied</Code><Message>Not yours</Message></Error></DeleteResult>`,
    )
    const store = createS3Store({ client: s3Client(partly), bucket: 'field-files' })

    await expect(store.delete(['a', 'b'])).rejects.toMatchObject({ name: 'StoreUnavailable', trouble: 'denied' })
    await expect(store.delete(['a', 'b'])).rejects.toThrow('1 objects were not deleted; b: AccessDenied')
  })

  test('has no credentials says so', async () => {
    const client = s3Client('http://127.0.0.1:1')
    client.config.credentials = () =>
      Promise.reject(Object.assign(new Error('none'), { name: 'CredentialsProviderError' }))
    const store = createS3Store({ client, bucket: 'field-files' })

    await expectUnavailable(store, 'denied')
    await expect(store.signDownload(KEY, { expirySeconds: 60 })).rejects.toMatchObject({ trouble: 'denied' })
  })

  async function answering(status: number, body: string): Promise<string> {
    const server = createServer(async (request, response) => {
      await request.resume().toArray()
      response
        .writeHead(status, { 'content-type': 'application/xml' })
        .end(request.method === 'HEAD' ? undefined : body)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanUp.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
})

async function expectUnavailable(store: ReturnType<typeof createS3Store>, trouble: string): Promise<void> {
  const unavailable = { name: 'StoreUnavailable', trouble, cause: expect.any(Error) }
  await expect(store.check()).rejects.toMatchObject(unavailable)
  await expect(store.head(KEY)).rejects.toMatchObject(unavailable)
  await expect(store.get(KEY)).rejects.toMatchObject(unavailable)
  await expect(store.put(KEY, Buffer.from('x'), { contentType: 'text/plain' })).rejects.toMatchObject(unavailable)
  await expect(store.delete([KEY])).rejects.toMatchObject(unavailable)
  await expect(store.list('')[Symbol.asyncIterator]().next()).rejects.toMatchObject(unavailable)
  const large = Readable.from([Buffer.alloc(9 * 1024 * 1024)])
  await expect(store.put(KEY, large, { contentType: 'text/plain' })).rejects.toMatchObject(unavailable)
}
