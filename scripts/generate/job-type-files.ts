import { readdirSync, readFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'

/** A job type as its file declares it: the names of its two schemas. */
export interface JobTypeFile {
  type: string
  jobSchema: string
  resultSchema: string | undefined
}

const folder = 'openapi/job-types'
const head = '# Written by `npm run generate` from openapi/job-types. Do not edit.\n'

/** Reads `openapi/job-types/*.yml`, in the order of their names. */
export function readJobTypeFiles(): JobTypeFile[] {
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const type = file.replace(/\.yml$/, '')
      const names = Object.keys(parse(readFileSync(`${folder}/${file}`, 'utf8')))
      const jobSchema = names.find((name) => name.endsWith('Job'))
      if (!jobSchema) throw new Error(`${folder}/${file}: names no schema that ends in "Job"`)
      return { type, jobSchema, resultSchema: names.find((name) => name.endsWith('Result')) }
    })
}

/** The three schemas that list all job types, by file, so that adding a type is one file. */
export function jobTypeIndex(jobTypes: JobTypeFile[]): Record<string, string> {
  const pointer = (type: string, name: string) => `../../job-types/${type}.yml#/${name}`
  const index = {
    JobType: {
      type: 'string',
      enum: jobTypes.map(({ type }) => type),
      description: 'What kind of job.',
      example: 'TEST',
    },
    JobCreate: {
      description: 'A job to start. `type` says which `inputPayload` belongs to it.',
      oneOf: jobTypes.map(({ type, jobSchema }) => ({ $ref: pointer(type, jobSchema) })),
      discriminator: {
        propertyName: 'type',
        mapping: Object.fromEntries(jobTypes.map(({ type, jobSchema }) => [type, pointer(type, jobSchema)])),
      },
      example: { type: 'TEST', inputPayload: { id: 42, sleepSeconds: 2 } },
    },
    JobResult: {
      description: 'What the job came to. Its schema goes by the job type.',
      anyOf: [
        ...jobTypes.flatMap(({ type, resultSchema }) => (resultSchema ? [{ $ref: pointer(type, resultSchema) }] : [])),
        ...(jobTypes.every(({ resultSchema }) => resultSchema) ? [] : [{ type: 'object', additionalProperties: true }]),
      ],
      example: { id: 42 },
    },
  }
  return Object.fromEntries(
    Object.entries(index).map(([name, schema]) => [
      `openapi/components/schemas/${name}.yml`,
      head + stringify(schema, { lineWidth: 0 }),
    ]),
  )
}
