import type { components } from '../../generated/types.ts'
import type { Sql, Tx } from '../db/sql.ts'

type Schemas = components['schemas']

export interface LayerRow {
  region: string
  name: string
  version: number
  status: Schemas['LayerStatus']
  objectKey: string
  sizeBytes: number
  sha256: string
  contentType: string
  inspectionJobId: string | null
  reason: string | null
  raster: Schemas['Raster'] | null
  createdAt: Date
}

/** The newest version of a layer, beside the newest that is READY. */
export interface CurrentLayerRow extends LayerRow {
  readyVersion: number | null
  readyRaster: Schemas['Raster'] | null
}

export type NewLayer = Pick<LayerRow, 'region' | 'name' | 'objectKey' | 'sizeBytes' | 'sha256' | 'contentType'>

export const layerStore = (sql: Sql) => {
  const columns = sql`
    l.region, l.name, l.version, l.status, l.object_key, l.size_bytes::float8 as size_bytes, l.sha256, l.content_type,
    l.inspection_job_id, l.reason, l.raster, l.created_at
  `

  const newestReady = sql`
    left join lateral (
      select version, raster
      from region_layers
      where region = l.region and name = l.name and status = 'READY'
      order by version desc
      limit 1
    ) ready on true
  `

  return {
    /** The next version of the layer. `undefined` if the region is not there. */
    async insert({ region, name, objectKey, sizeBytes, sha256, contentType }: NewLayer): Promise<LayerRow | undefined> {
      return sql.begin(async (tx) => {
        // The region's row is the lock under which versions are counted.
        const regions = await tx`select from regions where name = ${region} for update`
        if (regions.length === 0) return undefined
        const [row] = await tx<LayerRow[]>`
          insert into region_layers as l (region, name, version, object_key, size_bytes, sha256, content_type)
          select ${region}, ${name}, coalesce(max(version), 0) + 1, ${objectKey}, ${sizeBytes}, ${sha256}, ${contentType}
          from region_layers
          where region = ${region} and name = ${name}
          returning ${columns}
        `
        return row
      })
    },

    async lock(region: string, name: string, version: number, tx: Tx): Promise<LayerRow | undefined> {
      const [row] = await tx<LayerRow[]>`
        select ${columns}
        from region_layers l
        where l.region = ${region} and l.name = ${name} and l.version = ${version}
        for update
      `
      return row
    },

    /** One version of a layer, beside the newest that is READY. */
    async find(region: string, name: string, version: number): Promise<CurrentLayerRow | undefined> {
      const [row] = await sql<CurrentLayerRow[]>`
        select ${columns}, ready.version as ready_version, ready.raster as ready_raster
        from region_layers l
        ${newestReady}
        where l.region = ${region} and l.name = ${name} and l.version = ${version}
      `
      return row
    },

    /** For each of the regions its layers, each at its newest version. */
    async listCurrent(regions: string[]): Promise<CurrentLayerRow[]> {
      return sql<CurrentLayerRow[]>`
        select distinct on (l.region, l.name) ${columns}, ready.version as ready_version, ready.raster as ready_raster
        from region_layers l
        ${newestReady}
        where l.region = any(${regions})
        order by l.region, l.name, l.version desc
      `
    },

    /** The layers that assessments of a region read now. */
    async listReady(region: string, tx: Tx = sql): Promise<LayerRow[]> {
      return tx<LayerRow[]>`
        select distinct on (l.name) ${columns}
        from region_layers l
        where l.region = ${region} and l.status = 'READY'
        order by l.name, l.version desc
      `
    },

    async startInspection({ region, name, version }: LayerRow, jobId: string, tx: Tx): Promise<void> {
      await tx`
        update region_layers
        set status = 'INSPECTING', inspection_job_id = ${jobId}
        where region = ${region} and name = ${name} and version = ${version}
      `
    },

    async acceptInspection(jobId: string, raster: Schemas['Raster'], tx: Tx): Promise<void> {
      await tx`
        update region_layers
        set status = 'READY', raster = ${sql.json(raster as never)}
        where inspection_job_id = ${jobId} and status = 'INSPECTING'
      `
    },

    async rejectInspection(jobId: string, reason: string, tx: Tx): Promise<void> {
      await tx`
        update region_layers
        set status = 'REJECTED', reason = ${reason}
        where inspection_job_id = ${jobId} and status = 'INSPECTING'
      `
    },

    /** Deletes every version of the layer, and gives the keys of their files. */
    async delete(region: string, name: string, tx: Tx): Promise<string[]> {
      const rows = await tx<{ objectKey: string }[]>`
        delete from region_layers
        where region = ${region} and name = ${name}
        returning object_key
      `
      return rows.map(({ objectKey }) => objectKey)
    },

    /** Deletes up to so many uploads that are not completed a day after they began, and gives the keys of their objects. */
    async deleteUnfinished(limit: number, tx: Tx): Promise<string[]> {
      const rows = await tx<{ objectKey: string }[]>`
        delete from region_layers
        where (region, name, version) in (
          select region, name, version
          from region_layers
          where status = 'UPLOADING' and created_at < now() - interval '1 day'
          order by created_at
          limit ${limit}
          for update skip locked
        )
        returning object_key
      `
      return rows.map(({ objectKey }) => objectKey)
    },
  }
}

export type LayerStore = ReturnType<typeof layerStore>
