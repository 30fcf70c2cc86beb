import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { Fragment, Sql, Tx } from '../db/sql.ts'
import { AppError } from '../errors.ts'

/** How many attempts are free, and what each one more costs. */
interface Limit {
  /** So many are followed by nothing, those after by a pause of 1, 2, 4, … seconds. */
  free: number
  /** From so many on, each is followed by the lockout. */
  lockoutFrom: number
  lockoutSeconds: number
  /** How long after the first of them counting begins anew. */
  windowHours: number
}

const limits = {
  account: { free: 5, lockoutFrom: 10, lockoutSeconds: 900, windowHours: 24 },
  // Many may share an address: no pauses, and more patience.
  address: { free: 50, lockoutFrom: 50, lockoutSeconds: 900, windowHours: 24 },
  recovery: { free: 60, lockoutFrom: 60, lockoutSeconds: 3600, windowHours: 1 },
  registration: { free: 20, lockoutFrom: 20, lockoutSeconds: 3600, windowHours: 1 },
} as const satisfies Record<string, Limit>

type LimitName = keyof typeof limits

const batchSize = 1000

/** What is counted, in the order in which the counters are locked. */
export interface Subject {
  address?: string | undefined
  /** The email that was given, whether or not there is such an account. */
  email?: string | undefined
}

/** An attempt that is not let through. */
export interface Block {
  key: string
  retryAfterSeconds: number
}

interface Counter {
  key: string
  limit: Limit
}

/**
 * Slows down guessing. Every attempt is counted before anything is looked at, each in one statement that also decides, so that many
 * at once are no way around; whoever turns out to be right gets the attempt back. It is all in the database and holds for every process.
 */
export const signInLimits = (sql: Sql) => {
  /** One attempt more, unless a block is on. */
  async function count({ key, limit }: Counter): Promise<boolean> {
    const next = sql`(case when f.expires_at <= now() then 1 else f.count + 1 end)`
    const window = sql`now() + make_interval(hours => ${limit.windowHours})`
    const rows = await sql`
      insert into sign_in_failures as f (key, count, expires_at)
      values (${key}, 1, ${window})
      on conflict (key) do update
      set
        count = ${next},
        expires_at = case when f.expires_at <= now() then ${window} else f.expires_at end,
        blocked_until = ${blockAfter(next, limit)},
        is_told = false
      where f.blocked_until is null or f.blocked_until <= now()
      returning key
    `
    return rows.length > 0
  }

  const blockAfter = (attempts: Fragment, { free, lockoutFrom, lockoutSeconds }: Limit) => sql`
    case
      when ${attempts} >= ${lockoutFrom} then now() + make_interval(secs => ${lockoutSeconds})
      when ${attempts} > ${free} then now() + make_interval(secs => power(2, ${attempts} - ${free} - 1))
    end
  `

  /** With the attempt goes the block that it brought. */
  async function giveBack({ key }: Counter, tx: Tx = sql): Promise<void> {
    await tx`update sign_in_failures set count = greatest(count - 1, 0), blocked_until = null where key = ${key}`
  }

  /** Counts what an address asks for, whatever comes of it. */
  async function countOne(name: LimitName, address: string | undefined): Promise<Block | undefined> {
    if (address === undefined) return undefined
    const counter = counterOf(name, networkOf(address))
    return (await count(counter)) ? undefined : blockOf(counter)
  }

  async function blockOf({ key }: Counter): Promise<Block> {
    const [row] = await sql<{ seconds: number }[]>`
      select ceil(extract(epoch from blocked_until - now()))::integer as seconds
      from sign_in_failures
      where key = ${key} and blocked_until > now()
    `
    // It may have ended since.
    return { key, retryAfterSeconds: row?.seconds ?? 1 }
  }

  return {
    /** Counts an attempt to sign in. What stands in its way, if anything does; then it is as if it had not been. */
    async attempt(subject: Subject): Promise<Block | undefined> {
      const counters = countersOf(subject)
      for (const [index, counter] of counters.entries()) {
        if (await count(counter)) continue
        for (const counted of counters.slice(0, index)) await giveBack(counted)
        return blockOf(counter)
      }
    },

    /** The attempt was no failure: the account begins anew, and the address is as before. */
    async succeed({ address, email }: Subject, tx: Tx = sql): Promise<void> {
      for (const counter of countersOf({ address })) await giveBack(counter, tx)
      if (email !== undefined) await this.clear(email, tx)
    },

    /** The attempt was neither: nobody looked whether it was right. */
    async takeBack(subject: Subject): Promise<void> {
      for (const counter of countersOf(subject)) await giveBack(counter)
    },

    async clear(email: string, tx: Tx = sql): Promise<void> {
      await tx`delete from sign_in_failures where key = ${accountKey(email)}`
    },

    /** Counts a request for a way back in. */
    askForRecovery: (address: string | undefined) => countOne('recovery', address),

    /** Counts a registration. Whoever is on this machine is its operator, or their tests. */
    async register(address: string | undefined): Promise<Block | undefined> {
      return address !== undefined && isLoopback(address) ? undefined : countOne('registration', address)
    },

    /** Whether this block is news: once for each, however often it is run against. */
    async isNews({ key }: Block, tx: Tx): Promise<boolean> {
      const { count } = await tx`update sign_in_failures set is_told = true where key = ${key} and not is_told`
      return count > 0
    },

    /** Forgets a batch of counters that have outlived their window, and tells whether there may be more. */
    async purge(): Promise<boolean> {
      const { count } = await sql`
        delete from sign_in_failures
        where key in (
          select key
          from sign_in_failures
          where expires_at <= now() and (blocked_until is null or blocked_until <= now())
          order by expires_at
          limit ${batchSize}
          for update skip locked
        )
      `
      return count === batchSize
    },
  }
}

export type SignInLimits = ReturnType<typeof signInLimits>

export const tooManyAttempts = ({ retryAfterSeconds }: Block) =>
  new AppError('too_many_attempts', `There were too many attempts. Try again in ${retryAfterSeconds} s.`, {
    retryAfterSeconds: Math.max(1, retryAfterSeconds),
  })

const counterOf = (name: LimitName, whose: string): Counter => ({ key: `${name}:${whose}`, limit: limits[name] })

const countersOf = ({ address, email }: Subject): Counter[] => [
  ...(address === undefined ? [] : [counterOf('address', networkOf(address))]),
  ...(email === undefined ? [] : [{ key: accountKey(email), limit: limits.account }]),
]

/** Hashed, since people type passwords where an email belongs. */
export const accountKey = (email: string) =>
  `account:${createHash('sha256').update(email.toLowerCase()).digest('base64url')}`

const isLoopback = (address: string) => address === '::1' || address.startsWith('127.')

/** Whoever has one address of IPv6 has 2^64: they count as one. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.toLowerCase().replace(/%.*/, '').split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after]
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
