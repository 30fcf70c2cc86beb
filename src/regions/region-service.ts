import type { components } from '../../generated/types.ts'
import { AppError } from '../errors.ts'
import { type PageQuery, pageOf, startMatching } from '../page.ts'
import type { CurrentLayerRow, LayerStore } from './layer-store.ts'
import type { RegionRow, RegionStore } from './region-store.ts'

type Schemas = components['schemas']

export const regionService = ({ regions, layers }: { regions: RegionStore; layers: LayerStore }) => {
  async function withLayers(rows: readonly RegionRow[]): Promise<Schemas['Region'][]> {
    const current = await layers.listCurrent(rows.map(({ name }) => name))
    return rows.map((row) =>
      toRegion(
        row,
        current.filter(({ region }) => region === row.name),
      ),
    )
  }

  return {
    async list(query: PageQuery): Promise<Schemas['RegionPage']> {
      const rows = await regions.page(query.limit + 1, startMatching(query, /^[a-z0-9-]{1,63}$/))
      const { items, ...rest } = pageOf(
        rows,
        query.limit,
        (row) => row,
        ({ name }) => name,
      )
      return { items: await withLayers(items), ...rest }
    },

    async get(name: string): Promise<Schemas['Region']> {
      const row = await regions.find(name)
      if (!row) throw regionNotFound(name)
      return (await withLayers([row]))[0]!
    },

    async put(
      name: string,
      { title, description }: Schemas['RegionWrite'],
    ): Promise<{ isNew: boolean; region: Schemas['Region'] }> {
      const { isNew, ...row } = await regions.put(name, title, description ?? null)
      return { isNew, region: (await withLayers([row]))[0]! }
    },

    async delete(name: string): Promise<void> {
      if (!(await regions.delete(name))) throw regionNotFound(name)
    },
  }
}

export type RegionService = ReturnType<typeof regionService>

export const regionNotFound = (name: string) => new AppError('region_not_found', `There is no region named ${name}.`)

const toRegion = (row: RegionRow, layers: CurrentLayerRow[]): Schemas['Region'] => ({
  name: row.name,
  title: row.title,
  ...(row.description !== null && { description: row.description }),
  layers: layers.map(toLayer),
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

export const toLayer = (row: CurrentLayerRow): Schemas['Layer'] => ({
  name: row.name,
  version: row.version,
  status: row.status,
  ...(row.reason !== null && { reason: row.reason }),
  sizeBytes: row.sizeBytes,
  ...(row.inspectionJobId !== null && { inspectionJobId: row.inspectionJobId }),
  ...(row.readyVersion !== null && { readyVersion: row.readyVersion }),
  ...(row.readyRaster !== null && { raster: row.readyRaster }),
  createdAt: row.createdAt.toISOString(),
})
