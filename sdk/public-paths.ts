/** The operations that ask for no credentials, so that looking at them never signs in. A test holds this to the contract. */
const publicPaths = [
  '/api/auth/register',
  '/api/auth/login',
  '/api/auth/token',
  '/.well-known/jwks.json',
  '/openapi.json',
  '/docs',
  '/livez',
  '/readyz',
]

/** Whether a path below this base URL is one of them. */
export function publicPathTest(baseUrl: string): (path: string) => boolean {
  const prefix = baseUrl.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/\/+$/, '')
  const paths = new Set(publicPaths.map((path) => prefix + path))
  return (path) => paths.has(path)
}
