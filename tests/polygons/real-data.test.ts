import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { toArea } from '../../src/polygons/geometry.ts'
import { measureArea } from '../../src/polygons/measure.ts'

const data = (name: string) => resolve(import.meta.dirname, '../../../shared/data', name)
const absenceOf = (path: string) => (existsSync(path) ? undefined : `${path} is not here`)

interface Feature {
  type: 'Feature'
  properties: Record<string, string & number>
  geometry: { type: 'Polygon'; coordinates: number[][][] }
}

async function judge(path: string) {
  const { features } = JSON.parse(await readFile(path, 'utf8')) as { features: Feature[] }
  const judged = await Promise.all(
    features.map(async (feature) => {
      try {
        return { feature, measures: await measureArea(await toArea(feature, '')) }
      } catch (error) {
        return { feature, refusal: (error as Error).message }
      }
    }),
  )
  return {
    accepted: judged.flatMap(({ feature, measures }) => (measures ? [{ feature, measures }] : [])),
    refused: judged.flatMap(({ feature, refusal }) =>
      refusal ? [[Object.values(feature.properties)[0], refusal]] : [],
    ),
  }
}

const zones = data('gbrmp_zoning_cairns.geojson')
describe.skipIf(absenceOf(zones))(
  `zones of the Great Barrier Reef Marine Park (${absenceOf(zones) ?? 'present'})`,
  () => {
    test('are as large as the gazette says, also where simplification has put a hole into another', async () => {
      const { accepted, refused } = await judge(zones)

      expect(refused).toEqual([])
      expect(accepted).toHaveLength(58)
      const ratios = accepted
        .filter(({ feature }) => feature.properties.GAZ_AREA! > 1000)
        .map(({ feature, measures }) => measures.areaSquareMeters / (feature.properties.GAZ_AREA! * 10_000))
        .sort((a, b) => a - b)
      expect(ratios[Math.floor(ratios.length / 2)]).toBeCloseTo(1, 2)
    })
  },
)

const reefs = data('adria_reefmod_gbr_10reefs.geojson')
describe.skipIf(absenceOf(reefs))(`reefs of the Great Barrier Reef (${absenceOf(reefs) ?? 'present'})`, () => {
  test('have their centroids where their list says, also where an outline touches itself', async () => {
    const { accepted, refused } = await judge(reefs)

    expect(refused).toEqual([])
    expect(accepted).toHaveLength(10)
    for (const { feature, measures } of accepted) {
      expect(measures.centroid[0]).toBeCloseTo(feature.properties.LON!, 2)
      expect(measures.centroid[1]).toBeCloseTo(feature.properties.LAT!, 2)
    }
  })
})
