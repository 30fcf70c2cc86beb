import type { ContractDocument } from './document.ts'
import type { JobTypeFile } from './job-type-files.ts'

/** `generated/job-types.ts`: each job type with its settings and the schemas of what goes in and what comes out. */
export function jobTypesSource(document: ContractDocument, jobTypes: JobTypeFile[]): string {
  const entries = jobTypes.map(({ type, jobSchema, resultSchema }) => {
    const { description, ...schema } = document.components.schemas[jobSchema]!
    const settings = { type, ...(schema['x-job-type'] as object), description, jobSchema, resultSchema }
    const members = Object.entries(settings).filter(([, value]) => value !== undefined)
    return `${type}: {
      ${members.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(',\n')},
      input: untyped(z.lazy(() => ${jobSchema}Schema.unwrap().shape.inputPayload)),
      ${resultSchema ? `result: untyped(${resultSchema}Schema),` : ''}
    }`
  })
  const imports = jobTypes.flatMap(({ jobSchema, resultSchema }) =>
    [jobSchema, resultSchema].filter(Boolean).map((name) => `${name}Schema`),
  )
  return [
    `import { z } from '@hono/zod-openapi'`,
    `import { untyped } from '../src/formats.ts'`,
    `import { ${imports.sort().join(', ')} } from './schemas.ts'`,
    `/** The job types of the contract. */\nexport const jobTypes = { ${entries.join(',\n')} } as const`,
  ].join('\n\n')
}

/** The end of `generated/types.ts`: what each job type takes and gives, for typed handlers. */
export function jobTypesTypes(jobTypes: JobTypeFile[]): string {
  const members = jobTypes.map(
    ({ type, jobSchema, resultSchema }) => `  ${type}: {
    input: components['schemas']['${jobSchema}']['inputPayload']
    result: ${resultSchema ? `components['schemas']['${resultSchema}']` : 'Record<string, unknown> | undefined'}
  }`,
  )
  return `/** What each job type takes and gives. */\nexport interface JobTypes {\n${members.join('\n')}\n}\n`
}
