import type { Context } from 'hono'

/** A refusal by the disk store's routes, which answer for themselves: their URLs are no part of the contract. */
export class StoreProblem extends Error {
  override name = 'StoreProblem'
  readonly code: StoreProblemCode
  readonly headers: Record<string, string>

  constructor(code: StoreProblemCode, detail: string, headers: Record<string, string> = {}) {
    super(detail)
    this.code = code
    this.headers = headers
  }

  respond(c: Context): Response {
    const { status, title, headers }: Problem = PROBLEMS[this.code]
    const problem = {
      type: `https://fieldstation.example/problems/${this.code.replaceAll('_', '-')}`,
      title,
      status,
      detail: this.message,
      instance: new URL(c.req.url).pathname,
      code: this.code,
      requestId: c.get('requestId') as string | undefined,
    }
    return new Response(JSON.stringify(problem), {
      status,
      headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers, ...this.headers },
    })
  }
}

export type StoreProblemCode = keyof typeof PROBLEMS

interface Problem {
  status: number
  title: string
  headers?: Record<string, string>
}

const PROBLEMS = {
  signature_invalid: { status: 403, title: 'Signature invalid' },
  url_expired: { status: 403, title: 'URL expired' },
  object_not_found: { status: 404, title: 'File not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed', headers: { allow: 'GET, HEAD, PUT' } },
  upload_mismatch: { status: 400, title: 'Upload does not match' },
  length_required: { status: 411, title: 'Length required' },
  // RFC 9110, section 15.5.9: whatever else may come on this connection is not waited for.
  request_timeout: { status: 408, title: 'Request timeout', headers: { connection: 'close' } },
  object_exists: { status: 412, title: 'File exists' },
  precondition_failed: { status: 412, title: 'File is another' },
  too_large: { status: 413, title: 'Too large' },
  range_not_satisfiable: { status: 416, title: 'Range not satisfiable' },
  service_unavailable: { status: 503, title: 'Store unavailable', headers: { 'retry-after': '5' } },
} as const satisfies Record<string, Problem>
