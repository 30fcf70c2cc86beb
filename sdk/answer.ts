import { ApiError, ConnectionError } from './errors.ts'

/** What openapi-fetch gives back. */
export interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The answer to a call that went well. Throws `ApiError` for one that did not. */
export async function success<T>(call: Promise<Answer<T>>): Promise<{ data: T; response: Response }> {
  const { data, error, response } = await call.catch(refuseNonsense)
  if (!response.ok) throw new ApiError(response, error)
  return { data: data as T, response }
}

/** A success that is not JSON is no answer of the service: a sign-in page of some proxy, usually. */
function refuseNonsense(error: unknown): never {
  if (error instanceof SyntaxError)
    throw new ConnectionError('Something other than the service answered', { cause: error })
  throw error
}
