import type { Sql, Tx } from '../db/sql.ts'

/** The only SQL about objects that nothing in the catalogue names any more. */
export const discardedObjects = (sql: Sql) => ({
  /** In the transaction that takes their names away: whatever happens then, somebody knows that they have to go. */
  async discard(keys: string[], tx: Tx): Promise<void> {
    await tx`
      insert into discarded_objects (object_key)
      select unnest(${keys}::text[])
      on conflict do nothing
    `
  },

  /** Those of them that no row names, as orphans are. */
  async discardUnnamed(keys: string[], tx: Tx): Promise<void> {
    await tx`
      insert into discarded_objects (object_key)
      select key
      from unnest(${keys}::text[]) as key
      where not exists (select from images where object_key = key)
        and not exists (select from region_layers where object_key = key)
      on conflict do nothing
    `
  },

  /** Those that no unfinished job reads. */
  async listPurgeable(limit: number): Promise<string[]> {
    const rows = await sql<{ objectKey: string }[]>`
      select d.object_key
      from discarded_objects d
      -- A job that resolved its layers just before may be on its way into the table.
      where d.discarded_at < now() - interval '1 hour' and not exists (
        select
        from jobs j
        join job_payloads p on p.job_id = j.id
        where j.status in ('PENDING', 'IN_PROGRESS')
          and p.files @> jsonb_build_array(jsonb_build_object('objectKey', d.object_key))
      )
      order by d.discarded_at
      limit ${limit}
    `
    return rows.map(({ objectKey }) => objectKey)
  },

  /** To the end of those that wait, for an hour. */
  async postpone(keys: string[]): Promise<void> {
    await sql`update discarded_objects set discarded_at = now() where object_key = any(${keys})`
  },

  async forget(keys: string[]): Promise<void> {
    await sql`delete from discarded_objects where object_key = any(${keys})`
  },
})
