import { connect as connectSocket, type Socket } from 'node:net'
import postgres from 'postgres'
import { arrayTypes } from './array-types.ts'

export type Sql = postgres.Sql
export type Tx = postgres.Sql | postgres.TransactionSql
/** A piece of SQL to put into a larger one. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>

export interface SqlOptions {
  /** Connections at most. */
  max?: number
  /** True behind a transaction pooler, which keeps neither prepared statements nor session settings. */
  isPooled?: boolean
  /** A connection that says nothing for so long is given up. Longer than any statement may take, so only a dead one is hit. */
  silenceMs?: number
  /** Is told of every connection as it is opened. */
  onSocket?: (socket: Socket) => void
}

const statementSeconds = 15

/** Column names change case at this line and nowhere else. `postgres.camel` would also rewrite the keys inside jsonb. */
const columnCase = { column: { from: postgres.toCamel, to: postgres.fromCamel } }

/**
 * A pool of connections. No query outlives its deadline: the server ends a slow statement, and we end a connection whose other side
 * has gone without a word, which postgres.js by itself would wait for without end.
 */
export function connect(url: string, options: SqlOptions = {}): Sql {
  const { max = 10, isPooled = false, silenceMs = 20_000, onSocket } = options
  return open(url, {
    max,
    prepare: !isPooled,
    connection: isPooled
      ? {}
      : {
          statement_timeout: statementSeconds * 1000,
          idle_in_transaction_session_timeout: 2 * statementSeconds * 1000,
        },
    socket: (address: Address) => {
      const socket = impatientSocket(address, silenceMs)
      onSocket?.(socket)
      return socket
    },
  })
}

/**
 * For LISTEN and NOTIFY. It is silent by nature, so silence does not end it; and a notification is no news worth a flush of the log to
 * the disk.
 */
export const connectForSignals = (url: string): Sql => open(url, { max: 1, connection: { synchronous_commit: 'off' } })

/** postgres.js leaves out a number that is 0. */
const none = '0' as unknown as number

/**
 * A connection for migrations. A large table takes them longer than any request may take, and they wait without a word for the one
 * that migrates already: no deadline of ours, nor one that the role or the database sets.
 */
export const connectForMigrating = (url: string): Sql =>
  open(url, {
    max: 1,
    connection: { statement_timeout: none, lock_timeout: none, idle_in_transaction_session_timeout: none },
  })

/** What all connections have in common. The options' own type knows neither `socket` nor every setting. */
function open(url: string, options: object): Sql {
  const sql = postgres(url, {
    onnotice: () => {},
    connect_timeout: 5,
    transform: columnCase,
    fetch_types: false,
    types: arrayTypes,
    ...options,
  })
  appendRows(sql)
  return sql
}

/**
 * postgres.js 3.4 counts the rows of a result, and goes on counting after a query that failed in the midst of them: the next result on
 * that connection would begin with holes. A query that hands its rows to a function is not counted, so here every query does.
 */
function appendRows(sql: Sql): void {
  const query = Object.getPrototypeOf(sql``) as { forEachFn: (row: unknown, result: unknown[]) => void }
  query.forEachFn = (row, result) => result.push(row)
}

interface Address {
  host: string[]
  port: number[]
  path?: string
}

/** What postgres.js sends its bytes through. It need not be connected yet: what is written waits, and failures arrive as events. */
function impatientSocket({ host, port, path }: Address, silenceMs: number): Socket {
  const socket = path ? connectSocket(path) : connectSocket({ host: host[0]!, port: port[0]! })
  // Where postgres.js looks for the name that a TLS certificate must bear.
  Object.assign(socket, { host: host[0], port: port[0] })
  socket.once('connect', () => breakAtOnce(socket))
  return socket.setTimeout(silenceMs, () => socket.destroy())
}

/**
 * Makes the end of a connection one event instead of two. Between `error` and `close` postgres.js 3.4 would send queries into the dead
 * connection and, since the close then bears an error, never settle them. Without the first and the mark on the second it rejects all.
 */
function breakAtOnce(socket: Socket): void {
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...values: unknown[]) => boolean
  socket.emit = (event: string | symbol, ...values: unknown[]) => {
    if (event === 'error') return true
    return event === 'close' ? emit('close', false) : emit(event, ...values)
  }
}
