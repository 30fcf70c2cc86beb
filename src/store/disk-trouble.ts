import { type StoreTrouble, StoreUnavailable } from './object-store.ts'

/** What the operating system says of the whole store becomes `StoreUnavailable`; anything else stays what it is. */
export function storeTrouble(error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException
  const trouble = TROUBLES[code]
  return trouble ? new StoreUnavailable(trouble, `The disk store cannot be used: ${message}`, { cause: error }) : error
}

const TROUBLES: Record<string, StoreTrouble> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EIO: 'unreachable',
  EMFILE: 'unreachable',
  ENFILE: 'unreachable',
  ESTALE: 'unreachable',
  ETIMEDOUT: 'unreachable',
}
