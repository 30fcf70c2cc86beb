/** The operations that ask for no credentials, so that looking at them never signs in. A test holds this to the contract. */
const publicPaths = new Set([
  '/api/auth/register',
  '/api/auth/login',
  '/api/auth/token',
  '/api/auth/recover-password',
  '/api/auth/reset-password',
  '/api/users/{userId}/recover-password',
  '/reset-password',
  '/.well-known/jwks.json',
  '/openapi.json',
  '/docs',
  '/livez',
  '/readyz',
])

/** None of the others that go by a person's id is public, so this is all that has to be known of templates. */
const templateOf = (path: string) => path.replace(/^\/api\/users\/[^/]+/, '/api/users/{userId}')

/** Whether a path below this base URL is one of them. */
export function publicPathTest(baseUrl: string): (path: string) => boolean {
  const prefix = baseUrl.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/\/+$/, '')
  return (path) => path.startsWith(prefix) && publicPaths.has(templateOf(path.slice(prefix.length)))
}
