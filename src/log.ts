import { destination, type LoggerOptions, pino } from 'pino'

type Line = (message: string, fields?: object) => void

/** A line is a fixed lowercase phrase plus fields: `log.info('job claimed', { jobId })`. Never tokens, bodies or signed URLs. */
export type Log = Record<'debug' | 'info' | 'warn' | 'error', Line>

/** JSON lines on standard error, written beside the work: a process that is killed may lose its last ones. Whatever is named like a secret is struck out. */
export function createLog(level: string, name: string): Log {
  const logger = pino(settings(level, name), destination({ dest: 2, sync: false }))
  const line =
    (write: 'debug' | 'info' | 'warn' | 'error'): Line =>
    (message, fields = {}) =>
      logger[write](fields, message)
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
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
