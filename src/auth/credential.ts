/** What a request is sent with: an API key in its own header, or a bearer token, which may be a key too. */
export function readCredential(headers: Headers): string | undefined {
  const apiKey = headers.get('x-api-key')
  if (apiKey) return apiKey.startsWith('fs_') ? apiKey : undefined
  return headers.get('authorization')?.match(/^Bearer +(\S+)$/i)?.[1]
}
