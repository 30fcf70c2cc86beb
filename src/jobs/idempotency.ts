import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { Sql, Tx } from '../db/sql.ts'
import { AppError } from '../errors.ts'

export interface IdempotentCall {
  userId: string
  operation: string
  key: string
  body: unknown
}

/** A hash that goes by what the value says, not by how it was written (RFC 8785). */
export const hashJson = (value: unknown): Buffer =>
  createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest()

/**
 * Does the work once for each key: within 24 hours a repetition gets the answer of the first time. Key and work commit together, so
 * a crash leaves both or neither.
 *
 * Throws `idempotency_mismatch` where the key was used with another body, `idempotency_in_progress` while the first is under way.
 */
export function once<Answer extends object>(
  sql: Sql,
  call: IdempotentCall,
  work: (tx: Tx) => Promise<Answer>,
): Promise<Answer> {
  const { userId, operation, key } = call
  const requestHash = hashJson(call.body)
  return sql.begin(async (tx) => {
    const lockKey = hashJson([userId, operation, key]).readBigInt64BE()
    const [lock] = await tx<
      { isOurs: boolean }[]
    >`select pg_try_advisory_xact_lock(${lockKey.toString()}::bigint) as is_ours`
    if (!lock!.isOurs)
      throw new AppError('idempotency_in_progress', 'The first request with this key is still under way.', {
        retryAfterSeconds: 1,
      })

    const [known] = await tx<{ requestHash: Buffer; response: Answer }[]>`
      select request_hash, response
      from idempotency_keys
      where user_id = ${userId} and operation = ${operation} and key = ${key} and created_at > now() - interval '24 hours'
    `
    if (known && !known.requestHash.equals(requestHash)) {
      throw new AppError('idempotency_mismatch', 'This key was used for another request.')
    }
    if (known) return known.response

    const answer = await work(tx)
    await tx`
      insert into idempotency_keys (user_id, operation, key, request_hash, response)
      values (${userId}, ${operation}, ${key}, ${requestHash}, ${sql.json(answer as never)})
      on conflict (user_id, operation, key) do update
      set request_hash = excluded.request_hash, response = excluded.response, created_at = now()
    `
    return answer
  }) as Promise<Answer>
}

const purgeBatch = 1000

/** Forgets a batch of the keys that are older than their promise, and tells whether there may be more. */
export async function purgeIdempotencyKeys(sql: Sql): Promise<boolean> {
  const { count } = await sql`
    delete from idempotency_keys
    where (user_id, operation, key) in (
      select user_id, operation, key
      from idempotency_keys
      where created_at < now() - interval '24 hours'
      limit ${purgeBatch}
      for update skip locked
    )
  `
  return count === purgeBatch
}
