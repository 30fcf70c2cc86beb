import type { Client } from 'openapi-fetch'
import { type Answer, success } from './answer.ts'
import { rememberETag } from './etags.ts'
import type { Items, Method, Operation, OperationOptions } from './operation-types.ts'
import type { CallPolicy, Send } from './transport.ts'
import type { Page, paths } from './types.ts'

/** What is left of an operation's types when it runs. */
type AnyOperation = (
  method: Method,
  path: string,
  ...inputs: ('body' | 'query')[]
) => (...args: unknown[]) => Promise<unknown>
type Input = { waitSeconds?: number } | undefined

/** `policy` is what the contract promises of the operations, and stands above what their callers say. */
export function operations(http: Client<paths>, send: Send, limitMs: number, policy?: CallPolicy): Operation {
  const operation: AnyOperation =
    (method, path, ...inputs) =>
    async (...args) => {
      const url = path.replace(/\{\w+\}/g, () => encodeURIComponent(String(args.shift())))
      const { body, query } = Object.fromEntries(inputs.map((name) => [name, args.shift() as Input]))
      // The time that the service is asked to wait comes on top.
      const patientMs = limitMs + ((body ?? query)?.waitSeconds ?? 0) * 1000
      const { ifMatch, idempotencyKey, headers, timeoutMs = patientMs, ...options }: OperationOptions = args[0] ?? {}
      const init = {
        body,
        headers,
        parseAs: options.isStreamed ? 'stream' : 'json',
        params: { query, header: { 'If-Match': ifMatch, 'Idempotency-Key': idempotencyKey } },
        fetch: (request: Request) => send(request, { ...options, timeoutMs, ...policy }),
      }
      const call = http.request(method, url as never, init as never) as Promise<Answer<unknown>>
      const answer = await success(call)
      return options.isStreamed ? answer.response : rememberETag(answer)
    }
  return operation as Operation
}

/** All items of a list, by its path. */
export function lists(operation: Operation): Items {
  const items = (path: string) => {
    const fetchPage = (operation as AnyOperation)('get', path, 'query')
    /** Where the query stands among the arguments: behind the values of the path. */
    const at = path.split('{').length - 1
    return async function* (...args: { cursor?: string | undefined }[]) {
      let cursor = args[at]?.cursor
      do {
        const page = (await fetchPage(...args.slice(0, at), { ...args[at], cursor }, args[at + 1])) as Page<unknown>
        yield* page.items
        cursor = page.nextCursor
      } while (cursor !== undefined)
    }
  }
  return items as Items
}
