import type { z } from '@hono/zod-openapi'
import type { PublicOperation, routes } from '../../generated/routes.ts'
import type { operations } from '../../generated/types.ts'
import type { Origin } from '../audit/audit-log.ts'
import type { Caller } from '../auth/caller.ts'
import type { ProblemError } from '../errors.ts'
import type { IncomingForm } from './form.ts'

type Routes = typeof routes
export type OperationId = keyof Routes & keyof operations

type Part<Id extends OperationId, Key extends string> =
  Routes[Id]['request'] extends Record<Key, infer S extends z.ZodType> ? z.output<S> : Record<never, never>
type Body<Id extends OperationId> = operations[Id] extends { requestBody: { content: infer C } }
  ? C extends { 'application/json': infer B }
    ? B
    : C extends { 'multipart/form-data': infer F }
      ? IncomingForm<Omit<F, 'file'>>
      : undefined
  : undefined
/** What the contract offers for an answer that went well. */
type MediaType<Id extends OperationId> = Extract<
  Responses<Id> extends { 200: { content: infer C } } ? keyof C : never,
  string
>

/** What a handler is given: everything that the contract names, checked and converted, and nothing else. */
export interface OperationRequest<Id extends OperationId> {
  path: Part<Id, 'params'>
  query: Part<Id, 'query'>
  headers: Part<Id, 'headers'>
  body: Body<Id>
  /** Which of the media types that the contract offers the client likes best; the first where it does not say. */
  mediaType: MediaType<Id>
  /** Who asks. Nobody where the operation is open to all. */
  caller: Id extends PublicOperation ? undefined : Caller
  /** Where the request came from. */
  origin: Origin
  /** Aborts when the client goes away or the service shuts down. */
  signal: AbortSignal
}

type Responses<Id extends OperationId> = operations[Id]['responses']
type HeadersOf<R> = R extends { headers: infer H } ? { [K in keyof H as string extends K ? never : K]: H[K] } : unknown
type WithHeaders<R> = keyof HeadersOf<R> extends never
  ? { headers?: undefined }
  : Record<never, never> extends HeadersOf<R>
    ? { headers?: HeadersOf<R> }
    : { headers: HeadersOf<R> }

/** A response body other than JSON: text, a stream, or what opens one. That is asked only if the body is really sent: HEAD has none. */
export type RawBody = string | ReadableStream<Uint8Array> | (() => Promise<ReadableStream<Uint8Array>>)

type ReplyBody<R> = R extends { content: infer C }
  ? C extends { 'application/json': unknown }
    ? { [T in Extract<keyof C, string>]: JsonReply<T, C[T]> }[Extract<keyof C, string>]
    : C extends { 'application/problem+json': unknown }
      ? never
      : { contentType: Extract<keyof C, string>; raw: RawBody }
  : { body?: undefined }

/** JSON is taken for granted; other kinds of it are named. */
type JsonReply<T, B> = T extends 'application/json' ? { body: B; contentType?: T } : { body: B; contentType: T }

/** What a handler may answer. Problems are thrown (`AppError`), not answered. */
export type OperationReply<Id extends OperationId> = {
  [Status in Extract<keyof Responses<Id>, number>]: ReplyBody<Responses<Id>[Status]> extends never
    ? never
    : { status: Status } & ReplyBody<Responses<Id>[Status]> & WithHeaders<Responses<Id>[Status]>
}[Extract<keyof Responses<Id>, number>]

/**
 * What a room finds in a body that does not fit the contract, beside the faults that the contract finds: who mends some of them should not
 * be told of the others only then. Gives all of them, in their order.
 */
export type FurtherFaults<Ids extends OperationId = OperationId> = {
  [Id in Ids]?: (
    request: Pick<OperationRequest<Id>, 'query'> & { body: unknown },
    faults: ProblemError[],
  ) => Promise<ProblemError[]>
}

/** One function for each operation. A table of all of them must miss none and have none too many. */
export type Handlers<Ids extends OperationId = OperationId> = {
  [Id in Ids]: (request: OperationRequest<Id>) => OperationReply<Id> | Promise<OperationReply<Id>>
}
