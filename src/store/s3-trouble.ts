import { S3ServiceException } from '@aws-sdk/client-s3'
import { type StoreTrouble, StoreUnavailable } from './object-store.ts'

/** For `catch`: what the bucket as a whole has to say becomes `StoreUnavailable`, anything else stays what it is. */
export function failS3(error: unknown): never {
  const trouble = troubleOf(error)
  if (!trouble) throw error
  throw new StoreUnavailable(trouble, `The S3 store cannot be used: ${(error as Error).message}`, { cause: error })
}

/** For `catch`, of requests about one object. */
export function unlessMissing(error: unknown): undefined {
  if (error instanceof S3ServiceException && (error.name === 'NoSuchKey' || error.name === 'NotFound')) return undefined
  failS3(error)
}

export const isUnsatisfiableRange = (error: unknown) =>
  error instanceof S3ServiceException && error.$metadata.httpStatusCode === 416

function troubleOf(error: unknown): StoreTrouble | undefined {
  const { name, code } = error as { name: string; code?: string }
  if (name === 'CredentialsProviderError') return 'denied'
  if (!(error instanceof S3ServiceException)) return code || ABORTED.has(name) ? 'unreachable' : undefined
  const status = error.$metadata.httpStatusCode ?? 0
  // A HEAD has no body, so there the status is all there is: 400 is a token that expired, 404 and 301 no such bucket here.
  if (status === 401 || status === 403 || CREDENTIALS.has(name)) return 'denied'
  if (status === 404 || status === 301) return 'missing'
  return status >= 500 || status === 429 ? 'unreachable' : undefined
}

const ABORTED = new Set(['AbortError', 'TimeoutError'])

const CREDENTIALS = new Set(['ExpiredToken', 'InvalidToken', 'AuthorizationHeaderMalformed', 'BadRequest', '400'])
