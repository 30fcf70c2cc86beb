import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { text as streamText } from 'node:stream/consumers'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { postmanCollection } from '../../scripts/postman/collection.ts'
import type { PostmanAuth, PostmanItem, PostmanPart } from '../../scripts/postman/convert.ts'
import { temporaryFolder } from '../support/processes.ts'
import { startTestService } from '../support/service.ts'
import { contract, examplesOf, operations, resolve } from './contract.ts'
import { picture } from './form.ts'
import { ajv } from './judge.ts'

const service = await startTestService()
const collection = await postmanCollection(contract)
const items: (PostmanItem & { folder: string })[] = collection.item.flatMap(({ name, item }) =>
  item.map((each) => ({ ...each, folder: name })),
)

const itemOf = (operationId: string) => {
  const { method, path } = operations.find((operation) => operation.operationId === operationId)!
  return items.find(({ request }) => placeOf(request) === `${method} ${path}`)!
}
const placeOf = ({ method, url }: PostmanItem['request']) =>
  `${method} /${url.path.join('/').replaceAll(/:(\w+)/g, '{$1}')}`

/** Format 2.1 of collections, as far as ours goes, and no further. */
const text = { type: 'string' }
const object = (required: string[], properties: object) => ({
  type: 'object',
  required,
  properties,
  additionalProperties: false,
})
const list = (of: object) => ({ type: 'array', items: of })
const described = { anyOf: [text, object(['content', 'type'], { content: text, type: text })] }
const pair = object(['key', 'value'], {
  key: text,
  value: text,
  type: text,
  disabled: { type: 'boolean' },
  description: described,
})
const auth = {
  type: 'object',
  required: ['type'],
  properties: { type: { enum: ['noauth', 'bearer', 'apikey'] }, bearer: list(pair), apikey: list(pair) },
  additionalProperties: false,
}
const field = object(['key', 'type', 'value'], {
  key: text,
  type: { const: 'text' },
  value: text,
  description: described,
})
const file = object(['key', 'type'], { key: text, type: { const: 'file' }, description: described })
const request = object(['method', 'url'], {
  method: { enum: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] },
  description: described,
  url: object(['raw', 'host', 'path', 'query', 'variable'], {
    raw: text,
    host: list(text),
    path: list(text),
    query: list(pair),
    variable: list(pair),
  }),
  header: list(pair),
  body: {
    anyOf: [
      object(['mode', 'raw'], { mode: { const: 'raw' }, raw: text, options: { type: 'object' } }),
      object(['mode', 'formdata'], { mode: { const: 'formdata' }, formdata: list({ anyOf: [field, file] }) }),
    ],
  },
  auth,
})
const response = object(['name', 'originalRequest', 'code', 'status', 'header'], {
  name: text,
  originalRequest: request,
  status: text,
  code: { type: 'integer' },
  header: { anyOf: [list(pair), { type: 'null' }] },
  body: text,
  cookie: { type: 'array', maxItems: 0 },
  _postman_previewlanguage: text,
})
const script = object(['type', 'exec'], { type: { const: 'text/javascript' }, exec: list(text) })
const item = object(['name', 'request', 'response'], {
  name: text,
  request,
  response: list(response),
  event: list(object(['listen', 'script'], { listen: { const: 'test' }, script })),
})
const format = object(['info', 'item', 'auth', 'variable'], {
  info: object(['name', 'schema'], {
    name: text,
    description: described,
    schema: { const: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json' },
  }),
  auth,
  variable: list(pair),
  item: list(object(['name', 'item'], { name: text, description: described, item: list(item) })),
})

describe('the Postman collection', () => {
  test('is one', () => {
    expect(ajv.validate(format, collection), ajv.errorsText(ajv.errors)).toBe(true)
  })

  test('has every operation once, in the folder of its tag', () => {
    const has = items.map(({ folder, name, request }) => `${folder} / ${name}: ${placeOf(request)}`)
    const wants = operations.map(({ tags, summary, method, path }) => `${tags[0]} / ${summary}: ${method} ${path}`)

    expect(has.sort()).toEqual(wants.sort())
  })

  test('is the same each time', async () => {
    expect(await postmanCollection(contract)).toEqual(collection)
  })

  test.each(operations)('signs $operationId as the contract wants it', ({ operationId, security, tags }) => {
    const type = itemOf(operationId).request.auth?.type

    if (security.length === 0) expect(type).toBe('noauth')
    else if (tags[0] === 'Worker') expect(['bearer', 'apikey']).toContain(type)
    else expect(type).toBeUndefined()
  })

  test.each(operations.filter(({ body }) => body))('sends the example of $operationId', ({ operationId, body }) => {
    const { start, raw } = { start: variables(), raw: itemOf(operationId).request.body!.raw! }
    for (const name of ['jobId', 'polygonId', 'noteId', 'refreshToken']) start.set(name, exampleOf(name))

    expect(JSON.parse(filled(raw, start))).toEqual(body!.example)
  })

  test.each(operations.filter(({ form }) => form))(
    'sends the example of $operationId, and asks for its file',
    ({ operationId, form }) => {
      const { header, body } = itemOf(operationId).request
      const start = variables().set('polygonId', exampleOf('polygonId'))
      const { file, ...fields } = form!.example as Record<string, string>

      const sent = body!.formdata!.map(({ key, type, value }) => [key, type, value && filled(value, start)])

      expect(sent).toEqual([
        ['file', 'file', undefined],
        ...Object.entries(fields).map(([name, value]) => [name, 'text', value]),
      ])
      expect(file).toBeDefined()
      // Postman writes that one, with the boundary in it.
      expect(header.map(({ key }) => key.toLowerCase())).not.toContain('content-type')
    },
  )

  test.each(operations)('shows answers of $operationId that the contract gives', ({ operationId, responses }) => {
    const statuses = Object.keys(responses).filter((status) => /^\d+$/.test(status))
    const shown = itemOf(operationId).response as unknown as {
      code: number
      body?: string
      _postman_previewlanguage: string
    }[]

    expect(shown.map(({ code }) => String(code)).sort()).toEqual(statuses.sort())
    for (const { code, body, _postman_previewlanguage: language } of shown.filter((each) => each.body)) {
      const [media] = Object.values(resolve(responses[String(code)]!).content ?? {})
      const value = examplesOf(media!)[0]!.value
      expect(language === 'json' ? JSON.parse(body!) : body).toEqual(value)
    }
  })
})

function exampleOf(name: string): string {
  const inBody = operations.find(({ operationId }) => operationId === 'refreshToken')!.body!.example as Record<
    string,
    string
  >
  const { path, examplePath } = operations.find((operation) => operation.path.includes(`{${name}}`)) ?? {}
  return inBody[name] ?? examplePath!.split('/')[path!.split('/').indexOf(`{${name}}`)]!
}

const variables = () => new Map(collection.variable.map(({ key, value }) => [key, value]))

function filled(template: string, values: Map<string, string>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    if (!values.has(name)) throw new Error(`The collection has no variable ${name}.`)
    return values.get(name)!
  })
}

/** As much of Postman as it takes to send the requests of a collection one after another. */
function postman() {
  const values = variables()
  values.set('baseUrl', service.baseUrl)

  async function send(
    operationId: string,
    edited?: string,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const { request, event = [] } = itemOf(operationId)
    const { method, url, header, body, auth = collection.auth } = request
    const path = url.path.map((part) =>
      part.startsWith(':') ? url.variable.find(({ key }) => `:${key}` === part)!.value : part,
    )
    const headers = [...header, ...credentials(auth!)].filter(({ disabled }) => !disabled)
    const address = filled([...url.host, ...path].join('/'), values)
    const response = await service.fetch(
      new Request(address, {
        method,
        headers: headers.map(({ key, value }): [string, string] => [key, filled(value, values)]),
        ...(body?.raw && { body: edited ?? filled(body.raw, values) }),
        ...(body?.formdata && { body: formOf(body.formdata) }),
      }),
    )
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    const answer = isJson ? await response.text() : Buffer.from(await response.arrayBuffer()).toString('base64')
    const pm = {
      response: { code: response.status, json: () => JSON.parse(answer) },
      collectionVariables: { set: (name: string, value: string) => values.set(name, value) },
    }
    for (const { script } of event) runInNewContext(script.exec.join('\n'), { pm })
    return { status: response.status, body: isJson ? JSON.parse(answer) : { bytes: answer } }
  }

  /** Whoever sends it has chosen a file. */
  function formOf(parts: PostmanPart[]): FormData {
    const form = new FormData()
    for (const { key, type, value } of parts)
      form.append(key, (type === 'file' ? new File([picture], 'reef.png') : filled(value!, values)) as string)
    return form
  }
  return { send, values }
}

function credentials(auth: PostmanAuth): { key: string; value: string; disabled?: boolean }[] {
  const setting = (name: string) =>
    (auth[auth.type] as { key: string; value: string }[]).find(({ key }) => key === name)!.value
  if (auth.type === 'bearer') return [{ key: 'authorization', value: `Bearer ${setting('token')}` }]
  return auth.type === 'apikey' ? [{ key: setting('key'), value: setting('value') }] : []
}

describe('the requests of the collection', () => {
  test('sign in, start a job and take it, each with what those before it left', async () => {
    const { send, values } = postman()

    expect(await send('getProfile')).toMatchObject({ status: 401 })
    const { body } = await send('register')
    await service.sql`update users set roles = ${['USER', 'WORKER']} where id = ${body.userId as string}`
    expect(await send('login')).toMatchObject({ status: 200 })
    expect(await send('getProfile')).toMatchObject({ status: 200, body: { user: { id: body.userId } } })
    const first = values.get('refreshToken')
    expect(await send('refreshToken')).toMatchObject({ status: 200 })
    expect(values.get('refreshToken')).not.toBe(first)

    expect(await send('createPolygon')).toMatchObject({ status: 201 })
    expect(await send('getPolygon')).toMatchObject({ status: 200, body: { id: values.get('polygonId') } })
    expect(await send('createNote')).toMatchObject({ status: 201, body: { polygonId: values.get('polygonId') } })
    expect(await send('replaceNote')).toMatchObject({ status: 200, body: { id: values.get('noteId') } })
    expect(await send('listPolygonNotes')).toMatchObject({ status: 200, body: { items: [{}] } })
    expect(await send('createImage')).toMatchObject({ status: 201, body: { polygonId: values.get('polygonId') } })
    const bytes = Buffer.from(picture).toString('base64')
    expect(await send('getImage')).toMatchObject({ status: 200, body: { bytes } })
    expect(await send('updateImage')).toMatchObject({ status: 200, body: { id: values.get('imageId') } })
    expect(await send('deleteImage')).toMatchObject({ status: 204 })
    expect(await send('deleteNote')).toMatchObject({ status: 204 })
    expect(await send('createImageUpload')).toMatchObject({ status: 201, body: { imageId: expect.any(String) } })
    expect(await send('completeImageUpload')).toMatchObject({ status: 409, body: { code: 'upload_incomplete' } })
    expect(await send('importPolygons')).toMatchObject({ status: 201, body: { items: [{}] } })
    expect(await send('getPolygon')).toMatchObject({ status: 200, body: { id: values.get('polygonId') } })

    expect(await send('createJob')).toMatchObject({ status: 201 })
    expect(await send('getJob')).toMatchObject({ status: 200, body: { id: values.get('jobId'), status: 'PENDING' } })

    expect(await send('createApiKey')).toMatchObject({ status: 201 })
    expect(await send('claimJobs')).toMatchObject({ status: 200, body: { claims: [{}] } })
    expect(await send('heartbeat')).toMatchObject({ status: 200 })
    expect(await send('getJob')).toMatchObject({ body: { status: 'IN_PROGRESS', progress: 0.4 } })
    expect(await send('releaseJob')).toMatchObject({ status: 204 })
    expect(await send('assignJob')).toMatchObject({
      status: 200,
      body: { assignment: { id: values.get('assignmentId') } },
    })
    expect(await send('deleteApiKey')).toMatchObject({ status: 204 })
  })

  test('forget nothing when there is nothing to claim', async () => {
    const { send, values } = postman()
    const worker = await service.worker()
    values.set('apiKey', worker.key).set('assignmentId', 'kept')

    expect(await send('claimJobs', '{"jobTypes":["RASTER_INSPECTION"]}')).toMatchObject({ body: { claims: [] } })

    expect(values.get('assignmentId')).toBe('kept')
  })
})

/** `lot` is what every lot comes out as that is drawn on the way. */
async function exportPostman(args: string[], lot?: number) {
  const loaded = lot === undefined ? [] : ['--import', `data:text/javascript,Math.random=()=>${lot}`]
  const child = fork('scripts/export-postman.ts', args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: loaded })
  const [output, errors] = await Promise.all([
    streamText(child.stdout!),
    streamText(child.stderr!),
    once(child, 'close'),
  ])
  return { code: child.exitCode, output, errors }
}

describe('npm run export:postman', () => {
  test('writes it to a file, or to standard output, the same however lots fall', async () => {
    const file = join(await temporaryFolder(), 'new', 'collection.json')

    const [told, printed] = await Promise.all([exportPostman(['--out', file], 0), exportPostman(['--out', '-'], 0.999)])

    expect(told).toMatchObject({ code: 0, errors: '' })
    expect(told.output).toContain(file)
    expect((await stat(file)).isFile()).toBe(true)
    expect(JSON.parse(printed.output)).toEqual(await postmanCollection(contract))
    expect(await readFile(file, 'utf8')).toBe(printed.output)
  })

  test('says in one sentence what it does not know', async () => {
    expect(await exportPostman(['--output', 'x'])).toEqual({
      code: 2,
      output: '',
      errors: "Unknown option '--output'.\n",
    })
  })
})
