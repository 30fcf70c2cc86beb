import { createHash, createHmac, randomBytes } from 'node:crypto'

/** A fresh secret of 256 bits, with a prefix that tells what it is for (and lets scanners find it where it should not be). */
export const newSecret = (prefix: string): string => prefix + randomBytes(32).toString('base64url')

/** What we keep of a secret. Secrets are random, so a plain hash is enough. */
export const hashSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest()

/** The secret that follows another: known to whoever holds the key, and to nobody else. */
export const successorOf = (secret: string, prefix: string, key: Buffer): string =>
  prefix + createHmac('sha256', key).update(secret).digest('base64url')
