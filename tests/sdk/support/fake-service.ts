import { type ClientOptions, createClient } from '../../../sdk/index.ts'

/** A request as it arrived. */
export interface Received {
  method: string
  path: string
  query: Record<string, string>
  headers: Headers
  body: unknown
  signal: AbortSignal
}

export type Answer = Response | Error | ((request: Received) => Response | Promise<Response>)

/** Answers by `METHOD /path`. A list is used up, its last answer again and again. */
export type Routes = Record<string, Answer | Answer[]>

/** A service that is a function: what it was asked, and what it answers. */
export function fakeService(routes: Routes) {
  const requests: Received[] = []
  /** A request's signal follows the caller's for as long as the request itself is held. */
  const held: Request[] = []
  const turns = new Map<string, number>()

  async function fetch(request: Request): Promise<Response> {
    held.push(request)
    const url = new URL(request.url)
    const text = await request.clone().text()
    const received: Received = {
      method: request.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: text && request.headers.get('content-type') === 'application/json' ? JSON.parse(text) : text,
      signal: request.signal,
    }
    requests.push(received)
    return reply(`${received.method} ${received.path}`, received)
  }

  async function reply(key: string, received: Received): Promise<Response> {
    const route = routes[key] ?? problem(404, 'not_found')
    const turn = turns.get(key) ?? 0
    turns.set(key, turn + 1)
    const answer = Array.isArray(route) ? route[Math.min(turn, route.length - 1)]! : route
    if (answer instanceof Error) throw answer
    return answer instanceof Response ? answer.clone() : answer(received)
  }

  return {
    fetch,
    requests,
    /** The requests to one operation. */
    to: (key: string) => requests.filter(({ method, path }) => `${method} ${path}` === key),
    client: (options: Partial<ClientOptions> = {}) =>
      createClient({ baseUrl: 'https://reef.example', fetch, ...options }),
  }
}

export const json = (body: unknown, init?: ResponseInit) => Response.json(body, init)

export const problem = (status: number, code: string, headers: Record<string, string> = {}, more: object = {}) =>
  json(
    {
      type: 'https://fieldstation.example/problems/x',
      title: 'A title',
      status,
      detail: 'A detail',
      code,
      requestId: 'req-1',
      ...more,
    },
    { status, headers: { 'content-type': 'application/problem+json', ...headers } },
  )

/** What `fetch` throws when nobody listens. */
export const refused = () => new TypeError('fetch failed')

export const tokens = (n: number) => ({ token: `token-${n}`, refreshToken: `refresh-${n}`, expiresIn: 3600 })

/** Never answers, and heeds the signal as a network does. */
export const hangs = ({ signal }: Received) =>
  new Promise<Response>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
