import type { LayerService } from '../../regions/layer-service.ts'
import type { RegionService } from '../../regions/region-service.ts'
import type { Handlers } from '../contract.ts'

type RegionOperation =
  | 'listRegions'
  | 'getRegion'
  | 'putRegion'
  | 'deleteRegion'
  | 'deleteLayer'
  | 'createLayerUpload'
  | 'completeLayer'

export interface RegionHandlerDeps {
  regions: RegionService
  layers: LayerService
}

export const regionHandlers = ({ regions, layers }: RegionHandlerDeps): Handlers<RegionOperation> => ({
  async listRegions({ query }) {
    return { status: 200, body: await regions.list(query) }
  },

  async getRegion({ path }) {
    return { status: 200, body: await regions.get(path.region) }
  },

  async putRegion({ path, body }) {
    const { isNew, region } = await regions.put(path.region, body)
    if (!isNew) return { status: 200, body: region }
    return { status: 201, body: region, headers: { Location: `/api/regions/${region.name}` } }
  },

  async deleteRegion({ path }) {
    await regions.delete(path.region)
    return { status: 204 }
  },

  async deleteLayer({ path }) {
    await layers.delete(path.region, path.layer)
    return { status: 204 }
  },

  async createLayerUpload({ path, body }) {
    const started = await layers.startUpload(path.region, path.layer, body)
    return { status: 201, body: started, headers: { Location: `/api/regions/${path.region}` } }
  },

  async completeLayer({ caller, path, body }) {
    return { status: 202, body: await layers.complete(caller, path.region, path.layer, body.version) }
  },
})
