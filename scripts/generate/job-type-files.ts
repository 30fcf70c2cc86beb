import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'

/** A job type as its file declares it: the names of its two schemas. */
export interface JobTypeFile {
  type: string
  jobSchema: string
  resultSchema: string | undefined
}

const folder = 'openapi/job-types'
const schemas = 'openapi/components/schemas'
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

/** Brings the three schemas that list all job types up to date, so that adding a type is one file. */
export function writeJobTypeIndex(jobTypes: JobTypeFile[]): void {
  const pointer = (type: string, name: string) => `../../job-types/${type}.yml#/${name}`
  const write = (name: string, schema: unknown) =>
    writeFileSync(`${schemas}/${name}.yml`, head + stringify(schema, { lineWidth: 0 }))

  write('JobType', {
    type: 'string',
    enum: jobTypes.map(({ type }) => type),
    description: 'What kind of job.',
    example: 'TEST',
  })
  write('JobCreate', {
    description: 'A job to start. `type` says which `inputPayload` belongs to it.',
    oneOf: jobTypes.map(({ type, jobSchema }) => ({ $ref: pointer(type, jobSchema) })),
    discriminator: {
      propertyName: 'type',
      mapping: Object.fromEntries(jobTypes.map(({ type, jobSchema }) => [type, pointer(type, jobSchema)])),
    },
    example: { type: 'TEST', inputPayload: { id: 42, sleepSeconds: 2 } },
  })
  write('JobResult', {
    description: 'What the job came to. Its schema goes by the job type.',
    anyOf: [
      ...jobTypes.flatMap(({ type, resultSchema }) => (resultSchema ? [{ $ref: pointer(type, resultSchema) }] : [])),
      { type: 'object', additionalProperties: true },
    ],
    example: { id: 42 },
  })
}
