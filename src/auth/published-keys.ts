import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose'

/** The keys cannot be had right now, which says nothing of the token. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable'
}

/** The keys that a service publishes. Fetched when they are needed first, and again when a token names one that is not among them. */
export function publishedKeys(url: string): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(new URL(url), { timeoutDuration: 3000 })
  return async (header, token) => {
    try {
      return await remote(header, token)
    } catch (error) {
      const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported } = errors
      // The token asks for a key that is not there, which is no fault of the network's.
      const faults = [JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported]
      if (faults.some((fault) => error instanceof fault)) throw error
      throw new KeysUnavailable(`The keys at ${url} cannot be read.`, { cause: error })
    }
  }
}
