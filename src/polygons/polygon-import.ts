import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import type { Caller } from '../auth/caller.ts'
import type { Sql } from '../db/sql.ts'
import { AppError, type ProblemError } from '../errors.ts'
import { requireCrs84 } from './crs.ts'
import { featureContent } from './polygon-content.ts'
import type { PolygonContent, PolygonStore } from './polygon-store.ts'
import { maxWork, startWork } from './work.ts'

type Schemas = components['schemas']

/** One statement takes some thousands of values. */
const insertBatch = 500

/** As many faults as a problem lists. */
const maxFaults = 100

/**
 * Makes a polygon of each feature: of all or of none. Throws `invalid_request` with a pointer to each fault of each feature (RFC 6901,
 * into the collection), and `payload_too_large` for areas that would take too long to check and measure.
 */
export const polygonImport =
  ({ sql, polygons }: { sql: Sql; polygons: PolygonStore }) =>
  async (
    caller: Caller,
    collection: Schemas['AreaFeatureCollection'],
    nameProperty = 'name',
  ): Promise<Schemas['PolygonImport']> => {
    requireCrs84(collection, '')
    const contents = await contentsOf(collection.features, nameProperty)
    const rows = contents.map((content) => ({ id: uuid(), content }))
    await sql.begin(async (tx) => {
      for (let i = 0; i < rows.length; i += insertBatch)
        await polygons.insertAll(caller.userId, rows.slice(i, i + insertBatch), tx)
    })
    return { items: rows.map(({ id, content }) => imported(id, content)) }
  }

async function contentsOf(features: Schemas['AreaFeature'][], nameProperty: string): Promise<PolygonContent[]> {
  const contents: PolygonContent[] = []
  const faults: ProblemError[] = []
  const work = startWork({ units: maxWork, refusal: tooIntricate })
  for (const [index, feature] of features.entries()) {
    try {
      contents.push(await featureContent(feature, `/features/${index}`, nameProperty, work))
    } catch (error) {
      if (!(error instanceof AppError && error.errors)) throw error
      faults.push(...error.errors)
    }
    if (faults.length >= maxFaults) break
  }
  const [first] = faults
  if (first) throw new AppError('invalid_request', `${first.detail} at ${first.pointer}`, { errors: faults })
  return contents
}

const tooIntricate = () =>
  new AppError(
    'payload_too_large',
    'These areas are together too intricate to check and measure. Simplify them, or import fewer at a time.',
  )

const imported = (id: string, { name, bbox, areaSquareMeters }: PolygonContent) => ({
  id,
  ...(name !== null && { name }),
  bbox,
  areaSquareMeters,
})
