import { RasterError } from './raster-error.ts'

/** Inclusive bounds on the values of a layer; with neither, the layer need only have data. */
export interface Criterion {
  min?: number
  max?: number
}

export type Criteria = Record<string, Criterion>

/** Where the values of a criterion come from: a layer as it is, or the slope of one. */
export interface CriterionSource {
  criterion: string
  layer: string
  derivation: 'none' | 'slope'
}

/** Layers of heights or depths in metres that a slope may be derived from, the first one there is. */
const slopeSources = ['depth', 'elevation']

/**
 * Which layer each criterion reads, ordered by the criterion's name. A `slope` criterion without a `slope` layer is
 * derived from `depth`, else from `elevation`.
 * @throws RasterError when there is no criterion, no layer for one, or its bounds exclude every value
 */
export function criterionSources(criteria: Criteria, layerNames: Iterable<string>): CriterionSource[] {
  const layers = new Set(layerNames)
  const names = Object.keys(criteria).sort()
  if (names.length === 0) throw new RasterError('At least one criterion is needed.')
  return names.map((criterion) => {
    const { min = -Infinity, max = Infinity } = criteria[criterion]!
    if (!(min <= max)) throw new RasterError(`The criterion "${criterion}" has a minimum above its maximum.`)
    if (layers.has(criterion)) return { criterion, layer: criterion, derivation: 'none' }
    const base = criterion === 'slope' ? slopeSources.find((layer) => layers.has(layer)) : undefined
    if (base) return { criterion, layer: base, derivation: 'slope' }
    const remedy = criterion === 'slope' ? ', and neither "depth" nor "elevation" to derive it from' : ''
    throw new RasterError(
      `There is no layer "${criterion}"${remedy}; there is: ${[...layers].sort().join(', ') || 'none'}.`,
    )
  })
}

/** Whether a value meets a criterion; no data (NaN) never does. */
export const meets = (value: number, { min = -Infinity, max = Infinity }: Criterion) => value >= min && value <= max
