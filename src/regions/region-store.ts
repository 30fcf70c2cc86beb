import type { Sql, Tx } from '../db/sql.ts'

export interface RegionRow {
  name: string
  title: string
  description: string | null
  createdAt: Date
  updatedAt: Date
}

export const regionStore = (sql: Sql) => {
  const columns = sql`name, title, description, created_at, updated_at`

  return {
    async put(name: string, title: string, description: string | null): Promise<RegionRow & { isNew: boolean }> {
      const [row] = await sql<(RegionRow & { isNew: boolean })[]>`
        insert into regions (name, title, description)
        values (${name}, ${title}, ${description})
        on conflict (name) do update
        set title = excluded.title, description = excluded.description, updated_at = now()
        returning ${columns}, xmax = 0 as is_new
      `
      return row!
    },

    async find(name: string, tx: Tx = sql): Promise<RegionRow | undefined> {
      const [row] = await tx<RegionRow[]>`select ${columns} from regions where name = ${name}`
      return row
    },

    async page(limit: number, after: string | undefined): Promise<RegionRow[]> {
      return sql<RegionRow[]>`
        select ${columns}
        from regions
        where ${after ? sql`name > ${after}` : sql`true`}
        order by name
        limit ${limit}
      `
    },

    /** Deletes the region and its layers; their files are left to the purge. */
    async delete(name: string): Promise<boolean> {
      return sql.begin(async (tx) => {
        await tx`
          insert into discarded_objects (object_key)
          select object_key
          from region_layers
          where region = ${name}
          on conflict do nothing
        `
        const { count } = await tx`delete from regions where name = ${name}`
        return count > 0
      })
    },
  }
}

export type RegionStore = ReturnType<typeof regionStore>
