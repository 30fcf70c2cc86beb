import type { Sql, Tx } from '../db/sql.ts'
import { discardedObjects } from '../files/discarded-objects.ts'

export interface RegionRow {
  name: string
  title: string
  description: string | null
  createdAt: Date
  updatedAt: Date
}

export const regionStore = (sql: Sql) => {
  const discarded = discardedObjects(sql)
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
        // The lock under which layers are added: none is added in between.
        await tx`select from regions where name = ${name} for update`
        const layers = await tx<{ objectKey: string }[]>`
          delete from region_layers
          where region = ${name}
          returning object_key
        `
        await discarded.discard(
          layers.map(({ objectKey }) => objectKey),
          tx,
        )
        const { count } = await tx`delete from regions where name = ${name}`
        return count > 0
      })
    },
  }
}

export type RegionStore = ReturnType<typeof regionStore>
