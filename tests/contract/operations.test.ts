import { describe, expect, test } from 'vitest'
import type { Schema } from '../../scripts/generate/document.ts'
import { claimOne, testJob } from '../support/jobs.ts'
import { startTestService } from '../support/service.ts'
import { contract, examplesOf, type Operation, operations, resolve } from './contract.ts'
import { formOf, largePicture, picture } from './form.ts'
import { ajv, closedJudgeOf, judgeOf } from './judge.ts'

const service = await startTestService({ imageLimitBytes: 64 * 1024 })

const password = 'slow-tides-carry-sand'
type Headers = Record<string, string>

/** Registers, and signs in for a token that is sent as it is. */
async function signIn(role: 'USER' | 'WORKER' | 'ADMIN'): Promise<Headers> {
  const post = async (path: string, body: object) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    return (await service.send(path, init)).json()
  }
  const email = `${role.toLowerCase()}@reef.example`
  const { userId } = await post('/api/auth/register', { email, password })
  await service.sql`update users set roles = ${[...new Set(['USER', role])]} where id = ${userId}`
  const { token } = await post('/api/auth/login', { email, password })
  return { authorization: `Bearer ${token}` }
}

const people = { USER: await signIn('USER'), WORKER: await signIn('WORKER'), ADMIN: await signIn('ADMIN') }
const scopes = contract.components.schemas.Scope!.enum as string[]
const keys = Object.fromEntries(await Promise.all(scopes.map(async (scope) => [scope, await keyWith(scope)] as const)))
const assignment = { authorization: `Bearer ${await assignmentToken()}` }

/** An admin's API key for one thing alone. */
async function keyWith(scope: string): Promise<Headers> {
  const headers = { ...people.ADMIN, 'content-type': 'application/json' }
  const body = JSON.stringify({ name: scope, scopes: [scope] })
  const response = await service.send('/api/users/me/api-keys', { method: 'POST', headers, body })
  return { 'x-api-key': (await response.json()).key }
}

async function assignmentToken(): Promise<string> {
  const [person, worker] = [await service.person(), await service.worker()]
  await person.client.jobs.create(testJob())
  return (await claimOne(worker.client)).assignment.token
}

const anyone = (operation: Operation): Headers => (operation.security.length > 0 ? people.ADMIN : {})

interface Asked {
  as?: Headers
  path?: string
  query?: string
  body?: string | FormData
  type?: string | undefined
}

/** Sends what the contract gives as the example of this operation, but for what the test is about. */
function ask({ method, examplePath, body: media, form }: Operation, asked: Asked = {}): Promise<Response> {
  const { as = {}, path = examplePath, query = '', type = form ? undefined : 'application/json' } = asked
  const body = asked.body ?? (form ? formOf(form) : JSON.stringify(media?.example))
  const headers = { ...as, ...((media || form) && type && { 'content-type': type }) }
  // A form says by itself what it is, and where its parts end. Bytes say nothing.
  const sent = (media || form) && { body: typeof body === 'string' ? new TextEncoder().encode(body) : body }
  return service.send(`${path}${query}`, { method, headers, ...sent })
}

/** Whom the request has reached, as the log tells it. */
const reached = () => {
  const lines = service.log.lines.filter(({ message }) => message === 'request')
  return (lines.at(-1)!.fields as { operationId?: string }).operationId
}

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const problem = (await response.json()) as { status: number; code: string; errors?: { pointer: string }[] }
  expect(problem.status).toBe(response.status)
  const pointers = problem.errors?.map(({ pointer }) => pointer)
  return { status: response.status, code: problem.code, ...(pointers && { pointers }) }
}

async function expectUncompressed(response: Response) {
  expect(await problemOf(response)).toEqual({ status: 415, code: 'unsupported_media_type' })
  expect(response.headers.get('accept-encoding')).toBe('identity')
}

/** Comes last before the handler: whoever gets this answer was let in, and nothing has happened. */
const unheardOf = '?unheardOf=1'
const letIn = { status: 400, code: 'invalid_request', pointers: ['/query/unheardOf'] }

describe.each(operations)('$operationId', (operation) => {
  const { security, body: media, form, parameters = [] } = operation
  const [xScopes, xRoles] = [operation['x-scopes'], operation['x-roles']] as (string[] | undefined)[]
  const takes = (scheme: string) => security.some((requirement) => scheme in requirement)

  test('is served at its path', async () => {
    const response = await ask(operation)

    expect(reached()).toBe(operation.operationId)
    expect(response.status).toBeLessThan(500)
    // An example's token opens nothing.
    const isRefused = response.status === 401 || (await response.text()).includes('"invalid_reset_token"')
    expect(response.ok || isRefused).toBe(true)
  })

  test('refuses an unknown query parameter', async () => {
    const response = await ask(operation, { as: anyone(operation), query: unheardOf })

    expect(await problemOf(response)).toEqual(letIn)
  })

  const replies = Object.entries(operation.responses).flatMap(([status, reference]) =>
    Object.entries(resolve(reference).content ?? {}).map(([type, reply]) => ({ status, type, reply })),
  )
  test.each(replies.filter(({ type }) => type.includes('json')))('has true examples of $status', ({ reply }) => {
    const { accepts } = closedJudgeOf(reply.schema)
    const examples = examplesOf(reply)

    expect(examples).not.toEqual([])
    for (const { name, value } of examples)
      expect(accepts(value), `${name}: ${ajv.errorsText(accepts.errors)}`).toBe(true)
  })

  const narrow = parameters.filter(({ in: place, schema }) => place === 'path' && !judgeOf(schema).accepts('!'))
  test.each(narrow)('refuses a $name that is none', async ({ name }) => {
    const path = operation.path.replace(`{${name}}`, '!').replaceAll(/\{\w+\}/g, (part) => exampleAt(operation, part))

    const response = await ask(operation, { as: anyone(operation), path })

    expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request', pointers: [`/path/${name}`] })
  })

  if (media)
    describe('a body', () => {
      const as = anyone(operation)

      test('has true examples', () => {
        const { accepts } = judgeOf(media.schema)
        const examples = examplesOf(operation.requestBody!.content!['application/json']!)

        expect(examples).not.toEqual([])
        for (const { name, value } of examples)
          expect(accepts(value), `${name}: ${ajv.errorsText(accepts.errors)}`).toBe(true)
      })

      test.each(strictPlaces(media.schema, media.example))(
        'with an unknown member at "%s" is refused',
        async (place) => {
          const body = JSON.stringify(withMember(media.example, place))

          const response = await ask(operation, { as, body })

          expect(await problemOf(response)).toEqual({ ...letIn, pointers: [`${place}/unheardOf`] })
        },
      )

      test.each([
        ['text/plain'],
        ['application/x-www-form-urlencoded'],
        ['multipart/form-data; boundary=x'],
        ['application/json; charset=latin1'],
        [''],
      ])('of type "%s" is refused', async (type) => {
        const response = await ask(operation, { as, type })

        expect(await problemOf(response)).toEqual({ status: 415, code: 'unsupported_media_type' })
      })

      test('that is compressed is refused', async () => {
        await expectUncompressed(await ask(operation, { as: { ...as, 'content-encoding': 'gzip' } }))
      })

      test.each(['{', '', '{"a":1,}', 'undefined', '[1'])('that is no JSON (%s) is refused', async (body) => {
        const response = await ask(operation, { as, body })

        expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request', pointers: [''] })
      })

      test('of another kind is refused', async () => {
        const answers = await Promise.all(['null', '[]', '"text"', '7'].map((body) => ask(operation, { as, body })))

        for (const response of answers)
          expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request', pointers: [''] })
      })

      test.each(['announced', 'not announced'])('that is too large, and %s, is refused', async (how) => {
        const body = `"${'x'.repeat(1024 * 1024)}"`
        const length: Headers = how === 'announced' ? { 'content-length': String(body.length) } : {}

        const response = await ask(operation, { as: { ...as, ...length }, body })

        expect(await problemOf(response)).toEqual({ status: 413, code: 'payload_too_large' })
      })
    })

  if (form)
    describe('a form', () => {
      const as = anyone(operation)
      const image = (bytes = picture) => new File([bytes], 'reef.png')
      const changed = (change: (form: FormData) => void) => {
        const body = formOf(form)
        change(body)
        return body
      }

      test('has true examples', () => {
        const { accepts } = judgeOf(form.schema)

        expect(accepts(form.example), ajv.errorsText(accepts.errors)).toBe(true)
      })

      test.each<[string, string, (form: FormData) => void]>([
        ['an unknown field', 'unheardOf', (body) => body.set('unheardOf', '1')],
        ['a field twice', 'polygonId', (body) => body.append('polygonId', String(body.get('polygonId')))],
        ['no file', 'file', (body) => body.delete('file')],
        ['two files', 'file', (body) => body.append('file', image())],
        ['text for a file', 'file', (body) => body.set('file', 'reef.png')],
        [
          'a file of another name',
          'unheardOf',
          (body) => {
            body.delete('file')
            body.set('unheardOf', image())
          },
        ],
      ])('with %s is refused', async (_, name, change) => {
        const response = await ask(operation, { as, body: changed(change) })

        expect(await problemOf(response)).toEqual({ ...letIn, pointers: [`/${name}`] })
      })

      test.each([['text/plain'], ['application/x-www-form-urlencoded'], ['application/json'], [undefined]])(
        'of type "%s" is refused',
        async (type) => {
          const response = await ask(operation, { as, body: '{}', type })

          expect(await problemOf(response)).toEqual({ status: 415, code: 'unsupported_media_type' })
        },
      )

      test('that is compressed is refused', async () => {
        await expectUncompressed(await ask(operation, { as: { ...as, 'content-encoding': 'gzip' } }))
      })

      test.each(['', '{}', '--x', '--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\nPNG'])(
        'that is none (%j) is refused',
        async (body) => {
          const response = await ask(operation, { as, body, type: 'multipart/form-data; boundary=x' })

          expect(await problemOf(response)).toMatchObject({ status: 400, code: 'invalid_request' })
        },
      )

      test.each(['announced', 'not announced'])('that is too large, and %s, is refused', async (how) => {
        // What is announced is refused before it comes.
        const body = how === 'announced' ? formOf(form) : changed((form) => form.set('file', image(largePicture)))
        const length: Headers = how === 'announced' ? { 'content-length': String(largePicture.length) } : {}

        const response = await ask(operation, { as: { ...as, ...length }, body })

        expect(await problemOf(response)).toEqual({ status: 413, code: 'payload_too_large' })
      })
    })

  if (security.length > 0)
    describe('access', () => {
      test.each<[string, Headers]>([
        ['nothing', {}],
        ['a token that is none', { authorization: 'Bearer nonsense' }],
        ['an API key that is none', { 'x-api-key': 'fs_nonsense' }],
        ['an API key that is none, as a token', { authorization: 'Bearer fs_nonsense' }],
        ['an assignment token that is none', { authorization: 'Bearer fsa_nonsense' }],
        ['another scheme', { authorization: people.ADMIN.authorization!.replace('Bearer', 'Basic') }],
      ])('is refused to a stranger with %s', async (_, as) => {
        const response = await ask(operation, { as, query: unheardOf })

        expect(response.headers.get('www-authenticate')).toBe('Bearer')
        expect(await problemOf(response)).toEqual({ status: 401, code: 'unauthenticated' })
      })

      test.each(Object.keys(people))('goes by the role, for a %s', async (role) => {
        const response = await ask(operation, { as: people[role as keyof typeof people], query: unheardOf })

        const isAllowed = !xRoles || xRoles.includes(role)
        expect(await problemOf(response)).toEqual(isAllowed ? letIn : { status: 403, code: 'forbidden' })
      })

      test.each(scopes)('goes by the scope, for an API key with %s', async (scope) => {
        const response = await ask(operation, { as: keys[scope]!, query: unheardOf })

        const refusal = takes('apiKey') ? 'insufficient_scope' : 'forbidden'
        const isAllowed = takes('apiKey') && (xScopes?.length === 0 || xScopes?.includes(scope))
        expect(await problemOf(response)).toEqual(isAllowed ? letIn : { status: 403, code: refusal })
      })

      test('goes by the scheme, for an assignment token', async () => {
        const response = await ask(operation, { as: assignment, query: unheardOf })

        expect(await problemOf(response)).toEqual(takes('assignmentToken') ? letIn : { status: 403, code: 'forbidden' })
      })
    })
})

describe('a path', () => {
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

  const pattern = (path: string) => new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`)
  const rivals = operations.flatMap((one) =>
    operations
      .filter((other) => other.method === one.method && other.path !== one.path && pattern(other.path).test(one.path))
      .map((other) => ({ one, path: one.path, other: other.operationId })),
  )

  test.each(Object.keys(contract.paths))('%s refuses every method that it has not', async (path) => {
    const here = operations.filter((operation) => operation.path === path || pattern(operation.path).test(path))
    const known = [...new Set(here.map(({ method }) => method))].sort()
    const others = methods.filter((method) => !known.includes(method))

    const answers = await Promise.all(
      others.map((method) => ask({ ...here[0]!, examplePath: exampleOf(path), method, body: undefined })),
    )

    for (const response of answers) {
      expect(await problemOf(response.clone())).toEqual({ status: 405, code: 'method_not_allowed' })
      expect(
        response.headers
          .get('allow')
          ?.split(', ')
          .filter((method) => methods.includes(method))
          .sort(),
      ).toEqual(known)
    }
  })

  test.each(rivals)('$path is not taken for $other', async ({ one }) => {
    await ask(one)

    expect(reached()).toBe(one.operationId)
  })

  test('has rivals, so that the test above is one', () => {
    expect(rivals.map(({ path, other }) => `${path} ${other}`)).toContain('/api/jobs/poll getJob')
  })
})

const exampleOf = (path: string) => operations.find((operation) => operation.path === path)!.examplePath

function exampleAt({ path, examplePath }: Operation, part: string): string {
  return examplePath.split('/')[path.split('/').indexOf(part)]!
}

/** Where in a value the contract takes no members beyond those that it names. */
function strictPlaces(schema: Schema, value: unknown, at = ''): string[] {
  if (!value || typeof value !== 'object') return []
  const {
    properties = {},
    items,
    oneOf,
    additionalProperties,
    discriminator,
  } = resolve(schema) as Schema & {
    properties?: Record<string, Schema>
    items?: Schema
    discriminator?: { propertyName: string; mapping: Record<string, string> }
  }
  if (oneOf && discriminator) {
    const $ref = discriminator.mapping[String((value as Record<string, unknown>)[discriminator.propertyName])]!
    return strictPlaces({ $ref }, value, at)
  }
  const inner = Object.entries(value).flatMap(([key, member]) => {
    const next =
      items ?? properties[key] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    return next ? strictPlaces(next as Schema, member, `${at}/${key}`) : []
  })
  return [...(additionalProperties === false ? [at] : []), ...inner]
}

function withMember(value: unknown, place: string): unknown {
  const copy = structuredClone(value) as Record<string, unknown>
  const holder = place
    .split('/')
    .slice(1)
    .reduce((at, step) => at[step] as Record<string, unknown>, copy)
  holder.unheardOf = 1
  return copy
}
