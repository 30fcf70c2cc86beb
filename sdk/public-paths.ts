/** The operations that ask for no credentials, so that looking at them never signs in. A test holds this to the contract. */
const publicPaths = [
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
]

const pattern = publicPaths.map((path) => path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')).join('|')
const isPublic = new RegExp(`^(?:${pattern})$`)

/** Whether a path below this base URL is one of them. */
export function publicPathTest(baseUrl: string): (path: string) => boolean {
  const prefix = baseUrl.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/\/+$/, '')
  return (path) => path.startsWith(prefix) && isPublic.test(path.slice(prefix.length))
}
