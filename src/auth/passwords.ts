import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { AppError } from '../errors.ts'

const argon2id = promisify(argon2)
/** Hashing fills the threads that files are read with: a few at once leave some free, and a long line is turned away. */
const maxRunning = 2
const maxWaiting = 100
let running = 0
const line: (() => void)[] = []

const derive: typeof argon2id = async (...parameters) => {
  if (running >= maxRunning) {
    if (line.length >= maxWaiting)
      throw new AppError('service_unavailable', 'Too many are signing in just now.', { retryAfterSeconds: 5 })
    await new Promise<void>((resolve) => line.push(resolve))
  } else running += 1
  try {
    return await argon2id(...parameters)
  } finally {
    const next = line.shift()
    if (next) next()
    else running -= 1
  }
}

/** OWASP's second argon2id setting: 19 MiB, two passes, one lane. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 }
const tagLength = 32

/** A password's argon2id hash, written in PHC format (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`). */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await derive('argon2id', { message: Buffer.from(password), nonce: salt, tagLength, ...cost })
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${base64(salt)}$${base64(hash)}`
}

/** Compares in constant time. Without a hash it works as long as with one and says no, so that time tells nothing. */
export async function verifyPassword(password: string, phc: string | undefined | null): Promise<boolean> {
  const match = phc?.match(/^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/)
  const [, memory, passes, parallelism, salt, expected] = match ?? []
  const known = salt !== undefined && expected !== undefined
  const parameters = known ? { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) } : cost
  const nonce = known ? Buffer.from(salt, 'base64') : Buffer.alloc(16)
  const actual = await derive('argon2id', { message: Buffer.from(password), nonce, tagLength, ...parameters })
  return known && timingSafeEqual(actual, Buffer.from(expected, 'base64'))
}

const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
