/** Something worth noting. `message` is a fixed phrase; `fields` say of what. Never holds tokens, keys, bodies or signed URLs. */
export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  message: string
  fields: Readonly<Record<string, unknown>>
}

/** Receives what client and worker have to say. What it throws is ignored. */
export type Log = (line: LogLine) => void
