import type { Log, LogLine } from './log.ts'

/** One try of one request. Says nothing of headers, bodies and query. */
export interface RequestInfo {
  /** Such as `GET`. */
  method: string
  /** The URL's path. */
  path: string
  /** 1 for the first try. */
  attempt: number
}

/** What came back for one try. */
export interface ResponseInfo extends RequestInfo {
  /** The HTTP status. */
  status: number
  /** Names the request in the service's logs. */
  requestId: string | undefined
  /** From sending to the last byte; for event streams, to their beginning. */
  durationMs: number
}

/** A try that is about to be repeated. */
export interface RetryInfo extends RequestInfo {
  /** The status that made it so; undefined where no answer came. */
  status: number | undefined
  /** How long until the next try. */
  delayMs: number
}

/** For watching a client. None of them sees a secret; what they throw is ignored. */
export interface Hooks {
  /** Before each try. */
  onRequest?: ((request: RequestInfo) => void) | undefined
  /** After each try that was answered, whatever the status. */
  onResponse?: ((response: ResponseInfo) => void) | undefined
  /** Before the pause that a repetition begins with. */
  onRetry?: ((retry: RetryInfo) => void) | undefined
  /** The same in lines: `debug` for answers, `warn` for repetitions. */
  log?: Log | undefined
}

/** The hooks as functions that are always there, never throw, and also write the log. */
export function hookCalls({ onRequest, onResponse, onRetry, log }: Hooks) {
  const write = (level: LogLine['level'], message: string, fields: object) =>
    quietly(log, { level, message, fields: { ...fields } })
  return {
    request: (info: RequestInfo) => quietly(onRequest, info),
    response: (info: ResponseInfo) => {
      quietly(onResponse, info)
      write('debug', 'request answered', info)
    },
    retry: (info: RetryInfo) => {
      quietly(onRetry, info)
      write('warn', 'request repeated', info)
    },
  }
}

/** Calls it, if it is there. A broken hook must not break the call that it watches. */
export function quietly<T>(hook: ((value: T) => void) | undefined, value: T): void {
  try {
    hook?.(value)
  } catch {
    // The hook is the caller's; so is its fault.
  }
}
