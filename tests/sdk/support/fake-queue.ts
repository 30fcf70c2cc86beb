import type { Claim, JobInput, JobType } from '../../../sdk/index.ts'
import { type Answer, fakeService, json, problem, type Received, type Routes } from './fake-service.ts'

const leaseSeconds = 30
const instant = (seconds: number) => new Date(Date.parse('2026-03-02T21:40:00Z') + seconds * 1000).toISOString()

/** A claim of job `j1` by assignment `a1` with token `token-1`, and so on. Its clock is months away from ours, on purpose. */
export function claimOf<T extends JobType>(
  n: number,
  type: T,
  inputPayload: JobInput<T>,
  { deadlineSeconds = 3600 } = {},
): Claim {
  const job = {
    id: `j${n}`,
    type,
    inputPayload,
    priority: 'NORMAL' as const,
    attempts: 1,
    maxAttempts: 3,
    createdAt: instant(0),
  }
  const life = { createdAt: instant(0), expiresAt: instant(leaseSeconds), deadlineAt: instant(deadlineSeconds) }
  return { job, assignment: { id: `a${n}`, jobId: `j${n}`, attempt: 1, token: `assignment-token-${n}`, ...life } }
}

export const testClaim = (n: number, input: Partial<JobInput<'TEST'>> = {}) => claimOf(n, 'TEST', { id: n, ...input })

/** A service with jobs to take. Claims wait as the real one's do. */
export function fakeQueue(routes: Routes = {}) {
  const offered: Claim[] = []
  const arrivals = new EventTarget()

  async function claim({ body, signal }: Received): Promise<Response> {
    const { limit = 1, waitSeconds = 0 } = body as { limit?: number; waitSeconds?: number }
    if (offered.length === 0) await arrival(waitSeconds * 1000, signal)
    return json({ claims: offered.splice(0, limit) })
  }

  const arrival = (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const come = () => {
        clearTimeout(timer)
        arrivals.removeEventListener('offer', come)
        if (signal.aborted) reject(signal.reason)
        else resolve()
      }
      const timer = setTimeout(come, ms)
      arrivals.addEventListener('offer', come)
      signal.addEventListener('abort', come)
    })

  const perAssignment = (n: number): Routes => ({
    [`POST /api/jobs/assignments/a${n}/heartbeat`]: json({ expiresAt: instant(40), deadlineAt: instant(3600) }),
    [`POST /api/jobs/assignments/a${n}/logs`]: new Response(null, { status: 204 }),
    [`POST /api/jobs/assignments/a${n}/release`]: new Response(null, { status: 204 }),
    [`POST /api/jobs/assignments/a${n}/result`]: ({ body }) =>
      json({ assignmentId: `a${n}`, jobId: `j${n}`, status: (body as { status: string }).status, willRetry: false }),
  })

  const service = fakeService({
    'POST /api/jobs/claim': claim,
    ...perAssignment(1),
    ...perAssignment(2),
    ...perAssignment(3),
    ...routes,
  })

  const of = (n: number, what: string) => service.to(`POST /api/jobs/assignments/a${n}/${what}`)
  return {
    ...service,
    /** A claim as the service answers it, for routes that wrap it. */
    claim,
    offer(...claims: Claim[]) {
      offered.push(...claims)
      arrivals.dispatchEvent(new Event('offer'))
    },
    claims: () => service.to('POST /api/jobs/claim'),
    heartbeats: (n = 1) => of(n, 'heartbeat').map(({ body }) => body),
    results: (n = 1) => of(n, 'result').map(({ body }) => body),
    releases: (n = 1) => of(n, 'release'),
    log: (n = 1) =>
      of(n, 'logs').flatMap(({ body }) =>
        (body as { entries: { message: string }[] }).entries.map(({ message }) => message),
      ),
  }
}

export const lost = (code: 'assignment_lost' | 'job_cancelled' = 'assignment_lost'): Answer => problem(409, code)
