import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { components } from '../../generated/types.ts'
import type { ObjectStore } from '../../src/store/object-store.ts'
import type { Person, TestService } from '../support/service.ts'
import { png } from './inspection/png-bytes.ts'

export type Image = components['schemas']['Image']
export type Problem = components['schemas']['Problem']

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A sound image that no other test has. */
export const somePng = (width = 8): Buffer => png({ width })

export const authorization = ({ token }: Pick<Person, 'token'>) => ({ authorization: `Bearer ${token}` })

export function formOf(bytes: Uint8Array, name = 'reef.png', fields: Record<string, string> = {}): FormData {
  const form = new FormData()
  for (const [field, value] of Object.entries(fields)) form.set(field, value)
  form.set('file', new File([bytes as Uint8Array<ArrayBuffer>], name))
  return form
}

/** A body that comes in these pieces. */
export const streamOf = (pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) =>
  Readable.toWeb(Readable.from(pieces)) as ReadableStream<Uint8Array<ArrayBuffer>>

/** Sends a form as it is. */
export const send = (service: TestService, person: Person, body: BodyInit, headers: Record<string, string> = {}) =>
  service.send('/api/images', {
    method: 'POST',
    body,
    headers: { ...authorization(person), ...headers },
    duplex: 'half',
  } as RequestInit)

/** An image that is kept. */
export async function upload(
  service: TestService,
  person: Person,
  bytes: Uint8Array = somePng(),
  name?: string,
  fields?: Record<string, string>,
): Promise<Image> {
  const response = await send(service, person, formOf(bytes, name, fields))
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`)
  return (await response.json()) as Image
}

export const get = (service: TestService, person: Person, id: string, headers: Record<string, string> = {}) =>
  service.send(`/api/images/${id}`, { headers: { ...authorization(person), ...headers } })

/** A request with JSON, and what came of it. */
export async function ask<Answer = Image>(
  service: TestService,
  person: Pick<Person, 'token'>,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: Answer & Problem }> {
  const response = await service.send(path, {
    method,
    headers: { ...authorization(person), ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text ? JSON.parse(text) : undefined }
}

/** What there is of images: rows and objects. */
export async function remains(service: TestService) {
  const rows = await service.sql`select from images`
  const keys = await Array.fromAsync(service.store.list('images/'), ({ key }) => key)
  return { rows: rows.length, keys: keys.length }
}

export interface FormPart {
  name?: string
  fileName?: string
  type?: string
  body: Uint8Array | string
}

/** A form, byte by byte, for what `FormData` would never write. */
export function multipart(
  parts: FormPart[],
  boundary: string = randomUUID(),
): { body: Buffer<ArrayBuffer>; type: string } {
  const lines = parts.map(({ name, fileName, type, body }) => {
    const disposition = [
      'form-data',
      ...(name === undefined ? [] : [`name="${name}"`]),
      ...(fileName === undefined ? [] : [`filename="${fileName}"`]),
    ].join('; ')
    const head = `--${boundary}\r\ncontent-disposition: ${disposition}\r\n${type ? `content-type: ${type}\r\n` : ''}\r\n`
    return Buffer.concat([Buffer.from(head), Buffer.from(body), Buffer.from('\r\n')])
  })
  const body = Buffer.concat([...lines, Buffer.from(`--${boundary}--\r\n`)])
  return { body, type: `multipart/form-data; boundary=${boundary}` }
}

/** An area that a polygon may have. */
export const area = {
  type: 'Polygon' as const,
  coordinates: [
    [
      [145, -14],
      [146, -14],
      [146, -13],
      [145, -14],
    ],
  ],
}

export async function polygonOf(person: Person): Promise<string> {
  return (await person.client.polygons.create({ polygon: area })).id
}

export async function noteOf(service: TestService, person: Person, polygonId: string): Promise<string> {
  const { status, body } = await ask<{ id: string }>(service, person, 'POST', '/api/notes', {
    polygonId,
    content: 'Bleached.',
  })
  if (status !== 201) throw new Error(JSON.stringify(body))
  return body.id
}

/** How often a file is read from now on. */
export function countedReads(store: Pick<ObjectStore, 'get'>): () => number {
  const { get: original } = store
  let reads = 0
  store.get = (...call) => {
    reads++
    return original(...call)
  }
  return () => {
    store.get = original
    return reads
  }
}
