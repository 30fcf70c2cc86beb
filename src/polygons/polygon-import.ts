import { v7 as uuid } from 'uuid'
import type { components } from '../../generated/types.ts'
import type { Caller } from '../auth/caller.ts'
import type { Sql } from '../db/sql.ts'
import { AppError, faultsToldBy, invalidInAll, type ProblemError } from '../errors.ts'
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
    const { contents, faults } = await examine(collection, nameProperty)
    if (faults.length > 0) throw invalidInAll(faults)
    const rows = contents.map((content) => ({ id: uuid(), content }))
    await sql.begin(async (tx) => {
      for (let i = 0; i < rows.length; i += insertBatch)
        await polygons.insertAll(caller.userId, rows.slice(i, i + insertBatch), tx)
    })
    return { items: rows.map(({ id, content }) => imported(id, content)) }
  }

/**
 * All that is wrong with a collection of which some does not fit the contract: `formal` says what. Where that leaves features to look at,
 * theirs is added, in the order of the features.
 */
export async function importFaults(
  body: unknown,
  formal: ProblemError[],
  nameProperty?: string,
): Promise<ProblemError[]> {
  const { features } = Object(body) as { features?: unknown }
  const isOfAll = formal.some(({ pointer }) => pointer === '' || pointer === '/features')
  if (isOfAll || !Array.isArray(features) || formal.length >= maxFaults) return formal
  return (await examine(body as Schemas['AreaFeatureCollection'], nameProperty, formal)).faults
}

/** What the features hold, and what is wrong with the others; `known` is of those that need not be looked at. */
async function examine(
  collection: Schemas['AreaFeatureCollection'],
  nameProperty = 'name',
  known: ProblemError[] = [],
): Promise<{ contents: PolygonContent[]; faults: ProblemError[] }> {
  const knownOf = Map.groupBy(known, ({ pointer }) => /^\/features\/\d+|^\/crs/.exec(pointer)?.[0])
  const faults = [...(knownOf.get(undefined) ?? [])]
  const found = async <T>(at: string, look: () => T | Promise<T>): Promise<T | undefined> => {
    const formal = knownOf.get(at)
    if (formal) return void faults.push(...formal)
    try {
      return await look()
    } catch (error) {
      return void faults.push(...faultsToldBy(error))
    }
  }
  await found('/crs', () => requireCrs84(collection, ''))
  const contents: PolygonContent[] = []
  const work = startWork({ units: maxWork, refusal: tooIntricate })
  for (const [index, feature] of collection.features.entries()) {
    const at = `/features/${index}`
    const content = await found(at, () => featureContent(feature, at, nameProperty, work))
    if (content) contents.push(content)
    if (faults.length >= maxFaults) break
  }
  return { contents, faults: faults.slice(0, maxFaults) }
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
