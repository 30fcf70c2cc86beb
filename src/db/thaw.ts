import type { Socket } from 'node:net'
import { inTime } from '../in-time.ts'
import { connect, type Sql, type SqlOptions } from './sql.ts'

/** A live database answers sooner. */
const patienceMs = 1000

/**
 * A pool for a process that is frozen between requests. A connection that breaks meanwhile looks whole when the process goes on, and a
 * query sent into it would fail, or wait in vain. `thaw` asks each open connection for a word first, and lets go of all if one has none.
 * Call it before each request, when nothing is under way.
 */
export function connectThawing(
  url: string,
  options: SqlOptions & { max: number },
): { sql: Sql; thaw(): Promise<void> } {
  const sockets = new Set<Socket>()
  let broken = 0
  const onSocket = (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      broken = Math.min(broken + 1, options.max)
    })
  }
  const sql = connect(url, { ...options, onSocket })

  /** The pool hands as many queries at once to as many connections, idle ones first. */
  const askAll = (count: number) =>
    Promise.all(Array.from({ length: count }, () => isAnswered(sql`select 1`))).then((all) => all.every(Boolean))

  async function thaw(): Promise<void> {
    const open = [...sockets]
    const answers = askAll(open.length)
    if (!(await patiently(answers))) {
      for (const socket of open) socket.destroy()
      // The pool has noticed once it has given up the queries.
      await patiently(answers)
    }
    if (broken === 0) return
    // postgres.js 3.4 keeps what a server said last before it ended a connection, and answers the next query there with it.
    const all = sockets.size + broken
    broken = 0
    await patiently(askAll(all))
  }
  return { sql, thaw }
}

const isAnswered = (query: Promise<unknown>): Promise<boolean> =>
  query.then(
    () => true,
    () => false,
  )

/** `undefined` where that takes too long. */
const patiently = <T>(work: Promise<T>) => inTime(work, patienceMs, () => undefined)
