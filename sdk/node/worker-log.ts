import { quietly } from '../hooks.ts'
import type { Log, LogLine } from '../log.ts'

/** Writes a line about one thing. */
export type Say = (level: LogLine['level'], message: string, fields?: Record<string, unknown>) => void

/** Lines with these fields in each. Without a log, silence. */
export const sayTo =
  (log: Log | undefined, facts: Record<string, unknown>): Say =>
  (level, message, fields) =>
    quietly(log, { level, message, fields: { ...facts, ...fields } })
