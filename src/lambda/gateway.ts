import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda'
import { AppError, problems } from '../errors.ts'
import { problemBody } from '../http/problem.ts'
import type { Log } from '../log.ts'
import { NoGatewayEvent, requestOf } from './gateway-event.ts'
import { ResultTooLarge, resultOf, valuesOf } from './gateway-result.ts'

export interface GatewayDeps {
  fetch(request: Request, bindings: { remoteAddress: string }): Response | Promise<Response>
  /** Where clients find the service. */
  publicUrl: string
  /** Called before each request: much may have broken while the function was frozen. */
  thaw(): Promise<void>
  log: Log
}

/** What the runtime gives to a function that streams, and how the status and headers get before its bytes. */
export type ResponseStreams = Pick<typeof awslambda.HttpResponseStream, 'from'>

/** A buffered integration is cut off then. */
const gatewayMs = 29_000
/** Whoever still waits is answered so long before the end. */
const marginMs = 2000

/** The service behind API Gateway's Lambda proxy integrations, the buffered ones and the streaming ones. */
export const lambdaGateway = ({ fetch, publicUrl, thaw, log }: GatewayDeps) => {
  /** Never throws. */
  async function respond(event: APIGatewayProxyEvent, deadline: Deadline, isBuffered: boolean): Promise<Response> {
    try {
      const request = requestOf(event, publicUrl, deadline.signal)
      deadline.hold(request)
      // The gateway passes compressed answers on as such only where they are streamed. Else it compresses by itself.
      if (isBuffered) request.headers.delete('accept-encoding')
      await thaw()
      return await fetch(request, { remoteAddress: event.requestContext.identity.sourceIp })
    } catch (error) {
      if (error instanceof NoGatewayEvent) {
        log.warn('malformed event', { error })
        return problemOf(new AppError('invalid_request', error.message), event)
      }
      return unexpected(error, event)
    }
  }

  function unexpected(error: unknown, event: APIGatewayProxyEvent): Response {
    log.error('unhandled error', { error })
    return problemOf(new AppError('internal', 'Something went wrong on our side.'), event)
  }

  async function whole(response: Response, event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
    try {
      return await resultOf(response)
    } catch (error) {
      if (!(error instanceof ResultTooLarge)) return resultOf(unexpected(error, event))
      log.warn('answer too large', { path: event.path })
      return resultOf(problemOf(tooLarge(), event))
    }
  }

  return {
    /** For an integration that waits for the whole answer. */
    async buffered(event: APIGatewayProxyEvent, context: Context): Promise<APIGatewayProxyResult> {
      // Open connections are kept for the next request: they must not hold up the end of this one.
      context.callbackWaitsForEmptyEventLoop = false
      using deadline = deadlineIn(Math.min(context.getRemainingTimeInMillis(), gatewayMs) - marginMs)
      return await whole(await respond(event, deadline, true), event)
    },

    /** For an integration that passes on each byte as it comes: event streams, and answers of any size. */
    async streaming(event: APIGatewayProxyEvent, output: Writable, context: Context, streams: ResponseStreams) {
      context.callbackWaitsForEmptyEventLoop = false
      using deadline = deadlineIn(context.getRemainingTimeInMillis() - marginMs)
      const response = await respond(event, deadline, false)
      const stream = streams.from(output, {
        statusCode: response.status,
        multiValueHeaders: valuesOf(response.headers),
      })
      // Status and headers go out with the first write, and an event stream may have nothing to say for a while.
      stream.write('')
      try {
        await pipeline(response.body ? Readable.fromWeb(response.body as never) : Readable.from([]), stream)
      } catch (error) {
        log.warn('stream cut short', { path: event.path, error })
      }
    },
  }
}

export type LambdaGateway = ReturnType<typeof lambdaGateway>

interface Deadline extends Disposable {
  signal: AbortSignal
  /** A request whose answer is being made is held by nobody else, and would take its own signal with it, unheard, when it is collected. */
  hold(request: Request): void
}

/** Aborts after so long, unless it is over before. Leaves no timer behind, which would go off in another request. */
function deadlineIn(ms: number): Deadline {
  const controller = new AbortController()
  const held: Request[] = []
  const timer = setTimeout(() => controller.abort(), Math.max(0, ms), held)
  return {
    signal: controller.signal,
    hold: (request) => void held.push(request),
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}

const tooLarge = () =>
  new AppError('payload_too_large', 'The answer is larger than the 6 MiB that can be sent at once. Ask for less.')

/** For what does not get as far as the app, or fails after it. */
function problemOf(error: AppError, event: APIGatewayProxyEvent): Response {
  const requestId = event?.requestContext?.requestId ?? crypto.randomUUID()
  const body = problemBody(error, event?.path ?? '/', requestId)
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store', 'x-request-id': requestId }
  return new Response(JSON.stringify(body), { status: problems[error.code].status, headers })
}
