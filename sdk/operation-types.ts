import type { CallPolicy } from './transport.ts'
import type { paths } from './types.ts'

export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete'

/** The paths of the contract that have this method. */
type PathWith<M extends Method> = { [P in keyof paths]: paths[P][M] extends Described ? P : never }[keyof paths]
/** The paths of the contract that give a page of a list. */
type ListPath = {
  [P in PathWith<'get'>]: Data<paths[P]['get']> extends { items: unknown[]; nextCursor?: string } ? P : never
}[PathWith<'get'>]

/** An operation, as `generated/types.ts` has it. */
type Described = { parameters: { path?: unknown; query?: unknown }; responses: object }

type Json<T> = T extends { content: { 'application/json': infer J } } ? J : undefined
type Data<Op> = Op extends Described ? Json<Op['responses'][keyof Op['responses'] & (200 | 201 | 202 | 204)]> : never
type Query<Op> = Op extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never

/** What an operation takes beside its path. Named where it is made, since the compiler's knowledge is gone when it runs. */
type Inputs<Op> = [...(Op extends { requestBody: object } ? ['body'] : []), ...QueryInput<Op>]
type QueryInput<Op> = [Query<Op>] extends [never] ? [] : ['query']

type Arguments<Op, Path> = Op extends Described
  ? [
      ...PathArguments<Path, Op['parameters']['path']>,
      ...(Op extends { requestBody: infer B } ? [body: Json<B>] : []),
      ...QueryArgument<Op>,
      options?: OperationOptions,
    ]
  : never
type PathArguments<Path, Values> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? [value: Values[Name & keyof Values], ...PathArguments<Rest, Values>]
  : []
type QueryArgument<Op> = [Query<Op>] extends [never]
  ? []
  : Op extends { parameters: { query: infer Q } }
    ? [query: Q]
    : [query?: Query<Op>]

/** What all operations do with the options of a call. A namespace offers what the contract has. */
export interface OperationOptions extends CallPolicy {
  /** Sent as `If-Match`. */
  ifMatch?: string | undefined
  /** Sent as `Idempotency-Key`. */
  idempotencyKey?: string | undefined
  /** Sent beside those. */
  headers?: Record<string, string> | undefined
}

/**
 * Makes an operation of the contract a function. It takes the values of the path in their order, the body, the query and options, and
 * gives the data, or throws `ApiError`.
 */
export type Operation = <M extends Method, P extends PathWith<M>>(
  method: M,
  path: P,
  ...inputs: Inputs<paths[P][M]>
) => (...args: Arguments<paths[P][M], P>) => Promise<Data<paths[P][M]>>

/** Makes a list of the contract a function that gives every item, fetching pages as they are needed. */
export type Items = <P extends ListPath>(
  path: P,
) => (...args: Arguments<paths[P]['get'], P>) => AsyncGenerator<Data<paths[P]['get']>['items'][number], void, undefined>
