/**
 * What Lambda's Node.js runtime is to a function: calls its handlers, one at a time, with an event and a context, and takes what they
 * answer or stream. Events come from the parent process and answers go there. `BUNDLE` names the function's code.
 */
import { Writable } from 'node:stream'

export interface Invocation {
  id: number
  handler: string
  event: unknown
  remainingMs: number
}

/** A stream comes in pieces, in base64, before the end of its invocation. */
export type Outcome = { id: number; piece: string } | { id: number; end: Ending }
export interface Ending {
  result?: unknown
  error?: string
  /** Whether the runtime would wait until the function has closed everything. */
  waits: boolean
}

type Handler = (event: unknown, ...rest: unknown[]) => Promise<unknown>

/** The content type, and what stands between the status and headers and the body. */
const integration = 'application/vnd.awslambda.http-integration-response'
const delimiter = Buffer.alloc(8)
const streamed = new WeakSet<Handler>()

class ResponseStream extends Writable {
  contentType: string | undefined
  prelude: Buffer | undefined

  setContentType(contentType: string) {
    this.contentType = contentType
  }

  /** As in the runtime, the prelude goes out with the first write, and never if there is none. */
  override write(chunk: never, ...rest: never[]): boolean {
    const { prelude } = this
    this.prelude = undefined
    if (prelude) super.write(prelude)
    return super.write(chunk, ...rest)
  }
}

Object.assign(globalThis, {
  awslambda: {
    streamifyResponse: (handler: Handler) => {
      streamed.add(handler)
      return handler
    },
    HttpResponseStream: {
      from(stream: ResponseStream, metadata: object) {
        stream.setContentType(integration)
        stream.prelude = Buffer.concat([Buffer.from(JSON.stringify(metadata)), delimiter])
        return stream
      },
    },
  },
})

const handlers = (await import(process.env.BUNDLE!)) as Record<string, Handler>
process.on('message', (invocation: Invocation) => void invoke(invocation))
process.once('disconnect', () => process.exit())
process.send!('ready')

async function invoke({ id, handler: name, event, remainingMs }: Invocation): Promise<void> {
  const end = performance.now() + remainingMs
  const context = {
    awsRequestId: `invocation-${id}`,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => end - performance.now(),
  }
  const handler = handlers[name]!
  const done = (ending: Omit<Ending, 'waits'>) =>
    process.send!({ id, end: { ...ending, waits: context.callbackWaitsForEmptyEventLoop } } satisfies Outcome)
  try {
    if (streamed.has(handler)) {
      await handler(event, outputOf(id), context)
      done({})
    } else {
      const result = await handler(event, context)
      const bytes = Buffer.byteLength(JSON.stringify(result) ?? '')
      if (bytes > 6_291_556)
        throw new Error(`Response payload size (${bytes} bytes) exceeded maximum allowed payload size`)
      done({ result })
    }
  } catch (error) {
    done({ error: String((error as Error).stack) })
  }
}

const outputOf = (id: number) =>
  new ResponseStream({
    write(chunk: Buffer, _encoding, next) {
      process.send!({ id, piece: chunk.toString('base64') } satisfies Outcome, () => next())
    },
  })
