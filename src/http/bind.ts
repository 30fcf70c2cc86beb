import type { OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context, Env } from 'hono'
import { routes } from '../../generated/routes.ts'
import { usualSilenceMs } from '../arriving-body.ts'
import type { Origin } from '../audit/audit-log.ts'
import type { Caller } from '../auth/caller.ts'
import { invalidInAll, type ProblemError } from '../errors.ts'
import { createTurns } from '../turns.ts'
import { noVersion } from '../versions.ts'
import { preferred } from './accept.ts'
import { type Access, checkAccess } from './access.ts'
import { answer, type Reply } from './answer.ts'
import { assertNotEncoded, readJson } from './body.ts'
import type { FurtherFaults, Handlers, OperationId } from './contract.ts'
import { openForm } from './form.ts'
import { originOf } from './origin.ts'
import { faultsOf } from './problem.ts'
import { assertStorable } from './storable.ts'

export interface ServiceEnv extends Env {
  Variables: {
    requestId: string
    operationId?: string
    caller?: Caller
    shutdown: AbortSignal
    isValidating?: boolean
  }
}

export interface Binding {
  app: OpenAPIHono<ServiceEnv>
  handlers: Handlers
  furtherFaults: FurtherFaults
  /** Tells who sent the request; throws `unauthenticated`. */
  authenticate(request: Request): Promise<Caller>
  /** How many proxies stand before us whose word on the client's address we take. */
  trustedProxies: number
  /** The largest body, of the operations that take large ones (`x-large-body`). */
  bodyLimitBytes: number
  /** How long a body of JSON may take, and how long a form may be silent. */
  bodyDeadlineMs?: number | undefined
  /** The largest file of a form. */
  fileLimitBytes: number
}

/** More than the largest body of an operation that takes neither areas nor whatever the caller likes. */
const smallBodyBytes = 64 * 1024

/** Of all large bodies together that are being checked and answered. */
const bodiesInWorkBytes = 8 * 1024 * 1024

/** What every handler takes and gives, once the compiler has checked the table as a whole. */
type AnyHandler = (request: {
  path: unknown
  query: unknown
  headers: RequestHeaders
  body: unknown
  mediaType: string | undefined
  caller: Caller | undefined
  origin: Origin
  signal: AbortSignal
}) => Promise<Reply>

type RequestHeaders = Record<string, string | undefined>

type AnyFurtherFaults = (request: { query: unknown; body: unknown }, faults: ProblemError[]) => Promise<ProblemError[]>

/** What the library has made of a part of the request. */
interface Validation {
  success: boolean
  target: string
  data: unknown
  error: z.core.$ZodError
}

/** Registers every operation of the contract with its handler: authenticate, check access, read, validate, handle, answer. */
export function bind({
  app,
  handlers,
  furtherFaults,
  authenticate,
  trustedProxies,
  bodyLimitBytes,
  bodyDeadlineMs = usualSilenceMs,
  fileLimitBytes,
}: Binding): void {
  const turns = createTurns(Math.max(bodyLimitBytes, bodiesInWorkBytes))
  for (const [id, route] of Object.entries(routes)) {
    const handle = handlers[id as OperationId] as unknown as AnyHandler
    const further = furtherFaults[id as OperationId] as AnyFurtherFaults | undefined
    const access = route as unknown as Access
    const body = bodyOf(route)
    const mediaTypes = mediaTypesOf(route)
    const maxBytes = 'x-large-body' in route ? bodyLimitBytes : Math.min(smallBodyBytes, bodyLimitBytes)
    const admit = async (c: Context<ServiceEnv>, next: () => Promise<void>) => {
      c.set('operationId', id)
      if (access.security.length > 0) {
        const caller = await authenticate(c.req.raw)
        c.set('caller', caller)
        checkAccess(access, caller)
      }
      if (body) assertNotEncoded(c.req)
      if (!body?.json) return validated(c, next)
      const { body: value, done } = await readJson(c.req, { maxBytes, deadlineMs: bodyDeadlineMs, turns })
      // The library would read the text a second time.
      c.req.json = async () => value as never
      try {
        await validated(c, next)
      } finally {
        done()
      }
    }
    // The library's own check of the handler stops at the first response without JSON; `Handlers` has checked this one.
    app.openapi(
      { ...(body?.form ? withoutBody(app, route) : route), middleware: admit } as never,
      (async (c: Context<ServiceEnv>) => {
        c.set('isValidating', false)
        const request = requestOf(c, trustedProxies, mediaTypes)
        const known = request.headers['If-None-Match']
        if (!body?.form) return answer(c, await handle(request), known)
        const form = await openForm(c.req, body.form, { maxFileBytes: fileLimitBytes, silenceMs: bodyDeadlineMs })
        try {
          return await answer(c, await handle({ ...request, body: form }), known)
        } finally {
          form.close()
        }
      }) as never,
      (async (result: Validation, c: Context<ServiceEnv>) => {
        if (result.success) return
        const faults = faultsOf(result.error, result.target)
        const isBody = result.target === 'json'
        throw invalidInAll((isBody && (await further?.({ query: queryOf(c), body: result.data }, faults))) || faults)
      }) as never,
    )
  }
}

async function validated(c: Context<ServiceEnv>, next: () => Promise<void>): Promise<void> {
  c.set('isValidating', true)
  await next()
}

type Content = Record<string, { schema: z.ZodType }>

/** What a route takes: JSON, or a form with the schema of its fields. */
function bodyOf(route: object): { json?: z.ZodType | undefined; form?: z.ZodType | undefined } | undefined {
  const { content } = (route as { request?: { body?: { content: Content } } }).request?.body ?? {}
  return content && { json: content['application/json']?.schema, form: content['multipart/form-data']?.schema }
}

/** Kinds of JSON are the client's to choose from. What kind a file is, it is. */
function mediaTypesOf(route: object): string[] {
  const { responses } = route as { responses: Record<string, { content?: Content }> }
  const types = Object.keys(responses['200']?.content ?? {})
  return types.includes('application/json') ? types : types.slice(0, 1)
}

/** The library would read a form whole, to validate it. It only tells of it. */
function withoutBody(app: OpenAPIHono<ServiceEnv>, route: object) {
  app.openAPIRegistry.registerPath(route as never)
  const { body: _, ...request } = (route as { request: Record<string, unknown> }).request
  return { ...route, request, hide: true }
}

const queryOf = (c: Context<ServiceEnv>) => (c.req.valid('query' as never) ?? {}) as unknown

function requestOf(c: Context<ServiceEnv>, trustedProxies: number, mediaTypes: string[]): Parameters<AnyHandler>[0] {
  const valid = (target: string) => c.req.valid(target as never) as unknown
  const [path, query] = [valid('param') ?? {}, queryOf(c)]
  assertStorable(path, '/path')
  assertStorable(query, '/query')
  return {
    path,
    query,
    headers: headersFor(c.req.method, (valid('header') ?? {}) as RequestHeaders),
    body: valid('json'),
    mediaType: preferred(c, mediaTypes),
    caller: c.get('caller'),
    origin: originOf(c, trustedProxies),
    // Made when asked for: most handlers never wait.
    get signal() {
      return AbortSignal.any([c.req.raw.signal, c.get('shutdown')])
    },
  }
}

function headersFor(method: string, headers: RequestHeaders): RequestHeaders {
  // Ranges are for GET alone (RFC 9110, section 14.2).
  if (method === 'HEAD') return { ...headers, Range: undefined }
  // Who writes only where nothing is (RFC 9110, section 13.1.2) writes over no version of what is there.
  if (method !== 'GET' && headers['If-None-Match'] === '*') return { ...headers, 'If-Match': noVersion }
  return headers
}
