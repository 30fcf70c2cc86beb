import { jobTypes } from '../../generated/job-types.ts'
import type { components } from '../../generated/types.ts'
import { contractDocument } from '../contract-document.ts'
import { AppError } from '../errors.ts'
import type { LeaseTerms } from './claim-store.ts'
import type { JobTypeName } from './job-rows.ts'

type Description = components['schemas']['JobTypeDescription']

/** Every job type of the contract, as the service describes it. */
export async function describeJobTypes(): Promise<Description[]> {
  const contract = await contractDocument()
  const schemas = contract.components.schemas as unknown as Record<string, { properties: Record<string, object> }>
  return Object.values(jobTypes).map((jobType) => {
    const resultSchema = 'resultSchema' in jobType ? schemas[jobType.resultSchema] : undefined
    return {
      type: jobType.type,
      title: jobType.title,
      description: jobType.description,
      version: jobType.version,
      isInternal: jobType.isInternal,
      isCacheable: jobType.isCacheable,
      leaseSeconds: jobType.leaseSeconds,
      timeoutSeconds: jobType.timeoutSeconds,
      maxAttempts: jobType.maxAttempts,
      compute: jobType.compute,
      inputSchema: pointOutside(schemas[jobType.jobSchema]!.properties.inputPayload!),
      ...(resultSchema && { resultSchema: pointOutside(resultSchema) }),
    }
  })
}

export async function describeJobType(type: string): Promise<Description> {
  const description = (await describeJobTypes()).find((candidate) => candidate.type === type)
  if (!description) throw new AppError('job_type_not_found', `There is no job type ${JSON.stringify(type)}.`)
  return description
}

export const termsOf = (type: JobTypeName): LeaseTerms => {
  const { leaseSeconds, timeoutSeconds } = jobTypes[type]
  return { type, leaseSeconds, timeoutSeconds }
}

/** A schema that stands alone refers to the contract by its address. */
const pointOutside = (schema: object): Record<string, unknown> =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"/openapi.json#/components/'))
