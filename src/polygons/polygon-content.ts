import type { components } from '../../generated/types.ts'
import { AppError, faultsToldBy, invalidInAll, jsonPointer, type ProblemError } from '../errors.ts'
import { measuredArea } from './measure.ts'
import type { PolygonContent } from './polygon-store.ts'
import type { Work } from './work.ts'

type Schemas = components['schemas']

const maxPropertiesBytes = 64 * 1024
/** In characters, as the contract has it for what is written one by one. */
const maxLengths = { name: 200, description: 5000 }

/** What somebody wrote, checked and measured. Throws `invalid_request` with a pointer to the fault, and `payload_too_large`. */
export async function polygonContent(input: Schemas['PolygonWrite']): Promise<PolygonContent> {
  const { polygon, name = null, description = null } = input
  const featureProperties = polygon.type === 'Feature' ? polygon.properties : undefined
  const properties = input.properties ?? featureProperties ?? {}
  if (isTooLarge(properties)) throw new AppError('payload_too_large', tooLarge)
  const { area, ...measures } = await measuredArea(polygon, '/polygon')
  return { geometry: area, ...measures, name, description, properties }
}

/** The same of a feature among others, which share the work. Its properties are kept whole; two of them tell its name and its description. */
export async function featureContent(
  feature: Schemas['AreaFeature'],
  pointer: string,
  nameProperty: string,
  work: Work,
): Promise<PolygonContent> {
  const properties = feature.properties ?? {}
  const faults: ProblemError[] = []
  if (isTooLarge(properties)) faults.push({ pointer: `${pointer}/properties`, detail: tooLarge })
  const textOf = (property: string, maxLength: number): string | null => {
    const value = Object.hasOwn(properties, property) ? properties[property] : undefined
    if (typeof value === 'number' && property === nameProperty) return String(value)
    if (typeof value !== 'string' || value === '') return null
    if (Array.from(value).length > maxLength)
      faults.push({
        pointer: pointer + jsonPointer(['properties', property]),
        detail: `Takes at most ${maxLength} characters`,
      })
    return value
  }
  const name = textOf(nameProperty, maxLengths.name)
  const description = textOf('description', maxLengths.description)
  const measured = await measuredArea(feature, pointer, work).catch(
    (error: unknown) => void faults.push(...faultsToldBy(error)),
  )
  if (!measured || faults.length > 0) throw invalidInAll(faults)
  const { area, ...measures } = measured
  return { geometry: area, ...measures, name, description, properties }
}

const isTooLarge = (properties: object) => Buffer.byteLength(JSON.stringify(properties)) > maxPropertiesBytes

const tooLarge = `Properties may have at most ${maxPropertiesBytes} bytes as JSON.`
