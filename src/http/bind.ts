import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context, Env } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'
import { routes } from '../../generated/routes.ts'
import type { Origin } from '../audit/audit-log.ts'
import type { Caller } from '../auth/caller.ts'
import { type Access, checkAccess } from './access.ts'
import { readJson } from './body.ts'
import { compressed } from './compression.ts'
import type { Handlers, OperationId, RawBody } from './contract.ts'
import { originOf } from './origin.ts'
import { invalidInput } from './problem.ts'
import { assertStorable } from './storable.ts'

export interface ServiceEnv extends Env {
  Variables: { requestId: string; operationId?: string; caller?: Caller; shutdown: AbortSignal; isValidating?: boolean }
}

export interface Binding {
  app: OpenAPIHono<ServiceEnv>
  handlers: Handlers
  /** Tells who sent the request; throws `unauthenticated`. */
  authenticate(request: Request): Promise<Caller>
  /** How many proxies stand before us whose word on the client's address we take. */
  trustedProxies: number
  /** The largest body, of the operations that take large ones (`x-large-body`). */
  bodyLimitBytes: number
  bodyDeadlineMs?: number | undefined
}

/** More than the largest body of an operation that takes neither areas nor whatever the caller likes. */
const smallBodyBytes = 64 * 1024

/** What every handler takes and gives, once the compiler has checked the table as a whole. */
type AnyHandler = (request: {
  path: unknown
  query: unknown
  headers: unknown
  body: unknown
  caller: Caller | undefined
  origin: Origin
  signal: AbortSignal
}) => Promise<{
  status: StatusCode
  headers?: Record<string, string>
  body?: unknown
  contentType?: string
  raw?: RawBody
}>

/** Registers every operation of the contract with its handler: authenticate, check access, read, validate, handle, answer. */
export function bind({
  app,
  handlers,
  authenticate,
  trustedProxies,
  bodyLimitBytes,
  bodyDeadlineMs = 30_000,
}: Binding): void {
  for (const [id, route] of Object.entries(routes)) {
    const handle = handlers[id as OperationId] as unknown as AnyHandler
    const access = route as unknown as Access
    const hasBody = 'body' in (route.request ?? {})
    const maxBytes = 'x-large-body' in route ? bodyLimitBytes : Math.min(smallBodyBytes, bodyLimitBytes)
    const admit = async (c: Context<ServiceEnv>, next: () => Promise<void>) => {
      c.set('operationId', id)
      if (access.security.length > 0) {
        const caller = await authenticate(c.req.raw)
        c.set('caller', caller)
        checkAccess(access, caller)
      }
      if (hasBody) {
        const body = await readJson(c.req, { maxBytes, deadlineMs: bodyDeadlineMs })
        // The library would read the text a second time.
        c.req.json = async () => body as never
      }
      c.set('isValidating', true)
      await next()
    }
    // The library's own check of the handler stops at the first response without JSON; `Handlers` has checked this one.
    app.openapi(
      { ...route, middleware: admit } as never,
      (async (c: Context<ServiceEnv>) => {
        c.set('isValidating', false)
        return answer(c, await handle(requestOf(c, trustedProxies)))
      }) as never,
      ((result: { success: boolean; target: string; error: never }) => {
        if (!result.success) throw invalidInput(result.error, result.target)
      }) as never,
    )
  }
}

function requestOf(c: Context<ServiceEnv>, trustedProxies: number): Parameters<AnyHandler>[0] {
  const valid = (target: string) => c.req.valid(target as never) as unknown
  const [path, query] = [valid('param') ?? {}, valid('query') ?? {}]
  assertStorable(path, '/path')
  assertStorable(query, '/query')
  return {
    path,
    query,
    headers: valid('header') ?? {},
    body: valid('json'),
    caller: c.get('caller'),
    origin: originOf(c, trustedProxies),
    // Made when asked for: most handlers never wait.
    get signal() {
      return AbortSignal.any([c.req.raw.signal, c.get('shutdown')])
    },
  }
}

function answer(c: Context<ServiceEnv>, reply: Awaited<ReturnType<AnyHandler>>): Response | Promise<Response> {
  for (const [name, value] of Object.entries(reply.headers ?? {})) c.header(name, value)
  if (reply.raw !== undefined) {
    c.header('content-type', reply.contentType)
    return c.body(reply.raw, reply.status as never)
  }
  if (reply.body === undefined) return c.body(null, reply.status as never)
  return json(c, JSON.stringify(reply.body), reply.status)
}

async function json(c: Context<ServiceEnv>, text: string, status: StatusCode): Promise<Response> {
  c.header('content-type', 'application/json')
  return c.body((await compressed(c, text)) ?? text, status as never)
}
