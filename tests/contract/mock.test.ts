import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import type { Media, Schema } from '../../scripts/generate/document.ts'
import { type Client, createClient, JobFailedError } from '../../sdk/index.ts'
import { problems } from '../../src/errors.ts'
import { checkAgainstContract } from '../support/contract-check.ts'
import { end, temporaryFolder } from '../support/processes.ts'
import { examplesOf, type Operation, operations, resolve } from './contract.ts'
import { formOf, picture } from './form.ts'
import { ajv, judgeOf } from './judge.ts'
import { forkMock, startMock } from './mock-process.ts'

const mock = await startMock()

const anybody = { authorization: 'Bearer anybody', 'x-api-key': 'anybody' }
const jobId = '019a8f00-0003-7000-8000-000000000003'

interface Answer {
  status: number
  type?: string
  /** What a mock knows it by, where it is one of several. */
  name?: string
  value?: unknown
  schema?: Schema
}

/** What the contract gives as the answers of an operation. */
function answersOf({ responses }: Operation): Answer[] {
  return Object.entries(responses)
    .filter(([status]) => /^\d+$/.test(status))
    .flatMap(([key, reference]) => {
      const status = Number(key)
      const bodies = Object.entries(resolve(reference).content ?? {})
      if (bodies.length === 0) return [{ status }]
      return bodies.flatMap(([type, media]) =>
        examplesOf(media).map(({ name, value }): Answer => {
          return { status, type, ...(media.examples && { name }), value, schema: media.schema }
        }),
      )
    })
}

const usualAnswer = (operation: Operation) => answersOf(operation).find(({ status }) => status < 300)!

/** Sends the example of the operation. */
function ask({ method, examplePath, body, form }: Operation, headers: Record<string, string> = {}): Promise<Response> {
  const sent = body ? { body: JSON.stringify(body.example) } : form && { body: formOf(form) }
  const type = body && { 'content-type': 'application/json' }
  return fetch(mock.url + examplePath, { method, ...sent, headers: { ...anybody, ...headers, ...type } })
}

const contentOf = async (response: Response) => {
  const type = response.headers.get('content-type')?.split(';')[0]
  const body = await response.text()
  const value = type?.includes('json') ? JSON.parse(body) : body
  return { status: response.status, type, value: type === undefined ? body || undefined : value }
}

/** Where the SDK takes less than the whole body. */
const bodyPart: Record<string, string> = {
  recoverPassword: 'email',
  refreshToken: 'refreshToken',
  completeLayer: 'version',
  appendLogs: 'entries',
  createUploads: 'files',
}

/** Calls the method of the SDK that `x-sdk` names, with the examples of the contract. */
async function callThroughSdk(client: Client, { operationId, path, examplePath, body, form, ...rest }: Operation) {
  const [namespace, method] = (rest['x-sdk'] as string).split('.') as [keyof Client, string]
  const places = path.split('/')
  const inPath = examplePath.split('/').filter((_, at) => places[at]!.startsWith('{'))
  const part = bodyPart[operationId]
  const whole = body?.example as Record<string, unknown> | undefined
  const calls = client[namespace] as unknown as Record<string, (...args: unknown[]) => unknown>
  const given = form ? fileAndRest(form) : whole ? [part ? whole[part] : whole] : []
  const answer = calls[method]!(...inPath, ...given)
  return answer && typeof answer === 'object' && Symbol.asyncIterator in answer
    ? Array.fromAsync(answer as AsyncIterable<unknown>)
    : await answer
}

/** A form is a file to the SDK, and what goes with it. */
function fileAndRest(form: Media): unknown[] {
  const { file, ...rest } = Object.fromEntries(formOf(form))
  return [file, rest]
}

describe.each(operations)('$operationId on the mock', (operation) => {
  test.runIf(operation['x-sdk'])('answers the SDK as the contract says', async () => {
    const seen: string[] = []
    const client = createClient({
      baseUrl: mock.url,
      token: 'anybody',
      retries: 0,
      fetch: async (request) => {
        seen.push(`${request.method} ${new URL(request.url).pathname}`)
        const response = await fetch(request)
        await checkAgainstContract(request, response)
        return response
      },
    })

    const answer = await callThroughSdk(client, operation)

    if (answer instanceof Response) await answer.body?.cancel()
    expect(seen).toEqual([`${operation.method} ${operation.examplePath}`])
  })

  test('answers its usual example unless asked for another', async () => {
    const { status, type, value } = usualAnswer(operation)

    expect(await contentOf(await ask(operation))).toEqual({ status, type, value })
  })

  test.runIf(usualAnswer(operation).type?.includes('json'))(
    'makes an answer up from the schema where that is preferred',
    async () => {
      const { status, type, value, schema } = usualAnswer(operation)
      const { accepts } = judgeOf(schema!)

      const answer = await contentOf(await ask(operation, { prefer: 'dynamic=true' }))

      expect(answer).toMatchObject({ status, type })
      // A process that answers is alive: there is nothing to make up.
      if (operation.operationId !== 'getLiveness') expect(answer.value).not.toEqual(value)
      expect(accepts(answer.value), ajv.errorsText(accepts.errors)).toBe(true)
      const { properties, additionalProperties } = resolve(schema!)
      if (!additionalProperties)
        expect(Object.keys(properties!)).toEqual(expect.arrayContaining(Object.keys(answer.value)))
    },
  )

  test.each(answersOf(operation).filter(({ name }) => name))(
    'answers $status $name where that is preferred',
    async ({ status, type, name, value }) => {
      const response = await ask(operation, { accept: type!, prefer: `code=${status}, example=${name}` })

      expect(await contentOf(response)).toEqual({ status, type, value })
    },
  )

  const refusals = [...new Set(answersOf(operation).map(({ status }) => status))].filter((status) => status >= 400)
  const isProblem = (status: number) => !(operation.operationId === 'getReadiness' && status === 503)
  test.each(refusals.filter(isProblem))('answers a fitting problem where %i is preferred', async (status) => {
    const response = await ask(operation, { prefer: `code=${status}` })

    const problem = await response.json()
    const { code, title, type } = problem as { code: keyof typeof problems; title: string; type: string }
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect({ status: problem.status, title }).toEqual(problems[code])
    expect({ status, title }).toEqual(problems[code])
    expect(type).toBe(`https://fieldstation.example/problems/${code.replaceAll('_', '-')}`)
  })

  test.runIf(operation.security.length > 0)('refuses whoever brings no credentials', async () => {
    const { method, examplePath } = operation
    const response = await fetch(mock.url + examplePath, { method })

    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ status: 401 })
  })
})

describe('the story that the mock tells', () => {
  const client = (prefer?: (path: string) => string | undefined) =>
    createClient({
      baseUrl: mock.url,
      credentials: { email: 'ana@reef.example', password: 'slow-tides-carry-sand' },
      retries: 0,
      fetch: (request) => {
        const preference = prefer?.(new URL(request.url).pathname)
        if (preference) request.headers.set('prefer', preference)
        return fetch(request)
      },
    })

  test('goes from signing in to the files of a job', async () => {
    const ana = client()

    const { id: polygonId } = (await ana.polygons.list()).items[0]!
    const { jobId } = await ana.jobs.create({
      type: 'SUITABILITY_ASSESSMENT',
      inputPayload: {
        region: 'lizard-island',
        criteria: { depth: { min: -10, max: -4 } },
        xDist: 100,
        yDist: 50,
        threshold: 0.9,
        polygonId,
      },
    })
    const events = await Array.fromAsync(ana.jobs.events(jobId))
    const job = await ana.jobs.wait(jobId, { throwOnFailure: true })
    const { files } = await ana.jobs.download(jobId)

    expect(events.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(job).toMatchObject({ id: jobId, inputPayload: { polygonId }, lastEventId: events.at(-1)!.id })
    expect(Object.keys(files)).toContain('sites.geojson')
  })

  test('goes from a place to what is written about it and shown of it', async () => {
    const ana = client()
    const collection = await ana.polygons.features()
    const [feature] = collection.features
    const polygonId = String(feature!.id)

    const note = await ana.notes.create({ polygonId, content: 'Bleaching on the western edge' })
    const image = await ana.images.create(new File([picture], 'reef.png'), { polygonId })
    const known = await ana.images.get(image.id)
    const file = await ana.images.download(image.id)

    expect((await ana.notes.listByPolygon(polygonId)).items).toEqual([note])
    expect((await ana.images.list({ polygonId })).items).toEqual([image])
    expect(known).toEqual(image)
    expect([note.polygonId, image.polygonId]).toEqual([polygonId, polygonId])
    expect(file.headers.get('content-type')).toBe(image.contentType)
    expect(file.headers.get('etag')).toBe(`"${image.sha256}"`)
    // There is no file: an example is text.
    expect(await file.arrayBuffer()).toHaveProperty('byteLength', 0)
  })

  test.each([
    ['image/jpeg', undefined, 200],
    ['image/tiff', undefined, 200],
    ['image/jpeg', 'code=206', 206],
    ['image/jpeg', 'code=304', 304],
  ])('fetches a file as %s, preferring %s: %i', async (accept, prefer, status) => {
    const getImage = operations.find(({ operationId }) => operationId === 'getImage')!
    const request = new Request(mock.url + getImage.examplePath, {
      headers: { ...anybody, accept, ...(prefer && { prefer }) },
    })

    const response = await fetch(request)

    await checkAgainstContract(request, response)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe(status === 304 ? null : accept)
    expect(response.headers.get('content-range')).toBe(status === 206 ? 'bytes 0-1023/48213' : null)
  })

  test('lists jobs to an end', async () => {
    expect(await Array.fromAsync(client().jobs.listAll())).toHaveLength(1)
  })

  test('fails where that is preferred', async () => {
    const ana = client((path) => (path === `/api/jobs/${jobId}` ? 'example=failed' : undefined))

    await expect(ana.jobs.wait(jobId, { throwOnFailure: true })).rejects.toBeInstanceOf(JobFailedError)
  })

  test('refuses where that is preferred, with a code that the SDK knows', async () => {
    const ana = client((path) => (path === `/api/jobs/${jobId}` ? 'code=404' : undefined))

    await expect(ana.jobs.get(jobId)).rejects.toMatchObject({ status: 404, code: 'job_not_found' })
  })
})

describe('the mock', () => {
  const getPolygon = operations.find(({ operationId }) => operationId === 'getPolygon')!
  const createPolygon = operations.find(({ operationId }) => operationId === 'createPolygon')!

  test('answers 400 to what does not fit, as the service does, and says what does not', async () => {
    const response = await ask({ ...createPolygon, body: { schema: {}, example: { name: 'no polygon' } } })

    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'invalid_request' })
    expect(response.headers.get('sl-violations')).toContain("required property 'polygon'")
  })

  test.each([
    ['a field that does not fit', (form: FormData) => form.set('polygonId', 'none')],
    ['no file', (form: FormData) => form.delete('file')],
  ])('refuses a form with %s', async (_, change) => {
    const createImage = operations.find(({ operationId }) => operationId === 'createImage')!
    const body = formOf(createImage.form!)
    change(body)

    const response = await fetch(mock.url + createImage.examplePath, { method: 'POST', headers: anybody, body })

    expect(response.status).toBe(422)
    expect(response.headers.get('sl-violations')).toContain('"request","body"')
  })

  test('answers HEAD wherever it answers GET', async () => {
    const gettable = operations.filter(({ method }) => method === 'GET')
    const answers = await Promise.all(
      gettable.map(async (operation) => {
        const [head, get] = await Promise.all([ask({ ...operation, method: 'HEAD' }), ask(operation)])
        await get.body?.cancel()
        return { operation, head, get }
      }),
    )

    for (const { operation, head, get } of answers) {
      expect([operation.operationId, head.status]).toEqual([operation.operationId, get.status])
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'))
      expect(await head.text()).toBe('')
    }
  })

  test('says in words of its own that there is no such path', async () => {
    const response = await fetch(`${mock.url}/api/atolls`)

    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ type: 'https://stoplight.io/prism/errors#NO_PATH_MATCHED_ERROR' })
  })

  test('survives a path that is none', async () => {
    const [response] = await once(request(mock.url, { path: '//' }).end(), 'response')
    response.resume()

    expect(response.statusCode).toBeGreaterThanOrEqual(400)
    expect((await fetch(`${mock.url}/livez`)).status).toBe(200)
  })

  test('can be asked by a page from anywhere', async () => {
    const headers = { origin: 'http://localhost:5173', 'access-control-request-method': 'GET' }

    const response = await fetch(mock.url + getPolygon.examplePath, { method: 'OPTIONS', headers })

    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:5173')
  })

  test('greets with calls that work', async () => {
    const calls = [...mock.output().matchAll(/curl -s -H '([^']+)'(?: -H '([^']+)')? (\S+)/g)]
    const answers = await Promise.all(
      calls.map(([, ...parts]) => {
        const headers = parts.slice(0, 2).flatMap((line) => (line ? [line.split(': ') as [string, string]] : []))
        return fetch(parts[2]!, { headers })
      }),
    )

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 200])
    expect(await answers[1]!.json()).toMatchObject({ status: 'IN_PROGRESS' })
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('ends cleanly by %s, and leaves nothing behind', async (signal) => {
    const folder = await temporaryFolder()
    const other = await startMock([], folder)
    expect(await readdir(folder)).toHaveLength(1)

    expect(await end(other.process, signal)).toBe(0)

    expect(await readdir(folder)).toEqual([])
    await expect(fetch(other.url)).rejects.toThrow()
  })

  test.each([
    [['--prot', '4010'], "Unknown option '--prot'."],
    [['--port', 'many'], 'The port must be a number from 0 to 65535, not "many".'],
    [['--port', '65536'], 'The port must be a number from 0 to 65535, not "65536".'],
    [['--upstream', 'http://127.0.0.1:3000'], '--upstream is for the proxy: npm run mock:proxy -- --upstream URL.'],
    [['--proxy', '--upstream', 'ftp://x'], '--upstream must be the http or https address of a service, not "ftp://x".'],
    [
      ['--port', new URL(mock.url).port],
      `Cannot listen on 127.0.0.1:${new URL(mock.url).port}: something else does already.`,
    ],
  ])('says in one sentence what is wrong with %j', async (args, sentence) => {
    const child = forkMock(args)
    child.stdout!.resume()

    const [errors] = await Promise.all([text(child.stderr!), once(child, 'close')])

    expect(errors).toBe(`${sentence}\n`)
    expect(child.exitCode).toBe(2)
  })
})
