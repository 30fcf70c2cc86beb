import { buffer } from 'node:stream/consumers'
import { z } from '@hono/zod-openapi'
import { HonoRequest } from 'hono/request'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AppError } from '../src/errors.ts'
import { openForm } from '../src/http/form.ts'
import { type FormPart, multipart, streamOf } from './images/support.ts'

const schema = z.strictObject({
  file: z.string(),
  title: z.string().max(2000).optional(),
  place: z.string().optional(),
  id: z
    .string()
    .overwrite((id) => id.toLowerCase())
    .optional(),
})
const file: FormPart = { name: 'file', fileName: 'a.png', body: 'some bytes' }

const request = (body: BodyInit | null, headers: Record<string, string>) =>
  new HonoRequest(new Request('http://reef.test', { method: 'POST', body, headers, duplex: 'half' } as RequestInit))
const limits = (maxFileBytes = 1000) => ({ maxFileBytes, silenceMs: 30_000 })
const open = (parts: FormPart[], limit = 1000) => {
  const { body, type } = multipart(parts)
  return openForm(request(body, { 'content-type': type }), schema, limits(limit))
}

/** All that a form says, as a handler reads it. */
async function read(parts: FormPart[], limit?: number) {
  const form = await open(parts, limit)
  try {
    const bytes = await buffer(form.file.bytes)
    return { name: form.file.name, text: bytes.toString(), fields: await form.fields() }
  } finally {
    form.close()
  }
}

const problemOf = (reading: Promise<unknown>) =>
  reading.then(
    () => undefined,
    (error: AppError) => ({
      code: error.code,
      pointer: error.errors?.[0]?.pointer,
      isKnown: error instanceof AppError,
    }),
  )

describe('a form', () => {
  test('gives its file and what stands around it', async () => {
    const parts = [{ name: 'title', body: 'Récif' }, file, { name: 'place', body: '' }]

    expect(await read(parts)).toEqual({ name: 'a.png', text: 'some bytes', fields: { title: 'Récif', place: '' } })
  })

  test('gives fields as the contract has them', async () => {
    expect((await read([file, { name: 'id', body: '019A8F' }])).fields).toEqual({ id: '019a8f' })
  })

  test('may have an empty file, and one without a type or with any', async () => {
    expect((await read([{ ...file, body: '' }])).text).toBe('')
    expect((await read([{ ...file, type: 'text/html; charset=latin1' }])).text).toBe('some bytes')
  })

  test('may have a file whose bytes look like a boundary', async () => {
    const body = '\r\n--\r\n------x--\r\ncontent-disposition: form-data; name="title"\r\n\r\nx'

    expect((await read([{ ...file, body }])).text).toBe(body)
  })

  test('takes a file of the limit', async () => {
    expect((await read([file], 10)).text).toBe('some bytes')
  })

  const invalid = 'invalid_request'
  test.each<[string, FormPart[], string, string | undefined]>([
    ['no part', [], invalid, '/file'],
    ['no file', [{ name: 'title', body: 'x' }], invalid, '/file'],
    ['a file under another name', [{ ...file, name: 'image' }], invalid, '/image'],
    ['a file under a name that a pointer escapes', [{ ...file, name: 'a/b' }], invalid, '/a~1b'],
    ['a file without a name', [{ fileName: 'a.png', body: 'x' }], invalid, '/'],
    ['the file sent as text', [{ name: 'file', body: 'x' }], invalid, '/file'],
    ['the file sent as text as well', [file, { name: 'file', body: 'x' }], invalid, '/file'],
    ['two files', [file, file], invalid, '/file'],
    ['a second file under another name', [file, { ...file, name: 'other' }], invalid, '/file'],
    ['a field without a name', [{ body: 'x' }, file], invalid, ''],
    ['an unknown field', [{ name: 'titel', body: 'x' }, file], invalid, '/titel'],
    ['a field that others would drop', [{ name: '__proto__', body: 'x' }, file], invalid, '/__proto__'],
    ['U+0000 in a field', [file, { name: 'title', body: 'a\0b' }], invalid, '/title'],
    ['a field twice', [file, { name: 'title', body: 'x' }, { name: 'title', body: 'y' }], invalid, '/title'],
    ['a field that is too long', [{ name: 'title', body: 'x'.repeat(1001) }, file], invalid, '/title'],
    [
      'fields without end',
      [...Array.from({ length: 21 }, (_, i) => ({ name: `f${i}`, body: 'x' })), file],
      invalid,
      '',
    ],
    ['a file that is too large', [{ ...file, body: 'x'.repeat(1001) }], 'payload_too_large', undefined],
  ])('is refused for %s', async (_, parts, code, pointer) => {
    expect(await problemOf(read(parts))).toEqual({ code, pointer, isKnown: true })
  })

  test('tells of line breaks in a name, for which the parser passes over a part', async () => {
    const type = 'multipart/form-data; boundary=x'
    const head = "content-disposition: form-data; name=file; filename*=UTF-8''a%0D%0Ab.png"
    const body = `--x\r\n${head}\r\n\r\nsome bytes\r\n--x--\r\n`

    await expect(openForm(request(body, { 'content-type': type }), schema, limits())).rejects.toMatchObject({
      errors: [{ pointer: '/file', detail: expect.stringContaining('line break') }],
    })
  })

  test.each<[string, Record<string, string>, string]>([
    ['no Content-Type', {}, 'unsupported_media_type'],
    ['another', { 'content-type': 'application/json' }, 'unsupported_media_type'],
    ['one that only begins like it', { 'content-type': 'multipart/form-data-x; boundary=x' }, 'unsupported_media_type'],
    ['no boundary', { 'content-type': 'multipart/form-data' }, invalid],
    [
      'a length beyond all',
      { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '70000' },
      'payload_too_large',
    ],
    ['another boundary than in the body', { 'content-type': 'multipart/form-data; boundary=y' }, invalid],
  ])('is refused for %s', async (_, headers, code) => {
    const { body } = multipart([file], 'x')
    const bare = request(streamOf([body]), headers)

    expect(await problemOf(openForm(bare, schema, limits()))).toMatchObject({ code, isKnown: true })
  })

  test('is refused without a body', async () => {
    const none = request(null, { 'content-type': 'multipart/form-data; boundary=x' })

    expect(await problemOf(openForm(none, schema, limits()))).toMatchObject({ code: invalid })
  })

  const whole = multipart([{ name: 'title', body: 'x' }, file, { name: 'place', body: 'y' }], 'x')
  test.each(Array.from({ length: whole.body.length - 1 }, (_, i) => i + 1).filter((end) => end % 7 === 0))(
    'is refused when it ends after %i bytes',
    async (end) => {
      const cut = request(whole.body.subarray(0, end), { 'content-type': whole.type })

      const reading = (async () => {
        const form = await openForm(cut, schema, limits())
        await buffer(form.file.bytes)
        await form.fields()
      })()

      expect(await problemOf(reading)).toEqual({ code: invalid, pointer: expect.any(String), isKnown: true })
    },
  )

  test('is refused when the client goes', async () => {
    const { body, type } = multipart([{ ...file, body: 'x'.repeat(500) }])
    async function* breaking() {
      yield body.subarray(0, 300)
      throw new TypeError('terminated')
    }
    const form = await openForm(request(streamOf(breaking()), { 'content-type': type }), schema, limits())

    expect(await problemOf(buffer(form.file.bytes))).toMatchObject({ code: invalid, isKnown: true })
    expect(await problemOf(form.fields())).toMatchObject({ code: invalid, isKnown: true })
  })
})

/** A form whose file has so many chunks of 64 KB, and how many of them have been taken. */
function counted(chunks: number) {
  const { body, type } = multipart([file], 'x')
  const at = body.indexOf('some bytes')
  const state = { taken: 0, isCancelled: false }
  const source = new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(body.subarray(0, at)),
      pull(controller) {
        if (state.taken++ < chunks) return controller.enqueue(Buffer.alloc(65_536))
        controller.enqueue(body.subarray(at))
        controller.close()
      },
      cancel() {
        state.isCancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { state, request: request(source, { 'content-type': type }) }
}

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('a file', () => {
  test('comes no faster than it is read', async () => {
    const { state, request: large } = counted(1000)
    const form = await openForm(large, schema, limits(1e9))
    const bytes = form.file.bytes[Symbol.asyncIterator]()
    await bytes.next()

    await turns(200)

    expect(state.taken).toBeLessThan(50)
    form.close()
  })

  test('that nobody wants any more is taken to its end, and not broken off', async () => {
    const { state, request: large } = counted(300)
    const form = await openForm(large, schema, limits(1e9))

    form.close()

    await expect.poll(() => state).toEqual({ taken: 301, isCancelled: false })
  })

  test('of a form that is refused at its beginning is taken to its end, too', async () => {
    const { body, type } = multipart([{ name: 'title', body: 'x' }, { name: 'title', body: 'x' }, file], 'x')
    let rest = 100
    let isCancelled = false
    const source = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(body.subarray(0, -10)),
      pull: (controller) => (rest-- > 0 ? controller.enqueue(Buffer.alloc(65_536)) : controller.close()),
      cancel: () => {
        isCancelled = true
      },
    })

    const opening = openForm(request(source, { 'content-type': type }), schema, limits(1e9))

    expect(await problemOf(opening)).toMatchObject({ code: 'invalid_request', pointer: '/title' })
    await expect.poll(() => rest).toBeLessThan(0)
    expect(isCancelled).toBe(false)
  })
})

describe('a form whose sender falls silent', () => {
  const silenceMs = 30_000
  const { body, type } = multipart([{ name: 'title', body: 'x' }, file, { name: 'place', body: 'y' }], 'x')
  const inFile = body.indexOf('some bytes') + 4

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** A form of which a piece comes when the test says so. */
  function arriving() {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>()
    const writer = writable.getWriter()
    const opening = openForm(request(readable, { 'content-type': type }), schema, { maxFileBytes: 1000, silenceMs })
    return {
      opening,
      send: (from: number, to?: number) => void writer.write(body.subarray(from, to)),
      end: () => void writer.close(),
      async pass(ms: number) {
        await turns(20)
        vi.advanceTimersByTime(ms)
        await turns(20)
      },
    }
  }

  test('is taken as long as something comes in time', async () => {
    const { opening, pass, send, end } = arriving()
    const reading = opening.then(async (form) => [await buffer(form.file.bytes), await form.fields()])

    for (let at = 0; at < body.length; at += 20) {
      send(at, at + 20)
      await pass(silenceMs - 1)
    }
    end()

    expect(await reading).toEqual([Buffer.from('some bytes'), { title: 'x', place: 'y' }])
  })

  test.each([
    ['before it begins', 0],
    ['before its file', 60],
  ])('is given up %s', async (_, end) => {
    const { opening, pass, send } = arriving()
    const outcome = problemOf(opening)
    send(0, end)

    await pass(silenceMs)

    expect(await outcome).toMatchObject({ code: 'request_timeout', isKnown: true })
  })

  test.each([
    ['in its file', inFile],
    ['behind its file', inFile + 30],
  ])('is given up %s', async (_, end) => {
    const { opening, pass, send } = arriving()
    send(0, end)
    const form = await opening
    const outcome = problemOf(buffer(form.file.bytes).then(() => form.fields()))

    await pass(silenceMs)

    expect(await outcome).toMatchObject({ code: 'request_timeout', isKnown: true })
    form.close()
  })

  test('may wait for its reader as long as that takes', async () => {
    const { opening, pass, send, end } = arriving()
    send(0)
    end()
    const form = await opening

    await pass(10 * silenceMs)

    expect((await buffer(form.file.bytes)).toString()).toBe('some bytes')
  })
})
