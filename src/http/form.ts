import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import type { z } from '@hono/zod-openapi'
import type { HonoRequest } from 'hono'
import { discard, piecesOf } from '../arriving-body.ts'
import { AppError, invalidInAll, invalidRequest, jsonPointer } from '../errors.ts'
import { faultsOf } from './problem.ts'
import { assertStorable } from './storable.ts'

/** A form that is still arriving: its one file (`file`), and the fields around it. */
export interface IncomingForm<Fields> {
  file: IncomingFile
  /** What else the form says, once the file has been read to its end. */
  fields(): Promise<Fields>
}

export interface IncomingFile {
  /** As the client wrote it, without the folders before it. */
  name: string
  /** As they arrive: whoever reads them sets the pace. To be read once, to the end; fails where the body does. */
  bytes: AsyncIterable<Uint8Array>
}

/** What the request's end must close, however it came about. */
export interface OpenForm extends IncomingForm<unknown> {
  close(): void
}

export interface FormLimits {
  maxFileBytes: number
  /** How long no byte may come while one is waited for. */
  silenceMs: number
}

/** Fields are ids and the like. */
const limits = {
  files: 1,
  fields: 20,
  parts: 21,
  fieldSize: 1000,
  headerPairs: 20,
  headerSize: 16_384,
}

/** Room for what a form says beside its file. */
const overheadBytes = 64 * 1024

/**
 * Reads a form (RFC 7578) up to its file, which is then passed on as it comes and never held. `schema` is the form's in the contract.
 * Throws `AppError`, and so do `bytes` and `fields`.
 */
export async function openForm(
  request: HonoRequest,
  schema: z.ZodType,
  { maxFileBytes, silenceMs }: FormLimits,
): Promise<OpenForm> {
  const announced = Number(request.header('content-length') ?? 0)
  if (announced > maxFileBytes + overheadBytes) throw tooLarge(maxFileBytes)
  const parser = parserFor(request, maxFileBytes)
  const body = (request.raw.body ?? emptyBody()).getReader()
  const found = Promise.withResolvers<{ name: string; stream: BusboyFileStream }>()
  const fields = new Map<string, string>()
  const closing = new AbortController()
  const refuse = (reason: AppError) => closing.abort(reason)

  parser.on('file', (field: string | undefined, stream, name) => {
    // Its failure is the whole form's, and is told there.
    stream.on('error', () => {})
    // Not read to its end: no more is kept of it, and it may have none.
    stream.on('limit', () => refuse(tooLarge(maxFileBytes)))
    if (field !== 'file') return refuse(unknownFile(field))
    // What is refused already may come in one piece with its file.
    if (!closing.signal.aborted) found.resolve({ name: unescaped(name ?? ''), stream })
  })
  parser.on('field', (name: string | undefined, value, _, isCut) => {
    if (name === undefined) return refuse(invalidRequest('', 'A field of the form has no name.'))
    if (name === 'file') return refuse(invalidRequest('/file', 'The file is sent as text: it has no file name.'))
    if (isCut || fields.has(name)) return refuse(refusedField(name))
    fields.set(name, value)
  })
  parser.on('filesLimit', () => refuse(invalidRequest('/file', 'A form has one file.')))
  for (const limit of ['fieldsLimit', 'partsLimit'] as const)
    parser.on(limit, () => refuse(invalidRequest('', 'The form has too many parts.')))

  const whole = pipeline(Readable.from(piecesOf(body, silenceMs, stalled)), parser, { signal: closing.signal }).catch(
    (error) => {
      throw closing.signal.aborted ? closing.signal.reason : formError(error)
    },
  )
  whole.then(() => found.reject(noFile()), found.reject)

  function close() {
    closing.abort(new Error('The form is not read any further.'))
    void discard(body)
  }
  const { name, stream } = await found.promise.catch((error) => {
    close()
    throw error
  })

  return {
    file: { name, bytes: bytesOf(stream, whole) },
    async fields() {
      await whole
      const values = Object.fromEntries(fields)
      assertStorable(values)
      const { success, error, data } = schema.safeParse({ ...values, file: '' })
      if (!success) throw invalidInAll(faultsOf(error as z.core.$ZodError, 'json'))
      const { file: _, ...checked } = data as Record<string, unknown>
      return checked
    },
    close() {
      close()
      stream.destroy()
    },
  }
}

function parserFor(request: HonoRequest, maxFileBytes: number): BusboyInstance {
  const type = request.header('content-type') ?? ''
  if (!/^multipart\/form-data\s*(;|$)/i.test(type)) {
    const found = type ? `, not as ${type.slice(0, 100)}` : ''
    throw new AppError('unsupported_media_type', `Send the body as multipart/form-data${found}.`)
  }
  try {
    return new Busboy({ headers: { 'content-type': type }, limits: { ...limits, fileSize: maxFileBytes } })
  } catch (cause) {
    const detail = 'The Content-Type names no usable boundary.'
    throw new AppError('invalid_request', detail, { cause, errors: [{ pointer: '/header/Content-Type', detail }] })
  }
}

async function* bytesOf(stream: BusboyFileStream, whole: Promise<unknown>): AsyncGenerator<Uint8Array> {
  // A body that breaks ends the file without a word: the form's failure is then the file's.
  whole.catch((error) => stream.destroy(error))
  try {
    for await (const chunk of stream) yield chunk as Uint8Array
  } catch (error) {
    throw formError(error)
  }
}

const tooLarge = (maxBytes: number) => new AppError('payload_too_large', `A file may have at most ${maxBytes} bytes.`)

function stalled(): never {
  throw new AppError('request_timeout', 'The form stopped arriving before its end.')
}

/** What we have found wrong ourselves, or else: nobody but the client breaks off a form, or writes one that cannot be read. */
const formError = (error: unknown) => (error instanceof AppError ? error : brokenForm(error))

const brokenForm = (cause: unknown) =>
  new AppError('invalid_request', 'The form is damaged, or ended before its end.', {
    cause,
    errors: [{ pointer: '', detail: 'The form is damaged, or ended before its end.' }],
  })

/** The parser passes over parts whose names have line breaks, and does not say so. */
const noFile = () => invalidRequest('/file', 'The form has no file, or one whose name has a line break in it.')

const unknownFile = (field = '') => invalidRequest(jsonPointer([field]), 'The file of the form is named "file".')

const refusedField = (name: string) =>
  invalidRequest(jsonPointer([name]), 'A field stands in a form once, and is no longer than an id needs.')

const emptyBody = () => new Blob([]).stream()

/** What browsers and `fetch` write for the three characters that would end the name (HTML, multipart/form-data encoding). */
const unescaped = (name: string) =>
  name.replace(/%(22|0A|0D)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
