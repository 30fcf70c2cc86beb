import type { z } from '@hono/zod-openapi'
import type { PublicOperation, routes } from '../../generated/routes.ts'
import type { operations } from '../../generated/types.ts'
import type { Origin } from '../audit/audit-log.ts'
import type { Caller } from '../auth/caller.ts'

type Routes = typeof routes
export type OperationId = keyof Routes & keyof operations

type Part<Id extends OperationId, Key extends string> =
  Routes[Id]['request'] extends Record<Key, infer S extends z.ZodType> ? z.output<S> : Record<never, never>
type JsonBody<Id extends OperationId> = operations[Id] extends {
  requestBody: { content: { 'application/json': infer B } }
}
  ? B
  : undefined

/** What a handler is given: everything that the contract names, checked and converted, and nothing else. */
export interface OperationRequest<Id extends OperationId> {
  path: Part<Id, 'params'>
  query: Part<Id, 'query'>
  headers: Part<Id, 'headers'>
  body: JsonBody<Id>
  /** Who asks. Nobody where the operation is open to all. */
  caller: Id extends PublicOperation ? undefined : Caller
  /** Where the request came from. */
  origin: Origin
  /** Aborts when the client goes away or the service shuts down. */
  signal: AbortSignal
}

type Responses<Id extends OperationId> = operations[Id]['responses']
type RequiredHeaders<R> = R extends { headers: infer H }
  ? { [K in keyof H as string extends K ? never : undefined extends H[K] ? never : K]: H[K] }
  : Record<never, never>
type WithHeaders<R> = keyof RequiredHeaders<R> extends never ? { headers?: undefined } : { headers: RequiredHeaders<R> }

/** A response body other than JSON: text, or a stream of it. */
export type RawBody = string | ReadableStream<Uint8Array>

type ReplyBody<R> = R extends { content: infer C }
  ? C extends { 'application/json': infer B }
    ? { body: B }
    : C extends { 'application/problem+json': unknown }
      ? never
      : { contentType: Extract<keyof C, string>; raw: RawBody }
  : { body?: undefined }

/** What a handler may answer. Problems are thrown (`AppError`), not answered. */
export type OperationReply<Id extends OperationId> = {
  [Status in Extract<keyof Responses<Id>, number>]: ReplyBody<Responses<Id>[Status]> extends never
    ? never
    : { status: Status } & ReplyBody<Responses<Id>[Status]> & WithHeaders<Responses<Id>[Status]>
}[Extract<keyof Responses<Id>, number>]

/** One function for each operation. A table of all of them must miss none and have none too many. */
export type Handlers<Ids extends OperationId = OperationId> = {
  [Id in Ids]: (request: OperationRequest<Id>) => OperationReply<Id> | Promise<OperationReply<Id>>
}
