import { randomInt } from 'node:crypto'
import type { Client } from '../../sdk/index.ts'
import type { Sql, Tx } from '../../src/db/sql.ts'

/** A TEST job unlike any other, so that no cache serves it. */
export const testJob = (input: { sleepSeconds?: number; fail?: boolean } = {}) => ({
  type: 'TEST' as const,
  inputPayload: { id: randomInt(2 ** 31 - 1), ...input },
})

/** Claims one TEST job that is there. */
export async function claimOne({ worker }: Pick<Client, 'worker'>) {
  const [claim] = await worker.claim({ jobTypes: ['TEST'] })
  if (!claim) throw new Error('There was no job to claim.')
  return claim
}

/** Makes the lease of a job run out now. Tests move the lease, not the clock. */
export async function lapse(sql: Sql, jobId: string): Promise<void> {
  await sql`update jobs set lease_expires_at = now() - interval '1 millisecond' where id = ${jobId}`
}

/** Makes a job that waits for its next attempt due now. */
export async function makeDue(sql: Sql, jobId: string): Promise<void> {
  await sql`update jobs set available_at = now() where id = ${jobId}`
}

/** Until so many connections wait for a lock. Asked on a connection of its own, so that a full pool does not hide them. */
export async function untilBlocked(sql: Sql, connections = 1): Promise<void> {
  for (let blocked = 0; blocked < connections; ) {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::integer as count
      from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'
    `
    blocked = row!.count
  }
}

/** A transaction that stays open until it is told to go on: for forcing the order of a race. */
export async function holdOpen(sql: Sql, work: (tx: Tx) => Promise<unknown>): Promise<{ commit(): Promise<void> }> {
  const { promise: told, resolve: commit } = Promise.withResolvers<void>()
  const { promise: isHolding, resolve: hold } = Promise.withResolvers<void>()
  const done = sql.begin(async (tx) => {
    await work(tx)
    hold()
    await told
  })
  await isHolding
  return {
    async commit() {
      commit()
      await done
    },
  }
}
