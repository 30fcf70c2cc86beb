import { destination, type LoggerOptions, pino } from 'pino'

type Line = (message: string, fields?: object) => void

/** A line is a fixed lowercase phrase plus fields: `log.info('job claimed', { jobId })`. Never tokens, bodies or signed URLs. */
export type Log = Record<'debug' | 'info' | 'warn' | 'error', Line>

/**
 * JSON lines on standard error. Whatever is named like a secret is struck out. They are written beside the work, so that a process that
 * is killed may lose its last ones; or, with `isSync`, at once, for a process that may be frozen at any moment.
 */
export function createLog(level: string, name: string, { isSync = false } = {}): Log {
  const logger = pino(settings(level, name), standardError(isSync))
  const line =
    (write: 'debug' | 'info' | 'warn' | 'error'): Line =>
    (message, fields = {}) =>
      logger[write](fields, message)
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

/** Lines that cannot be written, as to a full disk, wait up to here; those that come after are lost. */
const longestWaitBytes = 1024 * 1024

/**
 * Where lines cannot be written, since the disk is full or the terminal closed, the work goes on, and the next line tries again. pino by
 * itself would have the process die of it, and in dying try without end to write its last words.
 */
function standardError(isSync: boolean) {
  const lines = destination({ dest: 2, sync: isSync, maxLength: longestWaitBytes })
  return lines.on('error', () => Object.assign(lines, { flushSync: () => {} }))
}

const settings = (level: string, name: string): LoggerOptions => ({
  level,
  name,
  redact: {
    paths: [
      'password',
      'token',
      'refreshToken',
      'key',
      'apiKey',
      'authorization',
      'url',
      '*.password',
      '*.token',
      '*.authorization',
    ],
    censor: '[redacted]',
  },
  serializers: { error: describeError },
})

/** An error without what it may carry along: a driver's error holds the parameters of its query. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error)
  const { name, message, stack } = error
  const code = (error as { code?: unknown }).code
  return { name, message, code, stack, ...(error.cause !== undefined && { cause: describeError(error.cause) }) }
}
