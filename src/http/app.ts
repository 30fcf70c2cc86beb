import { OpenAPIHono } from '@hono/zod-openapi'
import type { Hono, MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import type { Caller } from '../auth/caller.ts'
import { AppError, invalidRequest } from '../errors.ts'
import type { Log } from '../log.ts'
import { bind, type ServiceEnv } from './bind.ts'
import { compressedDocs } from './docs.ts'
import { adminHandlers } from './handlers/admin.ts'
import { type AuthHandlerDeps, authHandlers } from './handlers/auth.ts'
import { emailHandlers } from './handlers/email.ts'
import { imageHandlers } from './handlers/images.ts'
import { jobHandlers } from './handlers/jobs.ts'
import { noteHandlers } from './handlers/notes.ts'
import { polygonFaults, polygonHandlers } from './handlers/polygons.ts'
import { type RegionHandlerDeps, regionHandlers } from './handlers/regions.ts'
import { type SystemHandlerDeps, systemHandlers } from './handlers/system.ts'
import { type UserHandlerDeps, userHandlers } from './handlers/users.ts'
import { workerHandlers } from './handlers/worker.ts'
import { safeHeaders } from './headers.ts'
import { type ExplainOutage, problemResponse, toAppError } from './problem.ts'

export interface AppDeps
  extends AuthHandlerDeps,
    UserHandlerDeps,
    RegionHandlerDeps,
    SystemHandlerDeps,
    Handled<typeof polygonHandlers>,
    Handled<typeof noteHandlers>,
    Handled<typeof imageHandlers>,
    Handled<typeof jobHandlers>,
    Handled<typeof workerHandlers>,
    Handled<typeof adminHandlers>,
    Handled<typeof emailHandlers> {
  authenticate(request: Request): Promise<Caller>
  explainOutage: ExplainOutage
  log: Log
  /** Serves the files of a disk store, where there is one, below `/objects`. */
  objects?: Hono | undefined
  corsOrigins: string[]
  /** The largest body, of the operations that take large ones. */
  bodyLimitBytes: number
  trustedProxies: number
  /** The largest file of a form. */
  fileLimitBytes: number
  bodyDeadlineMs?: number | undefined
  /** Aborts when the service stops: whoever waits is answered at once. */
  shutdown: AbortSignal
}

type Handled<Factory> = Factory extends (deps: infer Deps) => unknown ? Deps : never

/** The service as one `fetch`: middleware, files, and every operation of the contract. */
export function createApp(deps: AppDeps) {
  const { log, shutdown } = deps
  const app = new OpenAPIHono<ServiceEnv>()
  const crossOrigin = cors({
    origin: deps.corsOrigins,
    exposeHeaders: [
      'ETag',
      'Link',
      'Location',
      'Retry-After',
      'X-Request-Id',
      'Content-Disposition',
      'Content-Range',
      'Accept-Ranges',
    ],
    maxAge: 600,
  })

  app.use(requestId())
  app.use(logRequests(log, shutdown))
  app.use(safeHeaders)
  // What no browser sends needs no word on who may read it.
  app.use((c, next) => (c.req.header('origin') ? crossOrigin(c, next) : next()))
  // Files set limits of their own, are sent as they are, and never whole.
  if (deps.objects) app.route('/objects', deps.objects)
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (c, methods) => notAllowed(c as never, methods) }))
  app.get('/docs', compressedDocs(deps.docs))

  bind({
    app,
    authenticate: deps.authenticate,
    trustedProxies: deps.trustedProxies,
    bodyLimitBytes: deps.bodyLimitBytes,
    bodyDeadlineMs: deps.bodyDeadlineMs,
    fileLimitBytes: deps.fileLimitBytes,
    furtherFaults: polygonFaults,
    handlers: {
      ...authHandlers(deps),
      ...userHandlers(deps),
      ...polygonHandlers(deps),
      ...noteHandlers(deps),
      ...imageHandlers(deps),
      ...regionHandlers(deps),
      ...jobHandlers(deps),
      ...workerHandlers(deps),
      ...adminHandlers(deps),
      ...emailHandlers(deps),
      ...systemHandlers(deps),
    },
  })

  app.notFound((c) => problemResponse(c, new AppError('not_found', `There is nothing at ${c.req.path}.`)))
  app.onError((error, c) => {
    // zod gathers every fault, and a body of a million faults overflows its stack.
    const isFlood = c.var.isValidating === true && error instanceof RangeError
    const known = isFlood ? invalidRequest('', 'The request has more faults than can be listed.') : error
    return problemResponse(c, toAppError(known, log, c.var.requestId, deps.explainOutage))
  })
  return app
}

const logRequests =
  (log: Log, shutdown: AbortSignal): MiddlewareHandler<ServiceEnv> =>
  async (c, next) => {
    const started = performance.now()
    c.set('shutdown', shutdown)
    await next()
    const { requestId: id, operationId, caller } = c.var
    const ms = Math.round(performance.now() - started)
    const { method, path } = c.req
    log.info('request', { requestId: id, method, path, status: c.res.status, ms, operationId, userId: caller?.userId })
  }

function notAllowed(c: Parameters<typeof problemResponse>[0], methods: string[]): Response {
  c.header('allow', methods.join(', '))
  return problemResponse(c, new AppError('method_not_allowed', `${c.req.path} answers ${methods.join(', ')}.`))
}
