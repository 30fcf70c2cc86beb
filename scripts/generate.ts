/**
 * Makes `generated/` from `openapi/`: `npm run generate`. With `--check` it writes nothing and fails if anything is out of date.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'
import { bundleContract } from './generate/document.ts'
import { readJobTypeFiles, writeJobTypeIndex } from './generate/job-type-files.ts'
import { jobTypesSource, jobTypesTypes } from './generate/job-types.ts'
import { routesSource } from './generate/routes.ts'
import { schemasSource } from './generate/zod-schemas.ts'

const head = '// Generated from openapi/ by `npm run generate`. Do not edit.\n\n'

const jobTypes = readJobTypeFiles()
writeJobTypeIndex(jobTypes)
const document = bundleContract()
// openapi-typescript changes what it is given.
const types = astToString(await openapiTS(structuredClone(document) as never, { defaultNonNullable: false }))

const files: Record<string, string> = {
  'openapi.json': `${JSON.stringify(document, null, 2)}\n`,
  'types.ts': pretty(head + types + jobTypesTypes(jobTypes)),
  'schemas.ts': pretty(head + schemasSource(document)),
  'routes.ts': pretty(head + routesSource(document)),
  'job-types.ts': pretty(head + jobTypesSource(document, jobTypes)),
}

mkdirSync('generated', { recursive: true })
const stale = Object.entries(files).filter(([name, text]) => read(`generated/${name}`) !== text)
if (process.argv.includes('--check')) {
  if (stale.length > 0)
    throw new Error(`generated/ is out of date (${stale.map(([name]) => name).join(', ')}): run npm run generate`)
} else {
  for (const [name, text] of stale) writeFileSync(`generated/${name}`, text)
}

function pretty(source: string): string {
  const biome = ['node_modules/@biomejs/biome/bin/biome', 'format', '--stdin-file-path=scripts/generated.ts']
  return execFileSync(process.execPath, biome, { input: source, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
