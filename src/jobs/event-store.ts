import type { Sql } from '../db/sql.ts'
import type { JsonObject } from './job-rows.ts'

export interface EventRow {
  id: number
  kind: 'status' | 'progress' | 'log'
  data: JsonObject
  at: Date
}

/** What has happened to a job, in order. Written by the statements that make it happen; read here. */
export const eventStore = (sql: Sql) => ({
  async after(jobId: string, id: number, limit: number): Promise<EventRow[]> {
    return sql<EventRow[]>`
      select id, kind, data, at
      from job_events
      where job_id = ${jobId} and id > ${id}
      order by id
      limit ${limit}
    `
  },

  async logsAfter(jobId: string, id: number, limit: number): Promise<EventRow[]> {
    return sql<EventRow[]>`
      select id, kind, data, at
      from job_events
      where job_id = ${jobId} and id > ${id} and kind = 'log'
      order by id
      limit ${limit}
    `
  },
})

export type EventStore = ReturnType<typeof eventStore>
