import type { Api } from './api.ts'
import { type LayerUploadOptions, uploadLayer } from './layer-upload.ts'
import type { CallOptions } from './options.ts'
import type { Layer, LayerUpload, LayerUploadCreated, Page, Query, Region, RegionWrite } from './types.ts'
import type { UploadBody } from './upload-body.ts'

/** Named areas with versioned raster layers that assessments read. Admins write them. */
export interface RegionCalls {
  /**
   * List regions.
   *
   * By name.
   *
   * @remarks
   * One page; `listAll` follows them.
   */
  list(query?: Query<'listRegions'>, options?: CallOptions): Promise<Page<Region>>
  /** All of them, by name. `limit` is the size of a page. */
  listAll(query?: Query<'listRegions'>, options?: CallOptions): AsyncGenerator<Region, void, undefined>
  /**
   * Show a region.
   *
   * With its layers.
   *
   * Throws `region_not_found`.
   */
  get(region: string, options?: CallOptions): Promise<Region>
  /**
   * Write a region.
   *
   * Creates the region or replaces what describes it. Its layers stay as they are.
   */
  put(region: string, description: RegionWrite, options?: CallOptions): Promise<Region>
  /**
   * Delete a region.
   *
   * Deletes the region and its layers. Jobs that are under way still find what they read.
   *
   * Throws `region_not_found`.
   *
   * @remarks
   * After a lost answer the repetition may say `region_not_found`.
   */
  delete(region: string, options?: CallOptions): Promise<void>
  /**
   * Start a new version of a layer.
   *
   * Gives a signed URL for a single-band GeoTIFF of exactly this size and checksum. Send the file there, then complete
   * the version.
   *
   * Throws `region_not_found`.
   *
   * @remarks
   * `uploadLayer` does all of it. Not repeated after a lost answer, which may leave a version without a file.
   */
  createLayerUpload(
    region: string,
    layer: string,
    file: LayerUpload,
    options?: CallOptions,
  ): Promise<LayerUploadCreated>
  /**
   * Complete a version of a layer.
   *
   * Starts the job that inspects the file. The version becomes READY, or REJECTED with the reason. Completing it again
   * answers the same.
   *
   * Throws `layer_not_found`, `upload_incomplete`.
   *
   * @remarks
   * Repeated after a lost answer.
   */
  completeLayer(region: string, layer: string, version: number, options?: CallOptions): Promise<Layer>
  /**
   * Delete a layer.
   *
   * Deletes every version of the layer. Jobs that are under way still find what they read.
   *
   * Throws `layer_not_found`.
   *
   * @remarks
   * After a lost answer the repetition may say `layer_not_found`.
   */
  deleteLayer(region: string, layer: string, options?: CallOptions): Promise<void>
  /**
   * All of it: starts a version, sends the GeoTIFF, completes it, and waits until it is READY or REJECTED (`reason` says why). Bytes
   * and Blobs are read whole to compute their checksum; a stream needs `sha256`.
   */
  uploadLayer(region: string, layer: string, body: UploadBody, options?: LayerUploadOptions): Promise<Layer>
}

export function regionCalls({ operation, repeatable, items, fetch }: Api): RegionCalls {
  const completeLayer = repeatable('post', '/api/regions/{region}/layers/{layer}/complete', 'body')

  const calls: Omit<RegionCalls, 'uploadLayer'> = {
    list: operation('get', '/api/regions', 'query'),
    listAll: items('/api/regions'),
    get: operation('get', '/api/regions/{region}'),
    put: operation('put', '/api/regions/{region}', 'body'),
    delete: operation('delete', '/api/regions/{region}'),
    createLayerUpload: operation('post', '/api/regions/{region}/layers/{layer}/uploads', 'body'),
    completeLayer: (region, layer, version, options) => completeLayer(region, layer, { version }, options),
    deleteLayer: operation('delete', '/api/regions/{region}/layers/{layer}'),
  }

  return {
    ...calls,
    uploadLayer: (region, layer, body, options) => uploadLayer(calls, fetch, { region, layer }, body, options),
  }
}
