/** Something worth noting. `message` is a fixed phrase; `fields` say of what. Never holds tokens, keys, bodies or signed URLs. */
export interface LogLine {
  /** How much it matters. */
  level: 'debug' | 'info' | 'warn' | 'error'
  /** The same words each time. */
  message: string
  /** What it is about. */
  fields: Readonly<Record<string, unknown>>
}

/** Receives what client and worker have to say. What it throws is ignored. */
export type Log = (line: LogLine) => void
