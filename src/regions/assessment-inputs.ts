import type { components } from '../../generated/types.ts'
import type { Caller } from '../auth/caller.ts'
import type { Tx } from '../db/sql.ts'
import { AppError, invalidRequest } from '../errors.ts'
import type { JobFile } from '../jobs/job-rows.ts'
import type { InputResolvers } from '../jobs/job-service.ts'
import type { Area } from '../polygons/area.ts'
import { toArea } from '../polygons/geometry.ts'
import type { PolygonService } from '../polygons/polygon-service.ts'
import { criterionSources } from '../rasters/criteria.ts'
import { RasterError } from '../rasters/raster-error.ts'
import { inputFile } from './layer-service.ts'
import type { LayerRow, LayerStore } from './layer-store.ts'
import { regionNotFound } from './region-service.ts'
import type { RegionStore } from './region-store.ts'

type Schemas = components['schemas']
type Criteria = Schemas['Criteria']
type Question = { region: string; criteria: Criteria }
type SuitabilityInput = Schemas['SuitabilityAssessmentJob']['inputPayload']

export interface AssessmentInputsDeps {
  regions: RegionStore
  layers: LayerStore
  polygons: Pick<PolygonService, 'findArea'>
}

/** What the input of an assessment refers to: the layers at the version that is READY now, and the polygon as it is now. */
export function assessmentInputs({ regions, layers, polygons }: AssessmentInputsDeps): InputResolvers {
  async function resolveLayers({ region, criteria }: Question, tx: Tx): Promise<JobFile[]> {
    if (!(await regions.find(region, tx))) throw unresolved('/inputPayload/region', regionNotFound(region).message)
    checkRanges(criteria)
    return layersFor(criteria, await layers.listReady(region, tx)).map(inputFile)
  }

  async function resolveArea(
    caller: Caller,
    { polygonId, polygon }: SuitabilityInput,
    tx: Tx,
  ): Promise<Area | undefined> {
    if (polygonId && polygon) throw invalidRequest('/inputPayload/polygon', 'Name a polygon or send one, not both.')
    if (polygon) return await toArea(polygon, '/inputPayload/polygon')
    if (!polygonId) return undefined
    const area = await polygons.findArea(caller, polygonId, tx)
    if (!area) throw unresolved('/inputPayload/polygonId', `There is no polygon ${polygonId} that you may see.`)
    return area
  }

  return {
    async REGIONAL_ASSESSMENT(input, _caller, tx) {
      return { resolved: input, files: await resolveLayers(input, tx) }
    },

    async SUITABILITY_ASSESSMENT(input, caller, tx) {
      const { polygonId: _polygonId, ...rest } = input
      const files = await resolveLayers(input, tx)
      const polygon = await resolveArea(caller, input, tx)
      return { resolved: { ...rest, ...(polygon && { polygon }) }, files }
    },
  }
}

/** The layers that the criteria are read from, by the rule that the assessment itself goes by. */
function layersFor(criteria: Criteria, ready: readonly LayerRow[]): LayerRow[] {
  const names = ready.map(({ name }) => name)
  const used = Object.entries(criteria).flatMap(([name, range]) => {
    try {
      return criterionSources({ [name]: range }, names).map(({ layer }) => layer)
    } catch (error) {
      if (error instanceof RasterError) throw unresolved(`/inputPayload/criteria/${name}`, error.message)
      throw error
    }
  })
  return ready.filter(({ name }) => used.includes(name))
}

function checkRanges(criteria: Criteria): void {
  for (const [name, { min, max }] of Object.entries(criteria)) {
    if (min !== undefined && max !== undefined && min > max) {
      throw invalidRequest(`/inputPayload/criteria/${name}`, 'The range is empty: min is above max.')
    }
  }
}

const unresolved = (pointer: string, detail: string) =>
  new AppError('unresolved_reference', detail, { errors: [{ pointer, detail }] })
