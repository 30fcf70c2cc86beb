import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import type { Caller } from '../auth/caller.ts'
import type { Sql } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import { discardedObjects } from '../files/discarded-objects.ts'
import type { JobService } from '../jobs/job-service.ts'
import type { SettlementReaction } from '../jobs/job-settlement.ts'
import type { JobStore } from '../jobs/job-store.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { LayerRow, LayerStore } from './layer-store.ts'
import { regionNotFound, toLayer } from './region-service.ts'

type Schemas = components['schemas']

export interface LayerServiceDeps {
  sql: Sql
  layers: LayerStore
  store: ObjectStore
  jobs: Pick<JobService, 'start'>
}

const uploadSeconds = 3600

export const layerService = ({ sql, layers, store, jobs }: LayerServiceDeps) => {
  const discarded = discardedObjects(sql)
  const notFound = (region: string, name: string) =>
    new AppError('layer_not_found', `The region ${region} has no such version of a layer named ${name}.`)

  return {
    /** A new version that awaits its file. What was READY before stays in use until this one is. */
    async startUpload(
      region: string,
      name: string,
      file: Schemas['LayerUpload'],
    ): Promise<Schemas['LayerUploadCreated']> {
      const { sizeBytes, sha256, contentType = 'image/tiff' } = file
      const objectKey = `regions/${region}/${name}/${uuid()}.tif`
      const row = await layers.insert({ region, name, objectKey, sizeBytes, sha256, contentType })
      if (!row) throw regionNotFound(region)
      const upload = await store.signUpload(objectKey, { sizeBytes, sha256, contentType, expirySeconds: uploadSeconds })
      return {
        version: row.version,
        upload: { ...upload, name: `${name}.tif`, expiresAt: upload.expiresAt.toISOString() },
      }
    },

    /** Starts the inspection, once the file has arrived. Again, it answers the same and starts nothing. */
    async complete(caller: Caller, region: string, name: string, version: number): Promise<Schemas['Layer']> {
      const found = await layers.find(region, name, version)
      if (!found) throw notFound(region, name)
      const arrived = await store.head(found.objectKey)
      if (arrived?.sizeBytes !== found.sizeBytes) {
        throw new AppError('upload_incomplete', `The file of version ${version} has not arrived.`)
      }
      const started = await sql.begin(async (tx) => {
        const row = await layers.lock(region, name, version, tx)
        if (!row) throw notFound(region, name)
        if (row.status !== 'UPLOADING') return undefined
        const job = await jobs.start(
          'RASTER_INSPECTION',
          caller.userId,
          { region, layer: name, version },
          [inputFile(row)],
          tx,
        )
        await layers.startInspection(row, job.jobId, tx)
        return job
      })
      started?.announce()
      const row = await layers.find(region, name, version)
      if (!row) throw notFound(region, name)
      return toLayer(row)
    },

    /** Every version of it. Their files are left to the purge: jobs may be reading them. */
    async delete(region: string, name: string): Promise<void> {
      await sql.begin(async (tx) => {
        const keys = await layers.delete(region, name, tx)
        if (keys.length === 0) throw notFound(region, name)
        await discarded.discard(keys, tx)
      })
    },
  }
}

export type LayerService = ReturnType<typeof layerService>

/** Writes what an inspection found into the layer, in the transaction that ends the job. */
export const applyInspection =
  (layers: LayerStore, jobs: Pick<JobStore, 'find'>): SettlementReaction =>
  async ({ id, status }, tx) => {
    const job = await jobs.find(id, undefined, tx)
    const result = job?.resultPayload as Schemas['RasterInspectionResult'] | null | undefined
    if (status === 'SUCCEEDED' && result?.verdict === 'READY' && result.raster) {
      return layers.acceptInspection(id, result.raster, tx)
    }
    const reason = result?.reason ?? job?.error?.message ?? 'no reason was given'
    await layers.rejectInspection(
      id,
      status === 'SUCCEEDED' ? reason : `The inspection did not finish (${status}): ${reason}`,
      tx,
    )
  }

export const inputFile = ({ name, objectKey, sizeBytes, sha256, contentType }: LayerRow) => ({
  name: `layers/${name}.tif`,
  objectKey,
  sizeBytes,
  sha256,
  contentType,
})
