import type { components } from '../generated/types.ts'

type Schemas = components['schemas']
export type ProblemCode = Schemas['ProblemCode']
export type ProblemError = Schemas['ProblemError']

/** What a caller is told about each code. Keyed by the contract, so a new code will not compile until it has a row here. */
export const problems = {
  invalid_request: { status: 400, title: 'Invalid request' },
  email_taken: { status: 400, title: 'User already exists' },
  unauthenticated: { status: 401, title: 'Not signed in' },
  invalid_credentials: { status: 401, title: 'Invalid credentials' },
  invalid_refresh_token: { status: 401, title: 'Invalid refresh token' },
  invalid_reset_token: { status: 400, title: 'Invalid reset token' },
  forbidden: { status: 403, title: 'Not allowed' },
  insufficient_scope: { status: 403, title: 'Scope missing' },
  registration_closed: { status: 403, title: 'Registration is closed' },
  wrong_password: { status: 403, title: 'Wrong password' },
  identity_not_linked: { status: 403, title: 'Identity not linked' },
  priority_reserved: { status: 403, title: 'Priority is for admins' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  user_not_found: { status: 404, title: 'Person not found' },
  session_not_found: { status: 404, title: 'Session not found' },
  api_key_not_found: { status: 404, title: 'API key not found' },
  polygon_not_found: { status: 404, title: 'Polygon not found' },
  note_not_found: { status: 404, title: 'Note not found' },
  image_not_found: { status: 404, title: 'Image not found' },
  region_not_found: { status: 404, title: 'Region not found' },
  layer_not_found: { status: 404, title: 'Layer not found' },
  job_type_not_found: { status: 404, title: 'Job type not found' },
  job_not_found: { status: 404, title: 'Job not found' },
  assignment_not_found: { status: 404, title: 'Assignment not found' },
  request_timeout: { status: 408, title: 'Request timeout' },
  job_not_available: { status: 409, title: 'Job not available' },
  job_finished: { status: 409, title: 'Job finished' },
  job_not_succeeded: { status: 409, title: 'Job has no result' },
  job_cancelled: { status: 409, title: 'Job cancelled' },
  assignment_lost: { status: 409, title: 'Assignment lost' },
  result_conflict: { status: 409, title: 'Another result was reported' },
  file_conflict: { status: 409, title: 'File declared differently' },
  upload_incomplete: { status: 409, title: 'Upload incomplete' },
  last_admin: { status: 409, title: 'Last admin' },
  idempotency_in_progress: { status: 409, title: 'Request under way' },
  precondition_failed: { status: 412, title: 'Resource has changed' },
  payload_too_large: { status: 413, title: 'Payload too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  range_not_satisfiable: { status: 416, title: 'Range not satisfiable' },
  unresolved_reference: { status: 422, title: 'Unresolved reference' },
  image_refused: { status: 422, title: 'Image refused' },
  idempotency_mismatch: { status: 422, title: 'Idempotency key used for another request' },
  too_many_active_jobs: { status: 429, title: 'Too many active jobs' },
  too_many_attempts: { status: 429, title: 'Too many attempts' },
  internal: { status: 500, title: 'Internal error' },
  service_unavailable: { status: 503, title: 'Service unavailable' },
} as const satisfies Record<ProblemCode, { status: number; title: string }>

export interface AppErrorOptions {
  cause?: unknown
  errors?: ProblemError[]
  retryAfterSeconds?: number
  /** What else the answer says. */
  headers?: Record<string, string>
}

/** A failure the caller is meant to see. Anything else that is thrown is a bug and becomes `internal`. */
export class AppError extends Error {
  override name = 'AppError'
  readonly code: ProblemCode
  readonly errors: ProblemError[] | undefined
  readonly retryAfterSeconds: number | undefined
  readonly headers: Record<string, string>

  constructor(code: ProblemCode, detail: string, options: AppErrorOptions = {}) {
    const { cause, errors, retryAfterSeconds, headers = {} } = options
    super(detail, { cause })
    this.code = code
    this.errors = errors
    this.retryAfterSeconds = retryAfterSeconds
    this.headers = headers
  }
}

/** RFC 6901. */
export const jsonPointer = (path: readonly PropertyKey[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** The problem of one fault in what was sent. `pointer` is a JSON Pointer into the body. */
export const invalidRequest = (pointer: string, detail: string) =>
  new AppError('invalid_request', detail, { errors: [{ pointer, detail }] })

/** The problem of all faults of what was sent, of which there is one at least. */
export function invalidInAll(errors: ProblemError[]): AppError {
  const { pointer, detail } = errors[0]!
  return new AppError('invalid_request', pointer ? `${detail} at ${pointer}` : detail, { errors })
}

/** The faults that an error tells of. Throws an error that is about anything else. */
export function faultsToldBy(error: unknown): ProblemError[] {
  if (error instanceof AppError && error.errors) return error.errors
  throw error
}
