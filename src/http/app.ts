import { OpenAPIHono } from '@hono/zod-openapi'
import type { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { compress } from 'hono/compress'
import { cors } from 'hono/cors'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import type { Caller } from '../auth/caller.ts'
import { AppError } from '../errors.ts'
import type { Log } from '../log.ts'
import { bind, type ServiceEnv } from './bind.ts'
import { docsPolicy, redocScript } from './docs.ts'
import { type AuthHandlerDeps, authHandlers } from './handlers/auth.ts'
import { jobHandlers } from './handlers/jobs.ts'
import { polygonHandlers } from './handlers/polygons.ts'
import { type RegionHandlerDeps, regionHandlers } from './handlers/regions.ts'
import { type SystemHandlerDeps, systemHandlers } from './handlers/system.ts'
import { type UserHandlerDeps, userHandlers } from './handlers/users.ts'
import { workerHandlers } from './handlers/worker.ts'
import { type ExplainOutage, problemResponse, toAppError } from './problem.ts'

export interface AppDeps
  extends AuthHandlerDeps,
    UserHandlerDeps,
    RegionHandlerDeps,
    SystemHandlerDeps,
    Handled<typeof polygonHandlers>,
    Handled<typeof jobHandlers>,
    Handled<typeof workerHandlers> {
  authenticate(request: Request): Promise<Caller>
  explainOutage: ExplainOutage
  log: Log
  /** Serves the files of a disk store, where there is one, below `/objects`. */
  objects?: Hono | undefined
  corsOrigins: string[]
  bodyLimitBytes: number
  /** Aborts when the service stops: whoever waits is answered at once. */
  shutdown: AbortSignal
}

type Handled<Factory> = Factory extends (deps: infer Deps) => unknown ? Deps : never

/** The service as one `fetch`: middleware, files, and every operation of the contract. */
export function createApp(deps: AppDeps) {
  const { log, shutdown } = deps
  const app = new OpenAPIHono<ServiceEnv>()

  app.use(requestId())
  app.use(async (c, next) => {
    const started = performance.now()
    c.set('shutdown', shutdown)
    await next()
    const { method, path } = c.req
    const { requestId: id, operationId, caller } = c.var
    const ms = Math.round(performance.now() - started)
    log.info('request', { requestId: id, method, path, status: c.res.status, ms, operationId, userId: caller?.userId })
  })
  app.use(async (c, next) => {
    await next()
    c.header(
      'content-security-policy',
      c.req.path === '/docs' ? docsPolicy : "default-src 'none'; frame-ancestors 'none'",
    )
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store')
  })
  app.use(secureHeaders())
  app.use(
    cors({
      origin: deps.corsOrigins,
      exposeHeaders: ['ETag', 'Location', 'Retry-After', 'X-Request-Id', 'Content-Disposition', 'Content-Range'],
      maxAge: 600,
    }),
  )
  // Files set limits of their own, are sent as they are, and never whole.
  if (deps.objects) app.route('/objects', deps.objects)
  app.use(compress())
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (c, methods) => notAllowed(c as never, methods) }))
  app.use(
    bodyLimit({
      maxSize: deps.bodyLimitBytes,
      onError: () => {
        throw new AppError('payload_too_large', `The body may have at most ${deps.bodyLimitBytes} bytes.`)
      },
    }),
  )
  app.get('/docs/redoc.js', (c) =>
    c.body(redocScript(), 200, { 'content-type': 'text/javascript', 'cache-control': 'max-age=86400' }),
  )

  bind({
    app,
    authenticate: deps.authenticate,
    handlers: {
      ...authHandlers(deps),
      ...userHandlers(deps),
      ...polygonHandlers(deps),
      ...regionHandlers(deps),
      ...jobHandlers(deps),
      ...workerHandlers(deps),
      ...systemHandlers(deps),
    },
  })

  app.notFound((c) => problemResponse(c, new AppError('not_found', `There is nothing at ${c.req.path}.`)))
  app.onError((error, c) => problemResponse(c, toAppError(error, log, c.var.requestId, deps.explainOutage)))
  return app
}

function notAllowed(c: Parameters<typeof problemResponse>[0], methods: string[]): Response {
  c.header('allow', methods.join(', '))
  return problemResponse(c, new AppError('method_not_allowed', `${c.req.path} answers ${methods.join(', ')}.`))
}
